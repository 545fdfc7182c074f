"""Whether stock TFX and Headrace made the same of the same data.

::

    python tests/benchmarks/agreement.py STAGE FOLDER

Prints one line, `"equal"` or what differs, for a folder that `stage_process.py` filled for both sides.
Examples are compared as multisets of records, statistics and schemas as protos, transformed rows as
multisets, metrics by slice.
"""

from __future__ import annotations

import glob
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow_data_validation as tfdv
import tensorflow_model_analysis as tfma
from google.protobuf.descriptor import FieldDescriptor
from stage_process import SPLITS, artifact
from tensorflow_metadata.proto.v0 import statistics_pb2

from headrace.formats.examples import examples as examples_io

_FLOAT_TYPES = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)
# float32 sums over a million rows depend on their order by about this much.
_TOLERANCE = 2e-5
# Beyond tens of thousands of rows both sides' quantiles are approximations, within this share of the range
# of ranks (TFDV's default epsilon is 0.01).
_RANK_TOLERANCE = 0.02


class Difference(Exception):
    """Says where the two sides differ."""


def _require(is_equal: bool, where: str, ours: Any = "", stock: Any = "") -> None:
    if not is_equal:
        raise Difference(f"{where}: ours {str(ours)[:80]}, stock {str(stock)[:80]}")


def compare_examples(ours: str, stock: str) -> None:
    """The same records in each split; stock writes a record's features in an order left to chance."""
    for split in SPLITS:
        tables = [_hashed_rows(os.path.join(side, "examples"), split) for side in (ours, stock)]
        _require(len(tables[0]) == len(tables[1]), f"rows of {split}", len(tables[0]), len(tables[1]))
        _require(np.array_equal(*tables), f"records of {split}")


def _hashed_rows(uri: str, split: str) -> Any:
    """One number per row, from all of its features; sorted."""
    found = []
    for batch in examples_io.read_record_batches(artifact("Examples", uri), split, batch_rows=50_000):
        names = sorted(batch.schema.names)
        total = np.zeros(batch.num_rows, np.uint64)
        for name in names:
            column = batch.column(batch.schema.get_field_index(name))
            if not pa.types.is_null(column.type):
                total = total * np.uint64(1_000_003) + _hashed_column(name, column)
        found.append(total)
    return np.sort(np.concatenate(found))


def _hashed_column(name: str, column: Any) -> Any:
    import pandas as pd

    cells = column.to_pandas()
    texts = cells.map(lambda cell: b"" if cell is None or not len(cell) else _text(cell))
    # By name, not by place: a batch may lack a column.
    return pd.util.hash_array((name.encode() + b"=" + texts).to_numpy(object))


def _text(cell: Any) -> bytes:
    return b"\0".join(cell) if isinstance(cell[0], bytes) else np.asarray(cell).tobytes()


def compare_statistics(ours: str, stock: str, key: str = "statistics") -> None:
    """Equal protos, but for the rounding of sums and the approximation of quantiles; equal schemas."""
    folders = sorted(
        os.path.relpath(path, stock) for path in glob.glob(f"{stock}/{key}/**/*.pb", recursive=True)
    )
    _require(bool(folders), "statistics of stock: none")
    for name in folders:
        both = [_read_statistics(os.path.join(side, name)) for side in (ours, stock)]
        _compare_datasets(*both, name)
        schemas = [_ordered_schema(tfdv.infer_schema(one)) for one in both]
        _require(schemas[0] == schemas[1], f"schema of {name}")


def _ordered_schema(schema: Any) -> Any:
    schema.feature.sort(key=lambda feature: feature.name)
    schema.string_domain.sort(key=lambda domain: domain.name)
    return schema


def _read_statistics(path: str) -> Any:
    with open(path, "rb") as file:
        return statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())


