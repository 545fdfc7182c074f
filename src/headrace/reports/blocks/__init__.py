"""What pages are made of: blocks, charts and drawings, written as HTML or for a terminal."""
