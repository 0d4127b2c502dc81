"""The consent log as it is kept, witnessed, turned over at New Year and handed to auditors."""
