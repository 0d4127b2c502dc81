"""The schema's history, run by `coop_aggregator.db.engine`, never by hand."""
