"""A person's mobility footprint: emission factors with their provenance, and intervals."""
