"""Where a node is executed."""
