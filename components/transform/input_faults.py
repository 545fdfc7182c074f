"""What went wrong inside a `preprocessing_fn`, where it comes from how the schema hands features over."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable, Sequence

from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.components.transform.layout import InputLayout
from headrace.components.transform.request import Dataset
from headrace.errors import UserFunctionError, listed

# Enough to be right about data that fits this machine, and soon done.
_MAX_COUNTED_ROWS = 1_000_000
_MAX_NAMED = 5


def explain(
    error: Exception, layout: InputLayout, schema: schema_pb2.Schema, datasets: Iterable[Dataset], where: str
) -> UserFunctionError | None:
    """Return an error that names the feature and the cure; `None` where the function itself is wrong.

    Args:
        error: What the function raised.
        layout: The features that it was given.
        schema: All features, those that were not handed over too.
        datasets: The data, to count in.
        where: Node, parameter and place of the function, for messages.
    """
    if isinstance(error, KeyError) and error.args:
        return _left_out(error.args[0], layout, schema, where)
    if "SparseTensor" in str(error) or "sparse_tensor" in str(error):
        return _sparse(error, layout, list(datasets), where)
    return None


def _left_out(
    name: object, layout: InputLayout, schema: schema_pb2.Schema, where: str
) -> UserFunctionError | None:
    feature = next((one for one in schema.feature if one.name == name), None)
    if feature is None or name in layout.representations:
        return None
    stage = schema_pb2.LifecycleStage.Name(feature.lifecycle_stage)
    marked = "deprecated" if feature.deprecated else stage
    return UserFunctionError(
        f"{where}: the schema marks feature {name!r} {marked}, so it is not among the inputs. SchemaGen does so where "
        "the splits disagree about its type, such as numbers in one and text in another.",
        f"give {name!r} one type in the data; or review the schema, take the mark off and hand it in with "
        "ImportSchemaGen.",
    )


def _sparse(
    error: Exception, layout: InputLayout, datasets: Sequence[Dataset], where: str
) -> UserFunctionError | None:
    sparse = [
        name
        for name, representation in layout.representations.items()
        if representation.WhichOneof("kind") in ("varlen_sparse_tensor", "sparse_tensor")
    ]
    if not sparse:
        return None
    line = _user_line(error)
    named = [name for name in sparse if f"'{name}'" in line or f'"{name}"' in line] or sparse
    told = "; ".join(_told(name, layout, datasets) for name in named[:_MAX_NAMED])
    more = f"; and {len(named) - _MAX_NAMED} more features" if len(named) > _MAX_NAMED else ""
    at = f" in `{line}`" if line else ""
    return UserFunctionError(
        f"{where}: {type(error).__name__}{at}: {error}. {told}{more}.",
        f"fill what is missing: headrace.features.dense(inputs[{named[0]!r}], default), or headrace.features.impute with "
        "the mean, median or most frequent value; or, where each row must have a value, correct the data and "
        "give the feature presence.min_fraction 1 and a shape in the schema.",
    )


def _user_line(error: Exception) -> str:
    """The innermost line that is not one of an installed library."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = frame.filename.replace("\\", "/")
        if "/site-packages/" not in path and "/headrace/" not in path and not path.startswith("<"):
            return (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
    return ""


def _told(name: str, layout: InputLayout, datasets: Sequence[Dataset]) -> str:
    representation = layout.representations[name]
    if representation.WhichOneof("kind") == "sparse_tensor":
        return f"{name!r} is a sparse feature of the schema, so it comes as SparseTensor"
    counts = _missing(name, layout, datasets)
    empty = {split: (missing, rows) for split, (missing, rows, _) in counts.items() if missing}
    several = [split for split, (_, _, most) in counts.items() if most > 1]
    if several:
        return f"{name!r} has several values in rows of {listed(several)}, so it comes as SparseTensor"
    if empty:
        found = ", ".join(f"{split} {missing:,} of {rows:,}" for split, (missing, rows) in empty.items())
        return f"{name!r} has rows without value ({found}), so it comes as SparseTensor"
    return f"the schema does not say that each row has one value of {name!r}, so it comes as SparseTensor"


def _missing(name: str, layout: InputLayout, datasets: Sequence[Dataset]) -> dict[str, tuple[int, int, int]]:
    """Rows without a value, rows, and most values in a row, by split."""
    found: dict[str, tuple[int, int, int]] = {}
    projected = layout.project([name])
    total = 0
    for dataset in datasets:
        for path in dataset.files:
            for batch in projected.read_file(path, dataset.payload):
                lengths = batch.column(0).value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
                missing, rows, most = found.get(dataset.split, (0, 0, 0))
                found[dataset.split] = (
                    missing + int((lengths == 0).sum()),
                    rows + batch.num_rows,
                    max(most, int(lengths.max(initial=0))),
                )
                total += batch.num_rows
                if total >= _MAX_COUNTED_ROWS:
                    return found
    return found
