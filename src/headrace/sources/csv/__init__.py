"""CSV: byte ranges of whole records, columns with the types that TFX infers, and what is wrong with a file."""
