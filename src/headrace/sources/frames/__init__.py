"""Tables in memory: brought to Arrow, kept as a file that is named by its content."""
