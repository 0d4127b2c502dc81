"""Work on its own time: plain `run_once(...)` functions, called alike by CLI and server."""
