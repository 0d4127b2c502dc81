"""The cooperative's doors: an HTTP interface for stores and stewards, pages for everyone."""
