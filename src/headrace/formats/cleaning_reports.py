"""What a Cleaner found and what it did about it: a CleaningReport artifact.

::

    {uri}/report.json                            counts by split and reason, and what was compared
    {uri}/rows.jsonl                             each row that something was found in, in the order of splits and rows
    {uri}/quarantine/Split-{name}/data_...       the rows in quarantine, in the format of the examples they come from

`rows.jsonl` holds a JSON object on each line: `split`, `row` (from 1), `action` (`"keep"`, `"drop"`, `"quarantine"`),
`reason`, `detail`, `of` (split and row that it is a copy of, or in conflict with), `features` and perhaps `thumbnail`.
A row in which several things were found has a line for each; the one that removed it has its action, others `"keep"`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headrace.authoring import Artifact
from headrace.errors import MissingFileError
from headrace.files import create_file, open_file, open_text
from headrace.formats import artifacts, json_files, samples
from headrace.formats.changes import DATA, Change
from headrace.formats.samples import Sample

REPORT_FILE = "report.json"
ROWS_FILE = "rows.jsonl"
QUARANTINE_FOLDER = "quarantine"
FORMAT = 1
KEEP, DROP, QUARANTINE = "keep", "drop", "quarantine"
ACTIONS = (KEEP, DROP, QUARANTINE)
# In the order in which they are looked for: a row is removed for the first that says so.
UNDECODABLE, OFF_SCHEMA, CONFLICT = "undecodable", "off schema", "conflict"
DUPLICATE, NEAR_DUPLICATE = "duplicate", "near duplicate"
REASONS = (UNDECODABLE, OFF_SCHEMA, CONFLICT, DUPLICATE, NEAR_DUPLICATE)
_WHAT = "a cleaning report"


@dataclass(frozen=True)
class Count:
    """How many rows of a split something was found in, for one reason.

    Attributes:
        split: The split.
        reason: One of `REASONS`.
        kept: Rows that stay all the same, or are removed for a reason before this one.
        dropped: Rows that are gone.
        quarantined: Rows that lie in the report's quarantine.
    """

    split: str
    reason: str
    kept: int = 0
    dropped: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class CleaningReport:
    """What a Cleaner did.

    Attributes:
        rows_in: Rows of each split as they came.
        rows_out: Rows of each split that stay; those that came less all that were removed.
        counts: What was found, by split and reason.
        looked_for: By reason, what was done about it: one of `ACTIONS`.
        compared: In words, what rows are compared by.
        remarks: What else is to be said, such as values that were converted.
    """

    rows_in: Mapping[str, int]
    rows_out: Mapping[str, int]
    counts: Sequence[Count]
    looked_for: Mapping[str, str]
    compared: str = ""
    remarks: Sequence[str] = ()

    @property
    def num_removed(self) -> int:
        """Rows that were dropped or put into quarantine, of all splits."""
        return sum(count.dropped + count.quarantined for count in self.counts)


@dataclass(frozen=True)
class FoundRow:
    """A row that something was found in.

    Attributes:
        sample: Which row it is.
        action: What was done about it: one of `ACTIONS`.
        reason: One of `REASONS`.
        detail: Why, in words.
        of: Split and number of the row that it is a copy of; `None` where it is none.
    """

    sample: Sample
    action: str
    reason: str
    detail: str = ""
    of: tuple[str, int] | None = None

    def as_line(self) -> str:
        """Return its line in `rows.jsonl`."""
        plain = self.sample.as_json()
        content = {"split": plain.pop("split"), "row": plain.pop("row"), "action": self.action}
        content |= {"reason": self.reason, "detail": self.detail}
        if self.of is not None:
            content["of"] = {"split": self.of[0], "row": self.of[1]}
        return json.dumps({**content, **plain}, ensure_ascii=False) + "\n"


def write(folder: str, report: CleaningReport, pieces: Sequence[str]) -> None:
    """Write the report and its rows.

    Args:
        folder: The artifact's folder.
        report: What was done.
        pieces: Files of lines of `FoundRow.as_line`, which are joined in this order.
    """
    os.makedirs(folder, exist_ok=True)
    with create_file(os.path.join(folder, ROWS_FILE)) as joined:
        for piece in pieces:
            with open_file(piece) as file:
                shutil.copyfileobj(file, joined, 1 << 20)
    content = asdict(report)
    json_files.write_numbered(os.path.join(folder, REPORT_FILE), content, FORMAT)


def read(report: Artifact) -> CleaningReport:
    """Read what was done.

    Raises:
        MissingFileError: If there is no report.
        MalformedFileError: If the file does not hold one, or a newer Headrace wrote it in another form.
    """
    path = os.path.join(report.uri, REPORT_FILE)
    content = json_files.read_numbered(path, _WHAT, FORMAT)
    try:
        return CleaningReport(
            rows_in={str(name): int(number) for name, number in content["rows_in"].items()},
            rows_out={str(name): int(number) for name, number in content["rows_out"].items()},
            counts=[_count(one) for one in content["counts"]],
            looked_for={str(name): str(action) for name, action in content["looked_for"].items()},
            compared=str(content.get("compared", "")),
            remarks=[str(one) for one in content.get("remarks", [])],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise json_files.damaged(path, _WHAT, f"{type(error).__name__}: {error}") from error


def _count(content: Any) -> Count:
    numbers = {name: int(content[name]) for name in ("kept", "dropped", "quarantined")}
    return Count(str(content["split"]), str(content["reason"]), **numbers)


def read_rows(report: Artifact) -> Iterator[FoundRow]:
    """Yield the rows that something was found in, in the order of splits and rows.

    Raises:
        MissingFileError: If there is no such file.
        MalformedFileError: If a line is none of a row.
    """
    path = os.path.join(report.uri, ROWS_FILE)
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, 1):
                yield _row(path, number, line)
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no file {path}.", json_files.MAKE_AGAIN) from error
    except UnicodeDecodeError as error:
        raise json_files.damaged(path, "rows of a cleaning report", error) from error


def _row(path: str, number: int, line: str) -> FoundRow:
    try:
        content = json.loads(line)
        sample = samples.from_json(content)
        of = content.get("of")
        return FoundRow(
            sample,
            str(content["action"]),
            str(content["reason"]),
            str(content.get("detail", "")),
            (str(of["split"]), int(of["row"])) if of else None,
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise json_files.damaged(path, f"rows of a cleaning report (line {number})", error) from error


def quarantine_folder(report_uri: str, split: str) -> str:
    """Return the folder of the rows of a split that are in quarantine."""
    return artifacts.new_split_folder(os.path.join(report_uri, QUARANTINE_FOLDER), split)


def summary(report: CleaningReport) -> str:
    """Return one line, such as `"1,599 rows in, 1,359 out; 240 dropped (duplicate)"`."""
    rows_in, rows_out = sum(report.rows_in.values()), sum(report.rows_out.values())
    parts = [f"{rows_in:,} rows in, {rows_out:,} out"]
    for words, name in (("dropped", "dropped"), ("in quarantine", "quarantined"), ("found and kept", "kept")):
        by_reason = {reason: _total(report, reason, name) for reason in REASONS}
        found = {reason: number for reason, number in by_reason.items() if number}
        if found:
            each = ", ".join(f"{number:,} {reason}" for reason, number in found.items())
            parts.append(f"{words}: {each}")
    if len(parts) == 1:
        parts.append("nothing found")
    return "; ".join(parts)


def _total(report: CleaningReport, reason: str, name: str) -> int:
    return sum(int(getattr(count, name)) for count in report.counts if count.reason == reason)


def compare(old: CleaningReport, new: CleaningReport) -> Iterator[Change]:
    """Yield what differs between two reports, for `headrace diff`."""
    for name in dict.fromkeys([*old.rows_out, *new.rows_out]):
        before, after = old.rows_out.get(name), new.rows_out.get(name)
        if before != after:
            yield Change(DATA, name, "rows out", before, after)
    before_by, after_by = _by_reason(old), _by_reason(new)
    for split, reason in dict.fromkeys([*before_by, *after_by]):
        number, other = before_by.get((split, reason), 0), after_by.get((split, reason), 0)
        if number != other:
            yield Change(DATA, split, f"rows found: {reason}", number, other)


def _by_reason(report: CleaningReport) -> dict[tuple[str, str], int]:
    return {
        (count.split, count.reason): count.kept + count.dropped + count.quarantined for count in report.counts
    }
