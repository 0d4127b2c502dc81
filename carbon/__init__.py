"""A person's mobility footprint: emission factors with their provenance, and intervals.

It imports nothing but the standard library and reads nothing but its own data, when asked to.
Start at `carbon.footprint`; `python -m carbon --help` answers for one leg.
"""
