"""Pipelines as the command line finds and runs them: ready ones, files, functions, stock scripts."""
