"""Tuner: searches hyperparameters for a Trainer."""
