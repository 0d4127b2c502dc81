"""`python -m coop_aggregator` is `coop-aggregator`."""

from coop_aggregator.cli.program import main

main()
