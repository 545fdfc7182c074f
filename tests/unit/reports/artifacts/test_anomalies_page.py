"""What the page of anomalies says of which rule was broken."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tensorflow_metadata.proto.v0 import anomalies_pb2

from headrace.authoring import standard_artifacts
from headrace.formats import artifacts, findings, protos
from headrace.formats.findings import RowFinding, RowFindings
from headrace.reports.artifacts import anomalies
from headrace.reports.blocks.blocks import Note, Section, Table
from headrace.testing import make_artifact, make_schema

_SCHEMA = "feature { name: 'x' type: FLOAT presence { min_fraction: 1 } }"


def test_each_problem_names_the_rule_that_it_breaks(tmp_path: Path):
    """One feature, three rules: the schema's, a check's and a threshold; a check's warning is none of the others' errors."""
    found = anomalies_pb2.Anomalies()
    info = found.anomaly_info["x"]
    info.severity = anomalies_pb2.AnomalyInfo.ERROR
    for kind, short in (
        ("FEATURE_TYPE_LOW_FRACTION_PRESENT", "Column dropped"),
        ("COMPARATOR_L_INFTY_HIGH", "Drift"),
        ("UNKNOWN_TYPE", "Odd numbers"),
    ):
        reason = info.reason.add(short_description=short, description=f"{short}, in words")
        reason.type = anomalies_pb2.AnomalyInfo.Type.Value(kind)
    artifact = make_artifact(
        tmp_path / "anomalies",
        standard_artifacts.ExampleAnomalies,
        split_names=artifacts.encode_split_names(["train"]),
    )
    folder = artifacts.new_split_folder(artifact.uri, "train")
    protos.write_anomalies(folder, found)
    odd = RowFinding("numbers", "x", "Odd numbers", "Odd numbers, in words", is_error=False)
    findings.write(folder, RowFindings(["numbers"], [odd]))
    subject = SimpleNamespace(
        artifact=artifact, inputs={"schema": [make_schema(tmp_path / "schema", _SCHEMA)]}
    )

    blocks = anomalies.render(cast("Any", subject))

    assert Note("1 anomaly found.", "bad") in blocks
    (section,) = [block for block in blocks if isinstance(block, Section)]
    table = section.blocks[0]
    assert isinstance(table, Table)
    assert [(row[1].text, row[1].tone, row[3].text) for row in table.cells] == [
        ("Column dropped", "bad", "FLOAT, required, any per row"),
        ("Drift", "bad", "the threshold of its distance, below"),
        ("Odd numbers", "warning", "the check numbers"),
    ]


def test_warnings_alone_are_no_errors(tmp_path: Path):
    """The sentence at the top has the colour of the worst that was found."""
    found = anomalies_pb2.Anomalies()
    found.anomaly_info["x"].severity = anomalies_pb2.AnomalyInfo.WARNING
    artifact = make_artifact(
        tmp_path / "anomalies",
        standard_artifacts.ExampleAnomalies,
        split_names=artifacts.encode_split_names(["train"]),
    )
    protos.write_anomalies(artifacts.new_split_folder(artifact.uri, "train"), found)

    blocks = anomalies.render(cast("Any", SimpleNamespace(artifact=artifact, inputs={})))

    assert Note("1 anomaly found.", "warning") in blocks
