"""The resident's pages and the doors for live positions; server-rendered, no JavaScript."""
