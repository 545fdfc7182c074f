"""What a training that was killed goes on from: everything that decides about the steps to come.

A checkpoint is kept after an epoch, not more often than costs a fiftieth of the time, under a name that stands for
code, parameters, data and libraries (`PartialResults.path`): it is found by the same work alone. It holds the variables
of model and optimizers, among them the states of Keras' seed generators; the random states of Python and numpy; what
callbacks have noted in plain values since training began; the history; and the files that callbacks wrote. The order
of rows and their changes follow from the number of the batch. What TensorFlow's stateful random operations drew
(`tf.random.uniform` in a layer's `call`, where Keras has `keras.random`) is not known to anybody, and not kept.

The file is a zip of numpy's arrays and JSON; reading it runs no code.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from headrace.files import files_below, read_bytes, whole_files
from headrace.formats import artifacts
from headrace.runtime import partial_results
from headrace.runtime.context import ExecutionContext
from headrace.training import keras_internals, plain_state

_log = logging.getLogger(__name__)

SECONDS_BETWEEN = 5.0
# A checkpoint may take this share of the time.
_SHARE = 0.02
_FORMAT = 1
_META = "meta.json"
_EPOCHS, _HISTORY, _CALLBACKS, _RANDOM = "epochs", "history", "callbacks", "random"
_KINDS, _SHAPES = "kinds", "shapes"


def place(context: ExecutionContext, *parts: str) -> str:
    """Return where the checkpoint of a node's training is, or would be; empty where none can be kept.

    Args:
        context: Of the node.
        parts: What tells one training of the node from another, such as the hyperparameters of a trial.
    """
    digests = []
    for key, several in sorted(context.inputs.items()):
        for one in several:
            digest = artifacts.content_digest(one)
            if not digest:
                return ""
            digests += [key, digest]
    content = hashlib.sha256("\0".join(digests).encode()).hexdigest()
    path = context.partial_results.path(content, "training", str(_FORMAT), *parts)
    return path + partial_results.CHECKPOINT if path else ""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read, whose arrays are read when they are asked for.

    Attributes:
        epochs: Epochs that were done.
        history: Values of loss and metrics, one for each of them.
    """

    epochs: int
    history: dict[str, list[float]]
    _meta: Mapping[str, Any] = field(repr=False)
    _path: str = field(repr=False)

    def fits(self, model: keras.Model, callbacks: Sequence[Any]) -> bool:
        """Whether it is of such a model and such callbacks; variables of model and optimizer must exist."""
        shapes = [tuple(variable.shape.as_list()) for variable in _variables(model)]
        kinds = [plain_state.class_path(one) for one in callbacks]
        return shapes == [tuple(one) for one in self._meta[_SHAPES]] and kinds == self._meta[_KINDS]

    def restore(self, model: keras.Model, callbacks: Sequence[Any]) -> None:
        """Give model, callbacks and random states what they had; it must fit them."""
        with zipfile.ZipFile(self._path) as file:

            def array(name: str) -> Any:
                return _array(file, name)

            for number, variable in enumerate(_variables(model)):
                value, kind = array(f"variable/{number}"), variable.dtype.as_numpy_dtype
                # numpy has no name for a type such as bfloat16.
                variable.assign(value.view(kind) if value.dtype.kind == "V" else value)
            for callback, state in zip(callbacks, plain_state.loaded(self._meta[_CALLBACKS], array)):
                plain_state.give(callback, state)
            drawn = plain_state.loaded(self._meta[_RANDOM], array)
        random.setstate(drawn["python"])
        np.random.set_state(drawn["numpy"])
        keras_internals.set_global_seed(drawn["keras"])

    def put_files(self, folder: str) -> None:
        """Write what callbacks had written into their folder."""
        with zipfile.ZipFile(self._path) as file:
            for name in file.namelist():
                inner = name.removeprefix("files/")
                path = os.path.normpath(os.path.join(folder, inner))
                if inner != name and path.startswith(os.path.join(folder, "")):
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    whole_files.write_whole(path, file.read(name))


def read(path: str) -> Checkpoint | None:
    """Return the checkpoint at a path of `place`; `None` where there is none, or it is damaged, which removes it."""
    if not path or not os.path.exists(path):
        return None
    try:
        with zipfile.ZipFile(path) as file:
            if file.testzip() is None:
                meta = json.loads(file.read(_META))
                return Checkpoint(int(meta[_EPOCHS]), dict(meta[_HISTORY]), meta, path)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        _log.warning("A checkpoint of the training cannot be read, so it begins anew: %s", error)
    partial_results.remove(path)
    return None


