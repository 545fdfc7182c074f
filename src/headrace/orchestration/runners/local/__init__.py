"""Nodes in processes of this machine, forked from one that has the libraries loaded."""
