"""One file per schema version; a published file is never edited."""
