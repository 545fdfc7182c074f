"""Where Examples come from: files found by span and version, read as rows, divided into splits."""
