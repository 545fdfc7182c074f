"""Texts: a file each in folders of classes, or one a line."""
