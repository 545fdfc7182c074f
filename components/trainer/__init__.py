"""Trainer: trains a Keras model and exports it for serving."""
