"""InferenceResult: the first predictions beside what they were made from."""

from __future__ import annotations

import glob
import os
from typing import Any

from headrace.io import tfrecord
from headrace.io.bare_protos import proto_class
from headrace.metadata.subjects import Subject
from headrace.reports.blocks import Block, Facts, Note, Table, Value
from headrace.reports.numbers import format_number, plural
from headrace.reports.rows import columns_of, parse_example, value_cell

_ROWS = 20
_MAX_VALUES = 8


def render(subject: Subject) -> list[Block]:
    """Return the first predictions; where the result is Examples, its rows."""
    files = sorted(glob.glob(os.path.join(glob.escape(subject.artifact.uri), "prediction_logs*")))
    records = [record for path in files[:1] for batch in _first(path) for record in batch][:_ROWS]
    if not records:
        text = subject.info.summary or "There are no prediction logs in this artifact."
        return [Note(text, "warning")]
    pairs = [pair for record in records for pair in _pairs(proto_class("PredictionLog").FromString(record))][
        :_ROWS
    ]
    outputs = list(dict.fromkeys(name for _, predicted in pairs for name in predicted))
    inputs = columns_of([row for row, _ in pairs])
    rows: list[list[Value]] = [
        [
            number,
            *[predicted.get(name, "–") for name in outputs],
            *[value_cell(row.get(name, [])) for name in inputs],
        ]
        for number, (row, predicted) in enumerate(pairs, 1)
    ]
    facts = Facts([("holds", subject.info.summary or "–"), ("files", len(files))])
    columns = ["row", *[f"{name} (predicted)" for name in outputs], *inputs]
    return [
        facts,
        Table(
            columns,
            rows,
            caption="First predictions",
            footnote=f"The first {plural(len(rows), 'prediction')}.",
        ),
    ]


def _first(path: str) -> Any:
    for batch in tfrecord.read_batches(path, _ROWS):
        yield batch
        return


def _pairs(log: Any) -> list[tuple[dict[str, list[Any]], dict[str, str]]]:
    which = log.WhichOneof("log_type")
    if which == "predict_log":
        request, response = log.predict_log.request, log.predict_log.response
        records = [record for tensor in request.inputs.values() for record in tensor.string_val]
        outputs = {
            name: _rows_of(response.outputs[name], max(len(records), 1)) for name in sorted(response.outputs)
        }
        rows = [_row(record) for record in records] or [{}]
        return [
            (row, {name: values[at] for name, values in outputs.items() if at < len(values)})
            for at, row in enumerate(rows)
        ]
    if which in ("classify_log", "regress_log"):
        one = getattr(log, which)
        examples = one.request.input.example_list.examples
        results = one.response.result
        texts = (
            [
                ", ".join(f"{c.label or at}: {format_number(c.score)}" for at, c in enumerate(r.classes))
                for r in results.classifications
            ]
            if which == "classify_log"
            else [format_number(r.value) for r in results.regressions]
        )
        return [(_row(e.SerializeToString()), {"result": text}) for e, text in zip(examples, texts)]
    return [({}, {"log": which or "empty"})]


def _row(record: bytes) -> dict[str, list[Any]]:
    try:
        return parse_example(record)
    except Exception:  # not a tf.Example: models may take any string
        return {"input": [record]}


def _rows_of(tensor: Any, num_rows: int) -> list[str]:
    values: list[Any] = next(
        (list(value) for field, value in tensor.ListFields() if field.name.endswith("_val") and len(value)),
        [],
    )
    if not values and tensor.tensor_content:
        return [f"{len(tensor.tensor_content)} bytes"] * num_rows
    # A tensor of equal values holds one.
    size = 1
    for dimension in tensor.tensor_shape.dim:
        size *= dimension.size
    if len(values) < size and values:
        values += [values[-1]] * (size - len(values))
    per_row = max(len(values) // num_rows, 1)
    return [_text(values[at * per_row : (at + 1) * per_row]) for at in range(num_rows)]


def _text(values: list[Any]) -> str:
    texts = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else format_number(value)
        for value in values[:_MAX_VALUES]
    ]
    more = ", …" if len(values) > _MAX_VALUES else ""
    return texts[0] if len(values) == 1 else f"[{', '.join(texts)}{more}]"
