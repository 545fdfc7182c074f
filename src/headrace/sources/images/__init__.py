"""Pictures: a file is an example."""