def _compare_datasets(ours: Any, stock: Any, where: str) -> None:
    mine = {dataset.name: dataset for dataset in ours.datasets}
    _require(mine.keys() == {dataset.name for dataset in stock.datasets}, f"{where}: slices")
    for dataset in stock.datasets:
        other = mine[dataset.name]
        _require(other.num_examples == dataset.num_examples, f"{where}: num_examples")
        features = {tuple(feature.path.step): feature for feature in other.features}
        _require(len(features) == len(dataset.features), f"{where}: features")
        for feature in dataset.features:
            path = tuple(feature.path.step)
            _compare_messages(features[path], feature, f"{where}: {'/'.join(path)}")


def _compare_messages(ours: Any, stock: Any, where: str) -> None:
    names = [sorted(field.name for field, _ in one.ListFields()) for one in (ours, stock)]
    if ours.DESCRIPTOR.name == "Histogram":
        _compare_histograms(ours, stock, where)
        return
    if ours.DESCRIPTOR.name == "RankHistogram":
        _compare_ranks(*([(bucket.label, bucket.sample_count) for bucket in one.buckets]
                         for one in (ours, stock)), where)  # fmt: skip
        return
    if ours.DESCRIPTOR.name != "Bucket":
        _require(names[0] == names[1], f"{where} fields", *names)
    for field, value in stock.ListFields():
        mine, here = getattr(ours, field.name), f"{where}.{field.name}"
        if field.name == "top_values":
            _compare_ranks(*([(top.value, top.frequency) for top in one] for one in (mine, value)), here)
        elif field.label == FieldDescriptor.LABEL_REPEATED and field.message_type is not None:
            _require(len(mine) == len(value), here, len(mine), len(value))
            for one, other in zip(mine, value):
                _compare_messages(one, other, here)
        elif field.message_type is not None:
            _compare_messages(mine, value, here)
        elif field.name == "median":
            continue  # a quantile, which the histograms hold too
        elif field.type in _FLOAT_TYPES:
            _require(_is_close(mine, value), here, mine, value)
        else:
            _require(mine == value, here, mine, value)


def _compare_histograms(ours: Any, stock: Any, where: str) -> None:
    """The same kind and number of values; and nearly as many below each value."""
    _require(ours.type == stock.type and ours.num_nan == stock.num_nan, f"{where}: kind")
    counts = [sum(bucket.sample_count for bucket in one.buckets) for one in (ours, stock)]
    _require(_is_close(*counts, 1e-3), f"{where}: number of values", *counts)
    total = max(counts[1], 1.0)
    for bucket in stock.buckets if ours.type == ours.STANDARD else ():
        below = [_num_below(one, bucket.high_value) / total for one in (ours, stock)]
        _require(abs(below[0] - below[1]) <= _RANK_TOLERANCE, f"{where}: below {bucket.high_value}", *below)
    for one, other in zip(ours.buckets, stock.buckets):
        if ours.type == ours.QUANTILES:
            shares = (one.sample_count / total, other.sample_count / total)
            _require(abs(shares[0] - shares[1]) <= _RANK_TOLERANCE, f"{where}: bucket", *shares)


def _compare_ranks(ours: Sequence[tuple[str, float]], stock: Sequence[tuple[str, float]], where: str) -> None:
    """The same values and numbers; which of the rarest ones are kept is left to chance."""
    numbers = [[number for _, number in one] for one in (ours, stock)]
    _require(numbers[0] == numbers[1], f"{where}: numbers")
    rarest = min(numbers[1], default=0.0)
    kept = [{value for value, number in one if number > rarest} for one in (ours, stock)]
    _require(kept[0] == kept[1], f"{where}: values", kept[0] - kept[1], kept[1] - kept[0])


def _num_below(histogram: Any, value: float) -> float:
    # An edge is a value that was computed, and rounded on the way.
    return sum(
        bucket.sample_count
        for bucket in histogram.buckets
        if bucket.high_value <= value or _is_close(bucket.high_value, value)
    )


def _is_close(ours: float, stock: float, tolerance: float = _TOLERANCE) -> bool:
    if math.isnan(ours) or math.isnan(stock):
        return math.isnan(ours) and math.isnan(stock)
    return ours == stock or abs(ours - stock) <= tolerance * max(1.0, abs(ours), abs(stock))


