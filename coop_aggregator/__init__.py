"""The cooperative's shell: asks for statistics, takes in reports, publishes releases."""