class Keeper(keras.callbacks.Callback):
    """Keeps checkpoints, and goes on from one; the last of the callbacks whose state is kept.

    Args:
        path: Where; see `place`. Nothing is kept where it is empty.
        others: The other callbacks, in their order.
        folder: What they write into; empty for nowhere.
        found: The checkpoint to go on from.

    Attributes:
        history: Values of loss and metrics, one for each epoch, those before the checkpoint among them.
    """

    def __init__(self, path: str, others: Sequence[Any], folder: str, found: Checkpoint | None) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = dict(found.history) if found else {}
        self._path = path
        self._others = list(others)
        self._folder = folder
        self._found = found
        self._before: list[dict[str, Any]] = []
        self._kept_at = 0.0
        self._pause = SECONDS_BETWEEN

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore what was kept, after the other callbacks have begun anew."""
        self._before = [plain_state.of(one) for one in self._others]
        self._kept_at = time.monotonic()
        if self._found is not None:
            self._found.restore(self.model, self._others)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch, and keep a checkpoint where it is time."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        if not self._path or self.model.stop_training or time.monotonic() - self._kept_at < self._pause:
            return
        started = time.monotonic()
        try:
            self._write(epoch + 1)
        except (OSError, ValueError, TypeError) as error:
            # A full disk, or a variable that numpy has no form for: training goes on without.
            _log.warning("No checkpoint of the training can be kept: %s", error)
            self._path = ""
        self._kept_at = time.monotonic()
        self._pause = max(SECONDS_BETWEEN, (self._kept_at - started) / _SHARE)

    def _write(self, epochs: int) -> None:
        for one in self._others:
            if isinstance(one, keras_internals.TensorBoard):
                one.flush()
        arrays: dict[str, Any] = {}
        noted = [
            plain_state.changed(before, plain_state.of(one))
            for before, one in zip(self._before, self._others)
        ]
        drawn = {
            "python": random.getstate(),
            "numpy": np.random.get_state(),
            "keras": keras_internals.global_seed(),
        }
        variables = _variables(self.model)
        meta = {
            _EPOCHS: epochs,
            _HISTORY: self.history,
            _CALLBACKS: plain_state.dumped(noted, "callbacks", arrays),
            _RANDOM: plain_state.dumped(drawn, "random", arrays),
            _KINDS: [plain_state.class_path(one) for one in self._others],
            _SHAPES: [variable.shape.as_list() for variable in variables],
        }
        with partial_results.written(self._path) as target, zipfile.ZipFile(target, "w") as file:
            file.writestr(_META, json.dumps(meta))
            for number, variable in enumerate(variables):
                _put(file, f"variable/{number}", variable.numpy())
            for name, value in arrays.items():
                _put(file, name, value)
            for name in files_below(self._folder) if self._folder else ():
                file.writestr(f"files/{name}", read_bytes(os.path.join(self._folder, name)))


def forget(path: str) -> None:
    """Take a checkpoint away: its training is done."""
    if path:
        partial_results.remove(path)


def _variables(model: keras.Model) -> list[tf.Variable]:
    """Return all that a training step changes for later epochs, in an order that the same code gives again."""
    optimizer = getattr(model, "optimizer", None)
    known = [*model.variables, *(getattr(optimizer, "variables", None) or [])]
    # Of a model with a training step of its own there may be more: further optimizers, moving averages.
    further = [item for item in tf.train.TrackableView(model).descendants() if isinstance(item, tf.Variable)]
    # An epoch begins with metrics of 0, and they may not exist yet.
    metrics = {id(variable.value) for variable in model.metrics_variables}
    found: dict[int, tf.Variable] = {}
    for variable in [*(one.value for one in known), *further]:
        if id(variable) not in metrics:
            found.setdefault(id(variable), variable)
    return list(found.values())


# numpy's functions have no types.
_write_array: Any = np.lib.format.write_array
_read_array: Any = np.lib.format.read_array


def _put(file: zipfile.ZipFile, name: str, value: Any) -> None:
    with file.open(name, "w", force_zip64=True) as part:
        _write_array(part, np.ascontiguousarray(value).reshape(np.shape(value)), allow_pickle=False)


def _array(file: zipfile.ZipFile, name: str) -> Any:
    with file.open(name) as part:
        return _read_array(part, allow_pickle=False)
