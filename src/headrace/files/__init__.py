"""Files as contents and as places: digests, names, addresses, files that processes share. Light."""
