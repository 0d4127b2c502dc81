"""The auditor: from files and public keys alone, what the log proves and what it does not."""
