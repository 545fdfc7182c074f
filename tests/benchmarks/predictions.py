"""Rows a second of a model asked through `headrace.models`, beside TensorFlow's own two ways to ask it.

::

    make bench STAGES=predictions
    python tests/benchmarks/predictions.py MODEL EXAMPLES     a SavedModel, and a folder of TFRecord files

All ways are asked for the same batches of serialized examples in one process, in a random order; the least time of a
batch counts. `signature` is the function of a model that `tf.saved_model.load` loaded, `session` a session of TensorFlow 1.
Answers must be those of the signature, bit for bit; those of the session may be rounded otherwise.
"""

from __future__ import annotations

import glob
import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from measurement import measure
from taxi_data import write_csv

_HERE = os.path.dirname(os.path.abspath(__file__))
_STAGES = ("CsvExampleGen", "StatisticsGen", "SchemaGen", "Transform", "Trainer")
_BATCHES = (1, 32, 4_096)
_SECONDS_FOR_A_BATCH = 4.0
_WAYS = ("signature", "session", "headrace.models")

Ask = Callable[[list[bytes]], Any]


def table(folder: str, num_rows: int) -> str:
    """Prepare a model in a folder, measure, and return the table as Markdown."""
    write_csv(os.path.join(folder, "data"), num_rows)
    for name in _STAGES:
        if not os.path.isdir(os.path.join(folder, "ours", name)):
            _run(["stage_process.py", "ours", name, folder], folder)
    model = os.path.join(folder, "ours", "Trainer", "model", "Format-Serving")
    examples = os.path.join(folder, "ours", "CsvExampleGen", "examples", "Split-train")
    found: dict[str, dict[str, float]] = json.loads(_run(["predictions.py", model, examples], folder))
    head = " | ".join(f"{way} rows/s" for way in _WAYS)
    lines = [f"| rows a batch | {head} | of signature | of session |", f"|---:|{'---:|' * (len(_WAYS) + 2)}"]
    for rows, seconds in found.items():
        rates = [f"{int(rows) / seconds[way]:,.0f}" for way in _WAYS]
        ratios = [f"{seconds[way] / seconds[_WAYS[-1]]:.2f}" for way in _WAYS[:-1]]
        lines.append(f"| {int(rows):,} | {' | '.join([*rates, *ratios])} |")
    return "\n".join(lines)


def _run(arguments: list[str], folder: str) -> str:
    script, *rest = arguments
    log = os.path.join(folder, "log.txt")
    command = [sys.executable, "-W", "ignore", os.path.join(_HERE, script), *rest]
    measured = measure(command, folder, {"TF_CPP_MIN_LOG_LEVEL": "2"}, log)
    if measured.exit_code:
        raise SystemExit(f"{' '.join(arguments[:3])} failed: see {log}")
    return measured.output.splitlines()[-1]


def _measure(model_path: str, examples_path: str) -> dict[str, dict[str, float]]:
    """Return the least seconds of a batch by its rows and by way of asking."""
    records = _records(examples_path, max(_BATCHES))
    ways = _ways(model_path)
    found: dict[str, dict[str, float]] = {}
    for rows in _BATCHES:
        batch = (records * -(-rows // len(records)))[:rows]
        answers = [ask(batch) for ask in ways.values()]
        if _bits(answers[-1]) != _bits(answers[0]):
            raise SystemExit(f"the answers for {rows} rows are not those of the signature")
        _check_near(answers[1], answers[0])
        found[str(rows)] = _least_seconds(ways, batch)
    return found


def _least_seconds(ways: dict[str, Ask], batch: list[bytes]) -> dict[str, float]:
    least = dict.fromkeys(ways, float("inf"))
    ending = time.perf_counter() + _SECONDS_FOR_A_BATCH
    order, chance = list(ways), random.Random(1)
    while time.perf_counter() < ending:
        # Who follows its own kind finds what it needs in the processor's caches.
        chance.shuffle(order)
        for way in order:
            started = time.perf_counter()
            ways[way](batch)
            least[way] = min(least[way], time.perf_counter() - started)
    return least


def _ways(model_path: str) -> dict[str, Ask]:
    import tensorflow as tf

    from headrace.models.model import load

    session = tf.compat.v1.Session(graph=tf.Graph())
    graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], model_path)
    definition = graph.signature_def["serving_default"]
    (key, given), outputs = *definition.inputs.items(), definition.outputs
    names = {name: outputs[name].name for name in sorted(outputs)}
    function = tf.saved_model.load(model_path).signatures["serving_default"]
    model = load(model_path, where="benchmark")
    return {
        "signature": lambda batch: {
            name: output.numpy() for name, output in function(**{key: tf.constant(batch)}).items()
        },
        "session": lambda batch: session.run(names, {given.name: batch}),
        "headrace.models": model.predict,
    }


def _bits(answer: Any) -> dict[str, bytes]:
    return {name: answer[name].tobytes() for name in sorted(answer)}


def _check_near(found: Any, wanted: Any) -> None:
    import numpy as np

    for name, values in wanted.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(found[name], values)


def _records(folder: str, count: int) -> list[bytes]:
    from headrace.formats.examples import tfrecord

    found: list[bytes] = []
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*"))):
        for records in tfrecord.read_batches(path, count):
            found += records
            if len(found) >= count:
                return found
    return found


if __name__ == "__main__":
    print(json.dumps(_measure(*sys.argv[1:3])), flush=True)
    os._exit(0)
