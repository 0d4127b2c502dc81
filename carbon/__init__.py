"""A person's mobility footprint and cost: factors with provenance, intervals, euros, what-ifs.

It imports nothing but the standard library (one function takes numpy when called, see
`carbon.columns`) and reads nothing but its own data, when asked to. Start at `carbon.footprint`,
or at `docs/carbon.md`; `python -m carbon --help` answers for one leg.
"""
