"""Checks of rows, beyond what statistics tell: one module for each kind that `headrace.checks` offers."""
