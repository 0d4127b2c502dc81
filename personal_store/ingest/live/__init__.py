"""Live positions: what a phone sends, one module per application, and what it waits to hear."""
