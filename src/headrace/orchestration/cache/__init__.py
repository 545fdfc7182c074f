"""What a node depends on, as a key: code, parameters, inputs and libraries by content."""
