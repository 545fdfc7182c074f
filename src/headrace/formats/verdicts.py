"""What an Evaluator decided of a model: `verdict.json` beside TFMA's files.

::

    {"format": 1, "blessed": true, "thresholds": [{"metric": "auc", "slice": "Overall", "kind": "value", ...}, ...]}
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from headrace.formats import json_files

VERDICT_FILE = "verdict.json"
FORMAT = 1
_WHAT = "a verdict"


@dataclass(frozen=True)
class Threshold:
    """One bound of one metric in one slice, and what it said.

    Attributes:
        metric: Name, with output, class and weighting where it has them, such as `auc (class 2)`.
        slice: `"Overall"` or `"feature:value"`.
        kind: `"value"`, `"absolute change"` or `"relative change"`; changes are candidate minus baseline.
        lower_bound: Least that passes; `None` where there is no such bound.
        upper_bound: Most that passes.
        value: The candidate's metric; `None` where it was not computed.
        baseline_value: The baseline's; `None` without a baseline.
        compared: The number held against the bounds: the value, or the change.
        passed: `None` where it was not checked.
        note: Why it was not checked, or could not be.
    """

    metric: str
    slice: str
    kind: str
    lower_bound: float | None = None
    upper_bound: float | None = None
    value: float | None = None
    baseline_value: float | None = None
    compared: float | None = None
    passed: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """What was decided of a model.

    Attributes:
        is_blessed: `None` where there was no threshold to meet.
        thresholds: What each said.
    """

    is_blessed: bool | None
    thresholds: tuple[Threshold, ...] = ()


_TEXTS = {"metric", "slice", "kind", "note"}
_NAMES = tuple(field.name for field in fields(Threshold))


def write(folder: str, is_blessed: bool | None, thresholds: Sequence[Threshold]) -> None:
    """Write the verdict on the evaluation in `folder`."""
    content = {"blessed": is_blessed, "thresholds": [_plain(one) for one in thresholds]}
    json_files.write_numbered(os.path.join(folder, VERDICT_FILE), content, FORMAT)


def _plain(threshold: Threshold) -> dict[str, Any]:
    # NaN is no JSON; it stands for a number that could not be computed.
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(threshold).items()
    }


def read(folder: str) -> Verdict | None:
    """Return the verdict on the evaluation in `folder`; `None` where there is none, as in what stock TFX writes.

    Raises:
        MalformedFileError: If the file does not hold a verdict, or a newer Headrace wrote it in another form.
    """
    path = os.path.join(folder, VERDICT_FILE)
    if not os.path.exists(path):
        return None
    content = json_files.read_numbered(path, _WHAT, FORMAT)
    is_blessed, found = content.get("blessed"), content.get("thresholds", [])
    if not (is_blessed is None or isinstance(is_blessed, bool)) or not isinstance(found, list):
        raise json_files.damaged(path, _WHAT, "of 'blessed' and 'thresholds' one is of another type")
    return Verdict(is_blessed, tuple(_threshold(path, one) for one in found))


def _threshold(path: str, content: Any) -> Threshold:
    if not isinstance(content, dict):
        raise json_files.damaged(path, _WHAT, f"a threshold is a {type(content).__name__}")
    known = {name: content[name] for name in _NAMES if name in content}
    for name, value in known.items():
        is_right = (
            isinstance(value, str) if name in _TEXTS else value is None or isinstance(value, int | float)
        )
        if not is_right:
            raise json_files.damaged(path, _WHAT, f"'{name}' of a threshold is {value!r}")
    return Threshold(**{"metric": "", "slice": "", "kind": "", **known})
