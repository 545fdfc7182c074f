"""The life of one node: driver, executor, publisher."""
