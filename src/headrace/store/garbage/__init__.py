"""What nothing needs any more: the policy, the inventory it decides on, the collection."""
