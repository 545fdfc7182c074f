"""A whole run: opened, scheduled on Beam, interrupted, recorded."""
