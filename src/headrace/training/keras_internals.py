"""Private parts of Keras that training uses; where they are not as known, what they add is left out."""

from __future__ import annotations

import contextlib
from typing import Any

import keras

# Keras's TensorBoard imports it in the first step, 0.1 s; here it is of what workers find loaded.
import tensorboard.summary  # noqa: F401
import tensorflow as tf

_GLOBAL_SEED = "global_seed_generator"


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras', whose files can be brought up to date, and whose histograms have names of their own.

    Keras 3 names the weights of all dense layers `kernel` and `bias`, so that their histograms become one.
    """

    def flush(self) -> None:
        """Write what waits in memory to the files."""
        for writer in getattr(self, "_writers", {}).values():
            writer.flush()

    def _log_weights(self, epoch: int) -> None:
        """Called by Keras where `histogram_freq` says so."""
        with self._train_writer.as_default():
            for weight in self.model.weights:
                name = weight.path
                tf.summary.histogram(f"{name}/histogram", weight.value, step=epoch)
                if self.write_images:
                    self._log_weight_as_image(weight, f"{name}/image", epoch)
            self._train_writer.flush()


def global_seed() -> Any:
    """Return the state of the generator from which Keras draws where a layer has none of its own; `None` without one."""
    state = _global_seed_variable()
    return None if state is None else state.numpy()


def set_global_seed(value: Any) -> None:
    """Give that generator a state."""
    if value is None:
        return
    if _global_seed_variable() is None:
        with contextlib.suppress(ImportError, AttributeError):
            from keras.src.random.seed_generator import global_seed_generator

            global_seed_generator()
    state = _global_seed_variable()
    if state is not None and state.shape == value.shape:
        state.assign(value)


def _global_seed_variable() -> tf.Variable | None:
    try:
        from keras.src.backend.common import global_state

        generator: Any = global_state.get_global_attribute(_GLOBAL_SEED)
    except (ImportError, AttributeError):
        return None
    state = getattr(getattr(generator, "state", None), "value", None)
    return state if isinstance(state, tf.Variable) else None
