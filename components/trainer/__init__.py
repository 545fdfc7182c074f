"""Trainer: trains a Keras model and exports it for serving."""

from headrace.components.trainer.component import Trainer

__all__ = ["Trainer"]
