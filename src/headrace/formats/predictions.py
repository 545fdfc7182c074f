"""InferenceResult: the prediction logs of a BulkInferrer, in TFRecord files. The name is TFX's."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError

from headrace.files import matching
from headrace.formats import json_files
from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord

_PREFIX = "prediction_logs"


def log_path(folder: str) -> str:
    """Return the path of the prediction logs in `folder` without the parts of its name that count the files."""
    return os.path.join(folder, _PREFIX)


def files(folder: str) -> list[str]:
    """Return the files of prediction logs, sorted; Beam writes as many as it has bundles, some of them empty."""
    return matching(f"{glob.escape(log_path(folder))}*")


def read(folder: str, batch_rows: int) -> Iterator[Any]:
    """Yield the `PredictionLog` of each request.

    Args:
        folder: Of the artifact.
        batch_rows: How many are read at once.

    Raises:
        MalformedFileError: If a file is damaged.
    """
    kind = proto_class("PredictionLog")
    for path in files(folder):
        for batch in tfrecord.read_batches(path, batch_rows):
            for record in batch:
                try:
                    log = kind.FromString(record)
                except DecodeError as error:
                    raise json_files.damaged(path, "a file of prediction logs", error) from error
                yield log
