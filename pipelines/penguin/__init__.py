"""Penguins of the Palmer Archipelago: which of three species is it?"""
