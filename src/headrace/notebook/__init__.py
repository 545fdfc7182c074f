"""The interactive context: one component at a time, on the engine, cache and store of the scripts."""
