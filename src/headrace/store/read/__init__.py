"""What a store holds: runs, artifacts, executions, lineage, and what differs between two."""
