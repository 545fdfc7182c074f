"""How the rows of Examples were divided into splits: `splits.json` beside the splits' folders.

::

    {
      "format": 1,
      "split_by": {"stratify": "quality"},
      "shares": {"train": 4, "eval": 1},
      "rows": {"train": 1279, "eval": 320},
      "excluded": {},
      "notes": [...],
      "classes": {"feature": "quality", "names": ["3", ...], "rows": {"train": [8, ...], "eval": [2, ...]},
                  "num_others": 0, "others": {"train": 0, "eval": 0}}
    }

The rows that were read are those of all splits and those that were excluded, by reason. `shares` is a list of names, or
null, where the data names the splits; `classes` is null where none were counted. It is written where the pipeline says
how to divide. Light.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from headrace.formats import json_files

FILE = "splits.json"
FORMAT = 1
_WHAT = "how rows were divided into splits"
# Of more classes the largest are named, and the others counted.
_MAX_CLASSES = 1000


@dataclass(frozen=True)
class ClassTable:
    """The rows of each class in each split.

    Attributes:
        feature: What the classes are of.
        names: The classes: of many the largest, in their order.
        rows: For each split the rows of each class in `names`.
        num_others: How many more classes there are.
        others: For each split the rows of all those.
    """

    feature: str
    names: list[str]
    rows: dict[str, list[int]]
    num_others: int = 0
    others: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, feature: str, names: Sequence[str], rows: Mapping[str, Sequence[int]]) -> ClassTable:
        """Return the table of these counts."""
        counts = {split: [int(count) for count in of_split] for split, of_split in rows.items()}
        totals = [sum(of_class) for of_class in zip(*counts.values())]
        order = sorted(range(len(names)), key=lambda one: -totals[one])
        kept, others = sorted(order[:_MAX_CLASSES]), order[_MAX_CLASSES:]
        return cls(
            feature,
            [names[one] for one in kept],
            {split: [of_split[one] for one in kept] for split, of_split in counts.items()},
            len(others),
            {split: sum(of_split[one] for one in others) for split, of_split in counts.items()},
        )


@dataclass(frozen=True)
class Division:
    """How rows were divided.

    Attributes:
        split_by: The way, as `headrace.splits` writes it.
        shares: What was asked for: shares, or names alone, or nothing.
        rows: The rows of each split.
        excluded: Why rows are in none, and how many.
        notes: What else is to be said.
        classes: The rows of each class in each split.
    """

    split_by: dict[str, Any]
    shares: dict[str, int] | list[str] | None
    rows: dict[str, int]
    excluded: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    classes: ClassTable | None = None


def write(folder: str, division: Division) -> None:
    """Write the file into the folder of an Examples artifact."""
    json_files.write_numbered(os.path.join(folder, FILE), asdict(division), FORMAT)


def read(folder: str) -> Division | None:
    """Read the file in the folder of an Examples artifact; `None` where there is none.

    Raises:
        MalformedFileError: If it is damaged.
    """
    path = os.path.join(folder, FILE)
    if not os.path.isfile(path):
        return None
    content = json_files.read_numbered(path, _WHAT, FORMAT)
    try:
        table = content.pop("classes", None)
        # A key may be added without another number.
        division = Division(**_known(Division, content), classes=None if table is None else _table(table))
        _check(division)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise json_files.damaged(path, _WHAT, error) from error
    return division


def _known(kind: type, content: dict[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in content.items() if name in names}


def _table(content: dict[str, Any]) -> ClassTable:
    """Return the table, whose parts fit each other.

    Raises:
        ValueError: If they do not.
    """
    table = ClassTable(**_known(ClassTable, content))
    for split, rows in table.rows.items():
        if len(rows) != len(table.names):
            raise ValueError(f"the classes of split {split!r} do not fit its rows")
        _check_counts([*rows, table.others[split]])
    return table


def _check(division: Division) -> None:
    """Raise where the parts are not what pages count with."""
    kinds: dict[str, Any] = {
        "split_by": dict,
        "rows": dict,
        "excluded": dict,
        "notes": list,
        "shares": (dict, list, type(None)),
    }
    for name, kind in kinds.items():
        if not isinstance(getattr(division, name), kind):
            raise TypeError(f"its {name} is a {type(getattr(division, name)).__name__}")
    shares = division.shares if isinstance(division.shares, dict) else {}
    _check_counts([*division.rows.values(), *division.excluded.values(), *shares.values()])
    for split in division.classes.rows if division.classes else ():
        if split not in division.rows:
            raise ValueError(f"the classes of split {split!r} do not fit its rows")


def _check_counts(counts: Sequence[Any]) -> None:
    if not all(isinstance(count, int) for count in counts):
        raise ValueError("numbers of rows are no integers")
