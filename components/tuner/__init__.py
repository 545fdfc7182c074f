"""Tuner: searches hyperparameters for a Trainer."""

from headrace.components.tuner.component import Tuner

__all__ = ["Tuner"]
