"""The cooperative's database: engine, tables, one repository module per table family."""
