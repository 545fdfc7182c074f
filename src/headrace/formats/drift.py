"""What was measured against a baseline, beside the anomalies of a split: also what was within bounds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from headrace.formats import json_files

DRIFT_FILE = "Drift.json"
_FORMAT = 1


@dataclass(frozen=True)
class Move:
    """A bin whose share moved.

    Attributes:
        label: Such as `"9.5 to 10.1"`, or a value.
        old, new: Its share of the rows, 0 to 1.
    """

    label: str
    old: float
    new: float


@dataclass(frozen=True)
class Measurement:
    """One feature, measured against the baseline.

    Attributes:
        feature: Its name.
        measure: Such as `"KS"`; `"missing"` for the share of rows without a value.
        value: The distance.
        noise: What chance alone reaches with so few rows.
        threshold: What was given.
        slack: By so much may the value be too large.
        num_old, num_new: Numbers or values compared.
        moves: The bins that moved most, the first by most.
    """

    feature: str
    measure: str
    value: float
    noise: float
    threshold: float
    slack: float
    num_old: int
    num_new: int
    moves: Sequence[Move] = ()

    @property
    def is_over(self) -> bool:
        """Whether it is beyond both chance and the threshold."""
        return self.value - self.slack > max(self.noise, self.threshold)


@dataclass(frozen=True)
class Drift:
    """The measurements of one split.

    Attributes:
        baseline: What it was compared with, in words.
        measurements: One or two for each feature, what is over first.
        notes: What was not compared, and why.
    """

    baseline: str
    measurements: Sequence[Measurement] = ()
    notes: Sequence[str] = ()


def write(folder: str, drift: Drift) -> None:
    """Write it beside the anomalies of a split; the folder is made where it is missing."""
    json_files.write_numbered(os.path.join(folder, DRIFT_FILE), asdict(drift), _FORMAT)


def read(folder: str) -> Drift | None:
    """Read what `write` wrote; `None` where no drift was asked for.

    Raises:
        MalformedFileError: If the file holds something else.
    """
    path = os.path.join(folder, DRIFT_FILE)
    if not os.path.exists(path):
        return None
    content = json_files.read_numbered(path, "a file of drift", _FORMAT)
    try:
        measurements = [
            Measurement(**{**one, "moves": [Move(**move) for move in one["moves"]]})
            for one in content["measurements"]
        ]
        return Drift(str(content["baseline"]), measurements, list(content["notes"]))
    except (KeyError, TypeError) as error:
        raise json_files.damaged(path, "a file of drift", error) from error
