"""What runs write into a store."""
