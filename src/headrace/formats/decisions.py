"""The thresholds that an Evaluator chose: `decision.json` of an evaluation, and of the model that is pushed with it.

::

    {"format": 1, "aim": {"recall": 0.9, "best": "precision"}, "label": "high_quality", "splits": ["eval"],
     "decisions": [{"class": null, "threshold": 0.32, "measures": {"precision": 0.61, "recall": 0.91, ...}}]}

A score above the threshold means the class.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.formats import json_files, saved_models

FILE = "decision.json"
MODEL_FILE = os.path.join(saved_models.EXTRA_FOLDER, "headrace_decision.json")
_FORMAT = 1
_WHAT = "a decision"


@dataclass(frozen=True)
class Decision:
    """The threshold of one class or label.

    Attributes:
        class_name: The class or label; empty where there are two classes.
        threshold: A score above it means the class; `None` where no threshold reaches the aim.
        measures: What comes of it on the rows that were evaluated, by name.
    """

    class_name: str
    threshold: float | None
    measures: Mapping[str, float]


@dataclass(frozen=True)
class Decisions:
    """What was aimed at, and what was chosen.

    Attributes:
        aim: The least value of each measure that was asked for, and under `best` what is highest.
        label: The feature that is predicted.
        splits: Whose rows it was chosen on.
        decisions: In the order of the classes.
    """

    aim: Mapping[str, Any]
    label: str
    splits: Sequence[str]
    decisions: Sequence[Decision]

    @property
    def aim_text(self) -> str:
        """The aim in words: `"recall at least 0.9, precision as high as possible"`."""
        least = [f"{name} at least {bound:g}" for name, bound in self.aim.items() if name != "best"]
        return ", ".join([*least, f"{self.aim.get('best', 'f1')} as high as possible"])


def write(folder: str, decisions: Decisions, file: str = FILE) -> None:
    """Write decisions into a folder, under `FILE` or `MODEL_FILE`."""
    path = os.path.join(folder, file)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    content = {
        "aim": dict(decisions.aim),
        "label": decisions.label,
        "splits": list(decisions.splits),
        "decisions": [
            {
                "class": one.class_name or None,
                "threshold": one.threshold,
                "measures": {name: value for name, value in one.measures.items() if math.isfinite(value)},
            }
            for one in decisions.decisions
        ],
    }
    json_files.write_numbered(path, content, _FORMAT)


def read(folder: str, file: str = FILE) -> Decisions | None:
    """Return the decisions in a folder; `None` where no threshold was asked for.

    Raises:
        MalformedFileError: If the file does not hold decisions, or a newer Headrace wrote it in another form.
    """
    path = os.path.join(folder, file)
    if not os.path.exists(path):
        return None
    content = json_files.read_numbered(path, _WHAT, _FORMAT)
    try:
        return Decisions(
            dict(content["aim"]),
            str(content["label"]),
            [str(split) for split in content["splits"]],
            [
                Decision(
                    str(one["class"] or ""),
                    None if one["threshold"] is None else float(one["threshold"]),
                    {str(name): float(value) for name, value in one["measures"].items()},
                )
                for one in content["decisions"]
            ],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise json_files.damaged(path, _WHAT, error) from error
