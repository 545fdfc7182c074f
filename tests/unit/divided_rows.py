"""Rows of plain values, and how a division of them is asked for and looked at."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa

from headrace.sources.division import gathering
from headrace.sources.division.division import divide
from headrace.sources.rows import FeatureRows
from headrace.splits.shares import Shares, parse_shares

SHARES = {"train": 3, "valid": 1, "test": 1}


def rows_of(columns):
    """Rows of features: a value, several in a list, or `None` for none."""
    lists = {
        name: pa.array(
            [None if value is None else value if isinstance(value, list) else [value] for value in values]
        )
        for name, values in columns.items()
    }
    arrays = [
        array.cast(pa.list_(pa.binary())) if array.type == pa.list_(pa.string()) else array
        for array in lists.values()
    ]
    return FeatureRows(pa.RecordBatch.from_arrays(arrays, list(lists)))


def cut(columns, bounds):
    """The columns in consecutive pieces."""
    num_rows = len(next(iter(columns.values())))
    places = [0, *sorted(bounds), num_rows]
    return [{name: values[a:b] for name, values in columns.items()} for a, b in itertools.pairwise(places)]


def divided(columns, way, shares=SHARES, bounds=()):
    """Divide rows that come in several parts, cut at `bounds`; without shares the data names the splits."""
    parts = [gathering.gather([rows_of(part)], way) for part in cut(columns, bounds)]
    return divide(parts, way, Shares() if shares is None else parse_shares(shares, "splits"))


def splits_of(division):
    """For each row the name of its split; `None` where it is in none."""
    chosen = np.concatenate(division.chosen)
    return [division.splits[one] if one >= 0 else None for one in chosen]
