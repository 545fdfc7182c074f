"""Normalization layers that were not adapted: `build_model` sees no rows, so they are adapted to those it trains on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from headrace.runtime.progress import Progress
from headrace.training.datasets import Rows

_BATCH_SIZE = 4096
_log = logging.getLogger(__name__)


def adapt(model: keras.Model, rows: Rows, arrange: Callable[[Any], Any], progress: Progress) -> None:
    """Adapt each `keras.layers.Normalization` that takes an input of the model and has neither mean nor data seen.

    Args:
        model: Built.
        rows: To train on.
        arrange: Puts their columns in the structure in which the model takes its inputs.
        progress: Is told of it.
    """
    for place, layer in _unadapted(model):
        progress.report(f"adapting {layer.name}")

        @tf.autograph.experimental.do_not_convert
        def chosen(inputs: Any, label: Any, place: int = place) -> Any:
            return keras.tree.flatten(inputs)[place]

        layer.adapt(rows.batches_once(min(_BATCH_SIZE, rows.num_rows), arrange).map(chosen))
        _log.info("%s: mean and variance are those of the %d rows to train on.", layer.name, rows.num_rows)


def _unadapted(model: keras.Model) -> Iterator[tuple[int, Any]]:
    """Yield such layers, each with the number of the input that it takes."""
    inputs = list(getattr(model, "inputs", None) or [])
    for layer in getattr(model, "layers", None) or []:
        if not isinstance(layer, keras.layers.Normalization) or not layer.built or not _is_as_made(layer):
            continue
        if isinstance(model, keras.Sequential):
            if layer is model.layers[0]:
                yield 0, layer
            continue
        taken = getattr(layer, "input", None)
        yield from ((place, layer) for place, tensor in enumerate(inputs) if tensor is taken)


def _is_as_made(layer: keras.layers.Normalization) -> bool:
    mean, variance = getattr(layer, "adapt_mean", None), getattr(layer, "adapt_variance", None)
    if layer.input_mean is not None or mean is None or variance is None:
        return False
    return not np.any(mean.numpy()) and bool(np.all(variance.numpy() == 1))
