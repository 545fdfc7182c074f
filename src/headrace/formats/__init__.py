"""Payloads of artifacts: where they lie, how they are read and written, with Arrow in the middle."""
