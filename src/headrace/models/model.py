"""A trained model, loaded: the one way in which components ask it.

::

    with model.load(path, where="BulkInferrer") as loaded:
        outputs = loaded.predict(records)
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import TracebackType

from headrace.errors import ModelError, ModelInputError
from headrace.models import inputs
from headrace.models.inputs import Arrays, Batch
from headrace.models.runner import OpenRunner, Refused, Runner
from headrace.models.saved_model import SavedModel
from headrace.models.signatures import SERVING, SERVING_TAG, Signature, check_exists
from headrace.runtime import messages


class Model:
    """A model that can be asked; a context manager that lets go of it.

    Args:
        files: Its files.
        signatures: What can be called, by name.
        runner: What runs it.
        where: Node, and role of the model, for messages.
        load_seconds: How long it took to load.
    """

    def __init__(
        self,
        files: SavedModel,
        signatures: Mapping[str, Signature],
        runner: Runner,
        where: str,
        load_seconds: float,
    ) -> None:
        self.files = files
        self.signatures = signatures
        self.load_seconds = load_seconds
        self._runner = runner
        self._where = where

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what it holds in memory."""
        self._runner.close()

    def predict(self, batch: Batch, signature: str = SERVING) -> Arrays:
        """Return what a signature gives for a batch, by name: each with one row for each of the batch.

        Args:
            batch: Serialized tf.Examples, an Arrow record batch, or tensors by name; see `inputs`.
            signature: Which one to call.

        Raises:
            ModelError: If there is no such signature, it fails, gives nothing, or another number of rows.
            ModelInputError: If the batch is not what it takes.
        """
        outputs = self.call(batch, signature)
        if not outputs:
            raise ModelError(
                f"{self._where}: signature '{signature}' of the model gives no output.",
                "export a signature that returns its predictions, or name another one.",
            )
        rows = inputs.num_rows(batch)
        for name, output in outputs.items():
            if output.ndim < 1 or output.shape[0] != rows:
                raise ModelError(
                    f"{self._where}: output '{name}' of signature '{signature}' has shape {output.shape} for {rows} "
                    "examples.",
                    "export a signature whose outputs have one row for each example.",
                )
        return outputs

    def call(self, batch: Batch, signature: str = SERVING) -> Arrays:
        """Return what a signature gives for a batch, of whatever shape; see `predict`."""
        check_exists(signature, self.signatures, f"{self._where}: the model", "the signature's name")
        called = self.signatures[signature]
        arrays = inputs.arrays(batch, called, self._where)
        try:
            return self._runner.run(called, arrays)
        except Refused as refused:
            told = messages.concise_text(refused.text)
            if refused.is_about_input:
                raise ModelInputError(
                    f"{self._where}: signature '{signature}' of the model cannot read the batch: {told}",
                    "give rows of the schema with which the model was trained.",
                ) from refused
            raise ModelError(
                f"{self._where}: signature '{signature}' of the model failed: {refused.kind}: {told}",
                "look at the model's operations; for lack of memory, give fewer rows at a time.",
            ) from refused


def load(path: str, *, where: str, tags: Iterable[str] = (), open_runner: OpenRunner | None = None) -> Model:
    """Load a model.

    Args:
        path: Folder of the SavedModel.
        where: Node, and role of the model, for messages.
        tags: Of its graph; empty for `serve`.
        open_runner: What is to run it; TensorFlow where none is given.

    Raises:
        ModelError: If there is no model, or it cannot be loaded.
    """
    files = SavedModel(path, where)
    wanted = list(tags) or [SERVING_TAG]
    signatures = files.tagged_signatures(wanted, "the tags")
    if open_runner is None:
        from headrace.models import tensorflow_runner

        open_runner = tensorflow_runner.TensorFlowRunner
    started = time.perf_counter()
    try:
        runner = open_runner(path, wanted)
    except Refused as refused:
        raise ModelError(
            f"{where}: the model ({path}) cannot be loaded: {refused.kind}: {messages.concise_text(refused.text)}",
            "look whether all its files are there, and export it again.",
        ) from refused
    return Model(files, signatures, runner, where, time.perf_counter() - started)
