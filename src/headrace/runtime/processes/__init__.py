"""Processes beside the one that runs a node, and how they end."""
