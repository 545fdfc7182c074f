"""The files of an evaluation: TFMA's results, by the names that its loaders look for, and the names of classes.

::

    metrics-00000-of-00001.tfrecord    MetricsForSlice, one for each slice
    plots-00000-of-00001.tfrecord      PlotsForSlice
    attributions-...                   AttributionsForSlice
    validations.tfrecord               one ValidationResult
    eval_config.json                   EvalRun as JSON: what was evaluated
    classes.json                       {"format": 1, "classes": ["cash", "credit card"]}, where classes have names

Stock TFX may write Parquet in the place of TFRecords.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import DecodeError

from headrace.files import matching
from headrace.formats import json_files
from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord

METRICS, PLOTS, ATTRIBUTIONS, VALIDATIONS = "metrics", "plots", "attributions", "validations"
CONFIG_FILE = "eval_config.json"
CLASSES_FILE = "classes.json"
CLASSES_FORMAT = 1
DEFAULT_BASELINE = "baseline"
_PROTOS = {METRICS: "MetricsForSlice", PLOTS: "PlotsForSlice"}
_BATCH_ROWS = 1_000


def write_table(folder: str, table: str, records: Sequence[bytes]) -> None:
    """Write one kind of results, one serialized proto for each slice.

    Args:
        folder: Of the evaluation; it exists.
        table: `METRICS`, `PLOTS` or `ATTRIBUTIONS`.
        records: The protos.
    """
    with tfrecord.Writer(os.path.join(folder, f"{table}-00000-of-00001.tfrecord")) as writer:
        writer.write(list(records))


def write_validation(folder: str, record: bytes) -> None:
    """Write the serialized `ValidationResult` of the evaluation."""
    with tfrecord.Writer(os.path.join(folder, f"{VALIDATIONS}.tfrecord")) as writer:
        writer.write([record])


def write_config(folder: str, run: dict[str, Any]) -> None:
    """Write what was evaluated: an `EvalRun` as JSON."""
    json_files.write(os.path.join(folder, CONFIG_FILE), run, indent=2)


def write_class_names(folder: str, names: Sequence[str]) -> None:
    """Write the names of the classes 0, 1, 2 ..."""
    json_files.write_numbered(os.path.join(folder, CLASSES_FILE), {"classes": list(names)}, CLASSES_FORMAT)


def read_table(folder: str, table: str) -> Iterator[Any]:
    """Yield the messages of one kind of results.

    Args:
        folder: Of the evaluation.
        table: `METRICS` or `PLOTS`.

    Raises:
        MalformedFileError: If a file is damaged.
    """
    proto = proto_class(_PROTOS[table])
    for path in matching(os.path.join(glob.escape(folder), f"{table}*")):
        for batch in _batches(path):
            for record in batch:
                try:
                    message = proto.FromString(record)
                except DecodeError as error:
                    raise json_files.damaged(path, f"a file of TFMA's {table}", error) from error
                yield message


def _batches(path: str) -> Iterator[list[bytes]]:
    if path.endswith(".parquet"):
        import pyarrow.parquet as pq

        yield pq.read_table(path, columns=["serialized_value"]).column(0).to_pylist()
    else:
        yield from tfrecord.read_batches(path, _BATCH_ROWS)


def read_class_names(folder: str) -> tuple[str, ...]:
    """Return the names of the classes 0, 1, 2 ...; none where labels and predictions were numbers.

    Raises:
        MalformedFileError: If the file does not hold names, or a newer Headrace wrote it in another form.
    """
    path = os.path.join(folder, CLASSES_FILE)
    if not os.path.exists(path):
        return ()
    names = json_files.read_numbered(path, "a list of classes", CLASSES_FORMAT).get("classes")
    if not isinstance(names, list):
        raise json_files.damaged(path, "a list of classes", f"'classes' is a {type(names).__name__}")
    return tuple(str(name) for name in names)


def read_eval_config(folder: str) -> dict[str, Any]:
    """Return the `EvalConfig` that was evaluated, in its JSON form; empty where none is told.

    Raises:
        MalformedFileError: If the file does not hold an `EvalRun`.
    """
    path = os.path.join(folder, CONFIG_FILE)
    if not os.path.exists(path):
        return {}
    config = json_files.read_object(path, "an EvalRun").get("evalConfig", {})
    if not isinstance(config, dict):
        raise json_files.damaged(path, "an EvalRun", f"'evalConfig' is a {type(config).__name__}")
    return config


def read_metric_names(folder: str) -> list[str]:
    """Return the names that metrics are given in the `EvalConfig`, in its order; none of those that are not given one."""
    try:
        specs = read_eval_config(folder).get("metricsSpecs", [])
        texts = [metric.get("config", "") for spec in specs for metric in spec.get("metrics", [])]
        # The inside of a JSON object, as TFMA has it; the whole object is taken as well.
        found = [json.loads(text if text.lstrip().startswith("{") else f"{{{text}}}") for text in texts]
    except (AttributeError, TypeError, ValueError):
        return []
    return [str(one["name"]) for one in found if "name" in one]


def read_baseline_name(folder: str) -> str:
    """Return the name of the baseline model, which is the user's own choice; TFMA's usual one where none is told.

    Raises:
        MalformedFileError: If the file does not hold an `EvalRun`.
    """
    path = os.path.join(folder, CONFIG_FILE)
    if not os.path.exists(path):
        return DEFAULT_BASELINE
    run = json_files.read_object(path, "an EvalRun")
    try:
        specs = run.get("evalConfig", {}).get("modelSpecs", [])
        return next((str(spec.get("name", "")) for spec in specs if spec.get("isBaseline")), DEFAULT_BASELINE)
    except (AttributeError, TypeError) as error:
        raise json_files.damaged(path, "an EvalRun", error) from error
