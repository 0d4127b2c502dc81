"""What becomes of a whole store: backed up, restored, exported, erased, checked."""
