"""Payloads: reading and writing Examples, schema, statistics and models, with Arrow in the middle."""
