"""CleaningReport artifacts: what is written is read, damage is named, nothing strange reaches a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headrace.authoring.own_artifacts import CleaningReport as ReportArtifact
from headrace.errors import MalformedFileError, MissingFileError
from headrace.formats import cleaning_reports, findings, samples
from headrace.formats.cleaning_reports import CleaningReport, Count, FoundRow
from headrace.formats.findings import RowFinding, RowFindings
from headrace.formats.samples import Sample
from headrace.testing import make_artifact

_PNG = b"\x89PNG\r\n\x1a\n and so on"
_REPORT = CleaningReport(
    rows_in={"train": 10, "eval": 4},
    rows_out={"train": 7, "eval": 4},
    counts=[Count("train", "undecodable", quarantined=1), Count("train", "duplicate", kept=1, dropped=2)],
    looked_for={"undecodable": "quarantine", "duplicate": "drop"},
    compared="all features",
    remarks=["a remark"],
)
_ROWS = [
    FoundRow(Sample("train", 3, {"path": "a/ñ.png"}, thumbnail=_PNG), "quarantine", "undecodable", "why"),
    FoundRow(Sample("train", 5, {"x": "1"}), "drop", "duplicate", of=("train", 2)),
]


def _written(folder: Path) -> Any:
    pieces = [folder / "1", folder / "2"]
    for piece, row in zip(pieces, _ROWS, strict=True):
        piece.write_text(row.as_line())
    cleaning_reports.write(str(folder / "report"), _REPORT, [str(piece) for piece in pieces])
    return make_artifact(folder / "report", ReportArtifact)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    artifact = _written(tmp_path)

    assert cleaning_reports.read(artifact) == _REPORT
    assert list(cleaning_reports.read_rows(artifact)) == _ROWS
    assert _REPORT.num_removed == 3


def test_its_line_says_what_was_removed_and_what_was_kept() -> None:
    assert cleaning_reports.summary(_REPORT) == (
        "14 rows in, 11 out; dropped: 2 duplicate; in quarantine: 1 undecodable; found and kept: 1 duplicate"
    )
    nothing = CleaningReport({"train": 2}, {"train": 2}, [], {})
    assert cleaning_reports.summary(nothing) == "2 rows in, 2 out; nothing found"


def test_two_reports_are_compared(tmp_path: Path) -> None:
    other = CleaningReport({"train": 10, "eval": 4}, {"train": 9, "eval": 4}, [], {})

    found = {(one.part, one.name): (one.old, one.new) for one in cleaning_reports.compare(_REPORT, other)}

    assert found == {
        ("train", "rows out"): (7, 9),
        ("train", "rows found: undecodable"): (1, 0),
        ("train", "rows found: duplicate"): (3, 0),
    }


def _read_all(artifact: Any) -> None:
    cleaning_reports.read(artifact)
    list(cleaning_reports.read_rows(artifact))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("report.json", "[]"),
        ("report.json", '{"format": 1, "rows_in": 3}'),
        ("report.json", '{"format": 99}'),
        ("rows.jsonl", "{}\n"),
        ("rows.jsonl", "no json\n"),
        ("rows.jsonl", '{"split": "a", "row": "b", "features": {}}\n'),
    ],
)
def test_damage_is_named_with_its_file(tmp_path: Path, name: str, content: str) -> None:
    artifact = _written(tmp_path)
    (tmp_path / "report" / name).write_text(content)

    with pytest.raises(MalformedFileError) as caught:
        _read_all(artifact)

    assert name in caught.value.problem


def test_a_report_without_its_files_says_so(tmp_path: Path) -> None:
    artifact = make_artifact(tmp_path / "empty", ReportArtifact)

    with pytest.raises(MissingFileError):
        cleaning_reports.read(artifact)
    with pytest.raises(MissingFileError):
        list(cleaning_reports.read_rows(artifact))


@pytest.mark.parametrize("text", ["<svg onload=x>", "PHN2Zz48L3N2Zz4=", "not base64!", 5, None])
def test_only_a_png_is_passed_on_as_a_picture(text: Any) -> None:
    """A page shows it, and somebody else may have written the file."""
    plain = {"split": "a", "row": 1, "features": {}, "thumbnail": text}

    assert samples.from_json(plain).thumbnail == b""
    assert samples.from_json(Sample("a", 1, thumbnail=_PNG).as_json()).thumbnail == _PNG


def test_findings_are_read_as_written(tmp_path: Path) -> None:
    found = RowFindings(
        ["images"], [RowFinding("images", "image", "Blank", "1 row", False, 1, samples=[_ROWS[0].sample])]
    )
    findings.write(str(tmp_path), found)

    assert findings.read(str(tmp_path)) == found
    assert findings.read(str(tmp_path / "other")) is None
    (tmp_path / findings.FINDINGS_FILE).write_text('{"format": 1, "checks": 3}')
    with pytest.raises(MalformedFileError, match="RowFindings"):
        findings.read(str(tmp_path))


@pytest.mark.parametrize(
    ("own", "of_component", "is_error", "stops"),
    [
        (None, "never", True, False),
        (None, "error", True, True),
        (None, "error", False, False),
        (None, "any", False, True),
        ("any", "never", False, True),
        ("error", "never", False, False),
        ("never", "any", True, False),
    ],
)
def test_what_a_check_says_of_its_findings_counts_more(
    own: str | None, of_component: str, is_error: bool, stops: bool
) -> None:
    finding = RowFinding("images", "image", "Blank", "1 row", is_error, fail_on=own)

    assert finding.stops(of_component) is stops
