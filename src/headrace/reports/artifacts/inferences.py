"""InferenceResult: the first predictions beside what they were made from."""

from __future__ import annotations

import glob
import itertools
import math
import os
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from headrace.files import matching
from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord
from headrace.reports.blocks.blocks import Block, Facts, Note, Table, Value, to_cell
from headrace.reports.blocks.numbers import format_number
from headrace.reports.blocks.rows import columns_of, parse_example, value_cell
from headrace.store.session import Subject
from headrace.ui.units import plural

_ROWS = 20
_MAX_VALUES = 8
# How `struct` reads what TensorFlow packs into `tensor_content`, by type.
_LETTERS = {
    "DT_HALF": "e",
    "DT_FLOAT": "f",
    "DT_DOUBLE": "d",
    "DT_INT8": "b",
    "DT_UINT8": "B",
    "DT_INT16": "h",
    "DT_UINT16": "H",
    "DT_INT32": "i",
    "DT_UINT32": "I",
    "DT_INT64": "q",
    "DT_UINT64": "Q",
    "DT_BOOL": "?",
}


def render(subject: Subject) -> list[Block]:
    """Return the first predictions; where the result is Examples, its rows."""
    files = matching(os.path.join(glob.escape(subject.artifact.uri), "prediction_logs*"))
    # Beam writes as many files as it has bundles, some of them empty.
    records = list(itertools.islice(_records(files), _ROWS))
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


def _records(paths: Sequence[str]) -> Iterator[bytes]:
    for path in paths:
        for batch in tfrecord.read_batches(path, _ROWS):
            yield from batch


def _pairs(log: Any) -> list[tuple[dict[str, list[Any]], dict[str, str]]]:
    which = log.WhichOneof("log_type")
    if which == "predict_log":
        request, response = log.predict_log.request, log.predict_log.response
        records = [record for tensor in request.inputs.values() for record in tensor.string_val]
        outputs = {
            name: rows_of(response.outputs[name], max(len(records), 1)) for name in sorted(response.outputs)
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


def rows_of(tensor: Any, num_rows: int) -> list[str]:
    """Return each row of a `TensorProto` as text.

    Args:
        tensor: Of any type; of those whose bytes cannot be read, such as bfloat16, only their number is told.
        num_rows: 1 or more.
    """
    kind = proto_class("DataType").Name(tensor.dtype)
    if tensor.tensor_content and kind not in _LETTERS:
        return [f"{len(tensor.tensor_content)} bytes"] * num_rows
    values = _values(tensor, kind)
    # A tensor of equal values holds one.
    size = math.prod(dimension.size for dimension in tensor.tensor_shape.dim)
    if len(values) < size and values:
        values += [values[-1]] * (size - len(values))
    per_row = max(len(values) // num_rows, 1)
    return [_text(values[at * per_row : (at + 1) * per_row]) for at in range(num_rows)]


def _values(tensor: Any, kind: str) -> list[Any]:
    content: bytes = tensor.tensor_content
    if kind == "DT_HALF" and tensor.half_val:
        # Its numbers are the bits of a half each.
        content = struct.pack(f"<{len(tensor.half_val)}H", *tensor.half_val)
    if content:
        letter = _LETTERS[kind]
        return list(struct.unpack(f"<{len(content) // struct.calcsize(letter)}{letter}", content))
    return next(
        (list(value) for field, value in tensor.ListFields() if field.name.endswith("_val") and len(value)),
        [],
    )


def _text(values: list[Any]) -> str:
    texts = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else to_cell(value).text
        for value in values[:_MAX_VALUES]
    ]
    more = ", …" if len(values) > _MAX_VALUES else ""
    return texts[0] if len(values) == 1 else f"[{', '.join(texts)}{more}]"
