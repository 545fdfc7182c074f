"""Whether the Trainer's input keeps the model busy: the time of a step, against one batch that lies in memory.

::

    make bench STAGES=training
    make bench STAGES=training ROWS=1000000

The model is the taxi pipeline's, with its batch size. The rows come as the Trainer feeds them: from memory, and
streamed from their files as it does where they do not fit. The kinds take turns, and the median time counts.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import sys
import time
from typing import Any

from measurement import measure
from stage_process import STAGES, artifact, execute
from taxi_data import write_csv

_HERE = os.path.dirname(os.path.abspath(__file__))
_STEPS = 500
_ROUNDS = 7


def table(folder: str, num_rows: int) -> str:
    """Prepare the data in a folder, measure, and return the table as Markdown."""
    write_csv(os.path.join(folder, "data"), num_rows)
    command = [sys.executable, "-W", "ignore", f"{_HERE}/training_input.py", folder]
    log = os.path.join(folder, "log.txt")
    measured = measure(command, folder, {"TF_CPP_MIN_LOG_LEVEL": "2"}, log)
    if measured.exit_code:
        raise SystemExit(f"training failed: see {log}")
    found: dict[str, float] = json.loads(measured.output.splitlines()[-1])
    base = next(iter(found.values()))
    lines = [f"| {num_rows:,} rows, fed | ms a step | of the first |", "|---|---:|---:|"]
    lines += [f"| {title} | {1000 * one:.3f} | {one / base:.2f} |" for title, one in found.items()]
    return "\n".join(lines)


def _measure(folder: str) -> dict[str, float]:
    """Return the seconds of a training step by the way in which rows are fed."""
    import tensorflow as tf

    from headrace.models.keras_models import arrange
    from headrace.training import short_form

    context = _context(folder)
    settings = short_form.Settings.read(context)
    source = short_form.open_source(context)
    model = short_form.build(_build_model(), source, {}, settings)
    names = short_form.input_features(model, source, settings.node_id)
    rows, _ = short_form.read_rows(context, settings, source, names)
    short_form.compile_if_needed(model, rows.label_range, {}, settings.node_id)

    def place(columns: dict[str, Any]) -> Any:
        return arrange(model, columns)

    def batches(fed: Any) -> Any:
        return fed.batches(settings.batch_size, place, settings.seed)

    kept = next(iter(batches(rows)))
    feeds = {
        "one batch from memory": tf.data.Dataset.from_tensors(kept).repeat(),
        "by the Trainer, from memory": batches(rows),
        "by the Trainer, streamed": batches(dataclasses.replace(rows, columns=None)),
    }
    seconds: dict[str, list[float]] = {title: [] for title in feeds}
    for _ in range(_ROUNDS + 1):
        for title, feed in feeds.items():
            watch = _watch()
            model.fit(feed, steps_per_epoch=_STEPS, epochs=1, verbose=0, callbacks=[watch])
            seconds[title].append(watch.seconds_per_step())
    # The first round compiles and fills buffers.
    return {title: statistics.median(times[1:]) for title, times in seconds.items()}


def _watch() -> Any:
    """A callback of Keras, which is heavy to import."""
    import keras

    class Watch(keras.callbacks.Callback):
        """Times the steps of an epoch but the first tenth, in which a feed begins."""

        def __init__(self) -> None:
            super().__init__()
            self._started = self._ended = 0.0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == _STEPS // 10:
                self._started = time.perf_counter()
            self._ended = time.perf_counter()

        def seconds_per_step(self) -> float:
            return (self._ended - self._started) / (_STEPS - 1 - _STEPS // 10)

    return Watch()


def _build_model() -> Any:
    from headrace.pipelines.taxi.model import build_model

    return build_model


def _context(folder: str) -> Any:
    """What the Trainer's executor would be given."""
    from headrace.runtime.context import ExecutionContext

    for name in ("CsvExampleGen", "StatisticsGen", "SchemaGen", "Transform"):
        if not os.path.isdir(os.path.join(folder, "ours", name)):
            execute("ours", name, folder)
    stage = STAGES["Trainer"]
    declared = stage.declare(folder).exec_properties
    inputs = {
        key: [artifact(STAGES[source].outputs[output], os.path.join(folder, "ours", source, output))]
        for key, (source, output) in stage.inputs.items()
    }
    properties = {key: value for key, value in declared.items() if value is not None}
    return ExecutionContext("Trainer", inputs, {}, properties, os.path.join(folder, "tmp"))


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])), flush=True)
    os._exit(0)
