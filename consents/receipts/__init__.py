"""What a resident keeps of a choice: for machines, in DPV terms, and on one printed page."""
