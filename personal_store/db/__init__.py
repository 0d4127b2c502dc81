"""The encrypted database: connection, tables, migrations, one repository per table family."""
