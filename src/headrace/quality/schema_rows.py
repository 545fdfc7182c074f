"""Rows that break a schema, one by one, with the reason in words.

The rules are those that TFDV holds against statistics of all rows, where they can be told of a single row: type, presence
where it is required of each row, number of values, domain. Values of another type that say the schema's value exactly,
such as the text `1.5` where floats are wanted, are no fault: `converted` makes them what the schema says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.quality import features

_TYPES = {schema_pb2.INT: pa.int64(), schema_pb2.FLOAT: pa.float32(), schema_pb2.BYTES: pa.binary()}
_WORDS = {schema_pb2.INT: "integer", schema_pb2.FLOAT: "number", schema_pb2.BYTES: "text"}
# Whose features are not expected in the data; see tensorflow_metadata's schema.proto.
_NOT_EXPECTED = {
    getattr(schema_pb2, name)
    for name in ("DEPRECATED", "DISABLED", "PLANNED", "ALPHA", "DEBUG_ONLY", "DERIVED")
    # Older tensorflow_metadata lacks some of them.
    if hasattr(schema_pb2, name)
}
_MAX_SHOWN = 60

Faults = dict[int, list[str]]
"""By row of the batch, what is wrong with it."""


class SchemaRows:
    """Looks at rows by a schema.

    Args:
        schema: The schema.
    """

    def __init__(self, schema: schema_pb2.Schema) -> None:
        self._rules = {
            rule.name: rule for rule in schema.feature if rule.lifecycle_stage not in _NOT_EXPECTED
        }
        self._domains = {domain.name: frozenset(domain.value) for domain in schema.string_domain}

    def faults(self, batch: pa.RecordBatch) -> Faults:
        """Return what is wrong with rows of a batch."""
        found: Faults = {}
        for name, rule in self._rules.items():
            column = features.column_of(batch, name)
            if column is None:
                nothing = np.zeros(batch.num_rows, np.int64)
                _check_presence(found, rule, nothing, nothing > 0)
                continue
            _check_presence(found, rule, features.counts_of(column), _is_there(column))
            column, unreadable = _converted(column, rule.type)
            for row, value in unreadable.items():
                found.setdefault(row, []).append(
                    f"{name}: {_shown(value)} is no {_WORDS.get(rule.type, 'value')}"
                )
            self._check_domain(found, rule, column, unreadable)
        return found

    def converted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with the types of the schema, of rows that have no fault."""
        columns = [
            _converted(column, self._rules[name].type)[0]
            if name in self._rules and not pa.types.is_null(column.type)
            else column
            for name, column in zip(batch.schema.names, batch.columns)
        ]
        return pa.RecordBatch.from_arrays(columns, batch.schema.names)

    def differing_types(self, batch: pa.RecordBatch) -> dict[str, str]:
        """Return the features of a batch whose values have another type than the schema says, in words."""
        found = {}
        for name, rule in self._rules.items():
            column = features.column_of(batch, name)
            wanted = _TYPES.get(rule.type)
            if column is not None and wanted is not None and not _is_of(column, wanted):
                given = "text" if features.is_bytes(column) else str(column.type.value_type)
                found[name] = f"{given} to {schema_pb2.FeatureType.Name(rule.type)}"
        return found

    def _check_domain(
        self, found: Faults, rule: schema_pb2.Feature, column: pa.Array, skipped: Mapping[int, Any]
    ) -> None:
        """Compare values with the domain; in `column` rows without a value of the right type are null."""
        rows = features.rows_of(column)
        for wrong, why in self._wrong_values(rule, column):
            values = column.flatten()
            told: set[int] = set()
            for at in np.flatnonzero(wrong).tolist():
                row = int(rows[at])
                if row not in told and row not in skipped:
                    told.add(row)
                    text = f"{rule.name}: {_shown(values[at].as_py())} {why}"
                    found.setdefault(row, []).append(text)

    def _wrong_values(
        self, rule: schema_pb2.Feature, column: pa.Array
    ) -> list[tuple[NDArray[np.bool_], str]]:
        kind = rule.WhichOneof("domain_info")
        if kind in ("int_domain", "float_domain") and not features.is_bytes(column):
            return _wrong_numbers(rule, kind, features.numbers_of(column))
        if kind == "bool_domain":
            return _wrong_booleans(rule.bool_domain, column)
        allowed = self._allowed_texts(rule, kind)
        if allowed is None or not features.is_bytes(column):
            return []
        values = [value.decode("utf-8", "replace") for value in column.flatten().to_pylist()]
        wrong = np.array([value not in allowed for value in values], bool)
        return [(wrong, "is not in the domain")]

    def _allowed_texts(self, rule: schema_pb2.Feature, kind: str | None) -> frozenset[str] | None:
        """Return the texts of a feature's domain; `None` where it has none, or allows others."""
        # Above this share TFDV complains; below, single values outside of the domain are meant to be.
        if rule.distribution_constraints.min_domain_mass < 1:
            return None
        if kind == "domain":
            return self._domains.get(rule.domain)
        return frozenset(rule.string_domain.value) if kind == "string_domain" else None


def _is_there(column: pa.Array) -> NDArray[np.bool_]:
    """Return which rows have the feature, if only as an empty list: so ExampleGens write an empty cell of CSV."""
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False), bool)