def compare_transform(ours: str, stock: str) -> None:
    """The same transformed rows in each split, the same vocabularies, the same statistics of both sides."""
    graph = "transform_graph/transform_fn/assets"
    names = [
        sorted(os.path.basename(path) for path in glob.glob(f"{side}/{graph}/*")) for side in (ours, stock)
    ]
    _require(names[0] == names[1], "vocabularies", *names)
    for name in names[0]:
        texts = [open(f"{side}/{graph}/{name}", "rb").read() for side in (ours, stock)]  # noqa: SIM115
        _require(texts[0] == texts[1], f"vocabulary {name}")
    for split in SPLITS:
        tables = [_sorted_rows(f"{side}/transformed_examples", split) for side in (ours, stock)]
        _require(tables[0].keys() == tables[1].keys(), f"features of {split}")
        for name, column in tables[0].items():
            other = tables[1][name]
            _require(len(column) == len(other), f"rows of {split}", len(column), len(other))
            is_equal = (
                np.allclose(column, other, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
                if column.dtype.kind == "f"
                else np.array_equal(column, other)
            )
            _require(is_equal, f"values of {name} in {split}")
    for key in ("pre_transform_stats", "post_transform_stats"):
        compare_statistics(ours, stock, key)


def _sorted_rows(uri: str, split: str) -> dict[str, Any]:
    """All columns with their rows in one order: by the integers first, which rounding does not move."""
    columns: dict[str, list[Any]] = {}
    for batch in examples_io.read_record_batches(artifact("Examples", uri), split, batch_rows=100_000):
        for name, column in zip(batch.schema.names, batch.columns):
            _require(len(column.flatten()) == batch.num_rows, f"{name} has one value in each row")
            columns.setdefault(name, []).append(column.flatten().to_numpy(zero_copy_only=False))
    table = {name: np.concatenate(parts) for name, parts in sorted(columns.items())}
    keys = sorted(table, key=lambda name: (table[name].dtype.kind == "f", name))
    order = np.lexsort([table[name] for name in reversed(keys)])
    return {name: column[order] for name, column in table.items()}


def compare_evaluations(ours: str, stock: str) -> None:
    """The same metrics in the same slices, and the same verdict."""
    both = [tfma.load_eval_result(os.path.join(side, "evaluation")) for side in (ours, stock)]
    slices = [dict(_by_slice(one)) for one in both]
    _require(slices[0].keys() == slices[1].keys(), "slices", len(slices[0]), len(slices[1]))
    for key, values in slices[1].items():
        mine = slices[0][key]
        _require(mine.keys() == values.keys(), f"metrics of {key}")
        for name, value in values.items():
            _require(_is_close(mine[name], value), f"{name} of {key}", mine[name], value)
    blessed = [sorted(os.listdir(os.path.join(side, "blessing"))) for side in (ours, stock)]
    _require(blessed[0] == blessed[1], "blessing", *blessed)


def _by_slice(result: Any) -> Iterator[tuple[str, dict[str, float]]]:
    for key, outputs in result.slicing_metrics:
        values = {
            f"{output}/{sub}/{name}": float(next(iter(content.values())))
            for output, subs in outputs.items()
            for sub, metrics in subs.items()
            for name, content in metrics.items()
        }
        yield str(key), values


COMPARISONS: dict[str, Callable[[str, str], None]] = {
    "CsvExampleGen": compare_examples,
    "StatisticsGen": compare_statistics,
    "Transform": compare_transform,
    "Evaluator": compare_evaluations,
}


def main(stage: str, folder: str) -> None:
    """Compare what both sides left of a stage."""
    try:
        COMPARISONS[stage](*(os.path.join(folder, side, stage) for side in ("ours", "stock")))
    except Difference as difference:
        print(json.dumps({"agree": f"no: {difference}"}))
    else:
        print(json.dumps({"agree": "yes"}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
