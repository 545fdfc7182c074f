"""Rows of an Examples artifact in plain Python, without TensorFlow: enough for a page of them."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterator
from typing import Any

from headrace.authoring import Artifact
from headrace.formats import artifacts
from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord
from headrace.reports.blocks.blocks import Cell, Value
from headrace.reports.blocks.numbers import format_number
from headrace.ui.units import format_bytes

Row = dict[str, list[Any]]

_IMAGES = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "webp"))
_THUMBNAIL_PIXELS = 96
_MAX_IMAGE_BYTES = 40_000
_MAX_VALUES = 24
# Beyond this a text is cut: a page of documents would otherwise hold the data set.
_MAX_CHARACTERS = 20_000


def read_rows(examples: Artifact, split: str, limit: int) -> list[Row]:
    """Return the first rows of a split: feature name to its values; an empty list where it is missing.

    Raises:
        EmptyDataError: If the split has no file.
    """
    return list(itertools.islice(_rows(examples, split, limit), limit))


def _rows(examples: Artifact, split: str, limit: int) -> Iterator[Row]:
    payload = artifacts.payload_format(examples)
    for path in artifacts.split_files(examples, split):
        if payload == "FORMAT_PARQUET":
            from headrace.formats import parquet_files

            for batch in parquet_files.read_batches(path, limit):
                for row in batch.to_pylist():
                    yield {name: _listed(value) for name, value in row.items()}
        else:
            is_sequence = payload == "FORMAT_TF_SEQUENCE_EXAMPLE"
            for records in tfrecord.read_batches(path, limit):
                for record in records:
                    yield _sequence(record) if is_sequence else parse_example(record)


def parse_example(record: bytes) -> Row:
    """Return the features of one serialized tf.Example, by name."""
    return _features(proto_class("Example").FromString(record).features.feature)


def _sequence(record: bytes) -> Row:
    proto = proto_class("SequenceExample").FromString(record)
    row = _features(proto.context.feature)
    for name in sorted(proto.feature_lists.feature_list):
        steps = proto.feature_lists.feature_list[name].feature
        row[name] = [value for step in steps for value in _values(step)]
    return row


def _features(features: Any) -> Row:
    return {name: _values(features[name]) for name in sorted(features)}


def _values(feature: Any) -> list[Any]:
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def columns_of(rows: list[Row]) -> list[str]:
    """Return the features of some rows, by name."""
    return sorted({name for row in rows for name in row})


def value_cell(values: list[Any]) -> Value:
    """Return the values of a feature in a row as a cell: an image as thumbnail, text in full."""
    if not values:
        return Cell("–")
    if len(values) == 1:
        return _single(values[0])
    shown = [_single(value) for value in values[:_MAX_VALUES]]
    text = ", ".join(cell.text for cell in shown)
    more = f", … {len(values):,} values" if len(values) > _MAX_VALUES else ""
    # Of several images the first is shown, and all are named.
    return Cell(f"[{text}{more}]", image=shown[0].image)


def _single(value: Any) -> Cell:
    if isinstance(value, bytes):
        for start, kind in _IMAGES:
            if value.startswith(start) and (kind != "webp" or value[8:12] == b"WEBP"):
                return Cell(f"{kind} image, {format_bytes(len(value))}", image=_thumbnail(value, kind))
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            return Cell(f"{format_bytes(len(value))}: {value[:16].hex(' ')}{' …' if len(value) > 16 else ''}")
    if isinstance(value, str):
        cut = len(value) > _MAX_CHARACTERS
        return Cell(f"{value[:_MAX_CHARACTERS]} … ({len(value):,} characters)" if cut else value)
    return Cell(format_number(value, 6) if isinstance(value, float) else str(value), is_number=True)


def _thumbnail(data: bytes, kind: str) -> str:
    """Return a small copy as a `data:` address; empty where the image is damaged or cannot be made small."""
    try:
        from PIL import Image

        with Image.open(io.BytesIO(data)) as image:
            image.thumbnail((_THUMBNAIL_PIXELS, _THUMBNAIL_PIXELS))
            out = io.BytesIO()
            image.convert("RGBA" if image.mode in ("P", "LA", "RGBA") else "RGB").save(out, "PNG")
            data, kind = out.getvalue(), "png"
    except Exception:  # Pillow has an exception for each way in which a file can be damaged
        if len(data) > _MAX_IMAGE_BYTES:
            return ""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