def _check_presence(
    found: Faults, rule: schema_pb2.Feature, counts: NDArray[np.int64], is_there: NDArray[np.bool_]
) -> None:
    """Check as TFDV does, to which an empty list is there: a fault of the number of values, not of presence."""
    if rule.HasField("presence") and rule.presence.min_fraction == 1:
        for row in np.flatnonzero(~is_there).tolist():
            found.setdefault(row, []).append(f"{rule.name}: no value")
    least, most = _valency(rule)
    wrong = is_there & ((counts < least) | ((counts > most) if most else False))
    for row in np.flatnonzero(wrong).tolist():
        number = int(counts[row])
        if not number:
            found.setdefault(row, []).append(f"{rule.name}: no value")
            continue
        allowed = f"{least}" if least == most else f"{least} to {most or 'any number'}"
        found.setdefault(row, []).append(
            f"{rule.name}: {number} {'value' if number == 1 else 'values'}, where {allowed} are allowed"
        )


def _valency(rule: schema_pb2.Feature) -> tuple[int, int]:
    """Return the least and the greatest number of values of a row that has the feature; 0 for no limit."""
    if rule.HasField("shape"):
        number = int(np.prod([dim.size for dim in rule.shape.dim] or [1]))
        return number, number
    return int(rule.value_count.min), int(rule.value_count.max)


def _wrong_numbers(
    rule: schema_pb2.Feature, kind: str, values: NDArray[Any]
) -> list[tuple[NDArray[np.bool_], str]]:
    domain = getattr(rule, kind)
    found = []
    with np.errstate(invalid="ignore"):
        if domain.HasField("min"):
            # A float32 is as near to the bound as it can be.
            low = np.float32(domain.min) if kind == "float_domain" else domain.min
            found.append((values < low, f"is below {domain.min:g}"))
        if domain.HasField("max"):
            high = np.float32(domain.max) if kind == "float_domain" else domain.max
            found.append((values > high, f"is above {domain.max:g}"))
    if kind == "float_domain" and domain.disallow_nan:
        found.append((np.isnan(values), "is not allowed"))
    if kind == "float_domain" and domain.disallow_inf:
        found.append((np.isinf(values), "is not allowed"))
    return found


def _wrong_booleans(domain: schema_pb2.BoolDomain, column: pa.Array) -> list[tuple[NDArray[np.bool_], str]]:
    if features.is_bytes(column):
        allowed = {domain.true_value.encode(), domain.false_value.encode()} - {b""}
        if not allowed:
            return []
        wrong = np.array([value not in allowed for value in column.flatten().to_pylist()], bool)
    else:
        wrong = ~np.isin(features.numbers_of(column), [0, 1])
    return [(wrong, "is no boolean")]


def _is_of(column: pa.Array, wanted: pa.DataType) -> bool:
    if pa.types.is_binary(wanted):
        return features.is_bytes(column)
    return bool(column.type.value_type == wanted)


def _converted(column: pa.Array, kind: int) -> tuple[pa.Array, dict[int, Any]]:
    """Return a column in the type of the schema, and by row the first value that has no place in it.

    Such a row is null in the column that is returned.
    """
    wanted = _TYPES.get(kind)
    if wanted is None or _is_of(column, wanted):
        return column, {}
    rows, counts = features.rows_of(column), features.counts_of(column)
    values, wrong = _cast(column.flatten(), wanted)
    given = column.flatten()
    unreadable: dict[int, Any] = {}
    for at in np.flatnonzero(wrong).tolist():
        unreadable.setdefault(int(rows[at]), given[at].as_py())
    bad = np.zeros(len(column), bool)
    bad[list(unreadable)] = True
    kept = values.filter(pa.array(~bad[rows]))
    lengths = np.where(bad, 0, counts)
    edges = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    present = pa.array(np.append(_is_there(column) & ~bad, True))
    offsets = pc.if_else(present, pa.array(edges), pa.scalar(None, pa.int64()))
    return pa.LargeListArray.from_arrays(offsets, kept), unreadable


def _cast(values: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Return values in another type, and which have no place in it; what stands for these there means nothing."""
    nothing = np.zeros(len(values), bool)
    if pa.types.is_binary(wanted):
        if not pa.types.is_integer(values.type):
            return pa.array([b""] * len(values), pa.large_binary()), ~nothing
        return values.cast(pa.large_string()).cast(pa.large_binary()), nothing
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        return _parsed(values.to_pylist(), wanted)
    numbers = values.to_numpy(zero_copy_only=False)
    if pa.types.is_floating(wanted):
        close = numbers.astype(np.float32)
        return pa.array(close), close.astype(np.float64) != numbers
    with np.errstate(invalid="ignore"):
        whole = np.where(np.abs(numbers) < 2**63, numbers, 0).astype(np.int64)
    return pa.array(whole), whole != numbers


def _parsed(values: list[bytes], wanted: pa.DataType) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Read texts as numbers."""
    read = _integer if pa.types.is_integer(wanted) else float
    found: list[float | int] = []
    wrong = np.zeros(len(values), bool)
    for at, value in enumerate(values):
        try:
            # Python reads 1_000 as a number; nobody else does.
            found.append(read(value.decode("ascii").strip().replace("_", "x")))
        except ValueError:
            found.append(0)
            wrong[at] = True
    return pa.array(found, pa.int64() if read is _integer else pa.float64()).cast(wanted), wrong


def _integer(text: str) -> int:
    number = float(text) if "." in text or "e" in text.lower() else int(text)
    if number != number or abs(number) == float("inf") or number != int(number):
        raise ValueError
    if not -(2**63) <= number < 2**63:
        raise ValueError
    return int(number)


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        text = repr(value.decode("utf-8", "replace"))
    else:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
