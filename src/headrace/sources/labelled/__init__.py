"""Files that are examples: a folder for each class, a table of paths and labels, or a zip archive of such folders."""
