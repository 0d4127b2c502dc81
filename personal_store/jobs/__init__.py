"""Jobs: plain `run_once(...)` functions, called alike by the command line, the server and tests."""
