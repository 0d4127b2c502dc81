"""What the resident decides about sharing: signed, kept, proved, named to others, erased."""
