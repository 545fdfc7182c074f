"""Runs and their nodes as pages."""
