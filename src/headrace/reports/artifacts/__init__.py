"""What an artifact holds as blocks, a file for each type, and its page."""
