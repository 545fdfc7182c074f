"""Sounds: a file is an example."""
