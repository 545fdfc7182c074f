"""What checks of rows found, with rows as examples: `RowFindings.json` beside the anomalies of a split.

TFX's `Anomalies` say the same in words, and have no place for rows.

::

    {"format": 1, "checks": ["images"], "findings": [{"check": "images", "feature": "image", "problem": "Blank", ...}]}
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.formats import json_files, samples
from headrace.formats.samples import Sample

FINDINGS_FILE = "RowFindings.json"
FORMAT = 1
_WHAT = "findings of checks"


@dataclass(frozen=True)
class RowFinding:
    """What one check found in one split.

    Attributes:
        check: The check, such as `"images"`.
        feature: The feature; empty for the split as a whole.
        problem: In a few words, such as `"Blank pictures"`.
        description: In a sentence, with numbers and thresholds.
        is_error: Whether it is an error, and not a warning.
        num_rows: How many rows it is about; 0 where it is about none in particular.
        reason: The name of the nearest type of TFX's `AnomalyInfo`.
        samples: Some of the rows.
        fail_on: What the check says of its own findings; `None` where it says nothing.
    """

    check: str
    feature: str
    problem: str
    description: str
    is_error: bool
    num_rows: int = 0
    reason: str = "UNKNOWN_TYPE"
    samples: Sequence[Sample] = ()
    fail_on: str | None = None

    def stops(self, fail_on: str) -> bool:
        """Whether it stops the pipeline, given what the component says."""
        chosen = self.fail_on or fail_on
        return chosen == "any" or (chosen == "error" and self.is_error)


@dataclass(frozen=True)
class RowFindings:
    """What all checks found in one split.

    Attributes:
        checks: The checks that looked.
        findings: What they found.
    """

    checks: Sequence[str]
    findings: Sequence[RowFinding] = field(default=())


def write(folder: str, found: RowFindings) -> None:
    """Write the findings into the folder of a split."""
    content = {"checks": list(found.checks), "findings": [_plain(one) for one in found.findings]}
    json_files.write_numbered(os.path.join(folder, FINDINGS_FILE), content, FORMAT)


def _plain(one: RowFinding) -> dict[str, Any]:
    return {
        "check": one.check,
        "feature": one.feature,
        "problem": one.problem,
        "description": one.description,
        "severity": "error" if one.is_error else "warning",
        "rows": one.num_rows,
        "samples": [sample.as_json() for sample in one.samples],
    }


def read(folder: str) -> RowFindings | None:
    """Return the findings in the folder of a split; `None` where no rows were looked at.

    Raises:
        MalformedFileError: If the file does not hold them, or a newer Headrace wrote it in another form.
    """
    path = os.path.join(folder, FINDINGS_FILE)
    if not os.path.exists(path):
        return None
    content = json_files.read_numbered(path, _WHAT, FORMAT)
    try:
        return RowFindings(
            [str(name) for name in content["checks"]], [_finding(one) for one in content["findings"]]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise json_files.damaged(path, _WHAT, f"{type(error).__name__}: {error}") from error


def _finding(content: Any) -> RowFinding:
    texts = {name: str(content[name]) for name in ("check", "feature", "problem", "description")}
    shown = [samples.from_json(one) for one in content["samples"]]
    return RowFinding(
        **texts, is_error=content["severity"] == "error", num_rows=int(content["rows"]), samples=shown
    )
