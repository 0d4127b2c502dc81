"""Consent events, their append-only log and the offline checks of it."""
