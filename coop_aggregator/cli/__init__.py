"""The command line, a module for each family of commands; `program` puts them together."""
