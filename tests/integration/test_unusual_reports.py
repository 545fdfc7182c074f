"""Pages of artifacts that are right and yet unlike the usual: damaged, empty, or with names and values to trip over."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
import report_artifacts as artifacts
from report_artifacts import make, standard_artifacts
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from headrace.formats import protos
from headrace.formats.bare_protos import proto_class
from headrace.formats.evaluations.metrics import read_metrics
from headrace.formats.examples import tfrecord
from headrace.reports.artifacts import correlations, inferences
from headrace.reports.artifacts.renderers import render
from headrace.reports.blocks.blocks import Chart, FeatureList, Note, Report, Table
from headrace.reports.blocks.pages import render_page, walk


def of_type(blocks, kind):
    return [block for block in walk(blocks) if isinstance(block, kind)]


def table(blocks, caption):
    return next(one for one in of_type(blocks, Table) if one.caption.startswith(caption))


def texts(rows):
    return [[cell.text for cell in row] for row in rows]


def evaluation(folder, metrics, **files):
    """An evaluation of metrics given as (slice value, name, model, number), and of other files."""
    artifact = make(standard_artifacts.ModelEvaluation, folder, 5)
    by_slice = {}
    for value, name, model, number in metrics:
        if value not in by_slice:
            by_slice[value] = proto_class("MetricsForSlice")()
            if value is not None:
                by_slice[value].slice_key.single_slice_keys.add(column="fare", float_value=value)
        item = by_slice[value].metric_keys_and_values.add()
        item.key.name, item.key.model_name = name, model
        if isinstance(number, str):
            item.value.bytes_value = number.encode()
        else:
            item.value.double_value.value = number
    with tfrecord.Writer(str(folder / "metrics-00000-of-00001.tfrecord")) as writer:
        writer.write([proto.SerializeToString() for proto in by_slice.values()])
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return artifacts.subject(artifact)


def test_what_was_not_validated_is_not_called_refused(tmp_path):
    """Without thresholds `verdict.json` says null: neither blessed nor not."""
    subject = evaluation(tmp_path, [(None, "auc", "", 0.9)], verdict={"blessed": None, "thresholds": []})

    assert render(subject)[0] == Note("NOT VALIDATED", "warning")


def test_a_baseline_of_any_name_stands_beside_the_candidate(tmp_path):
    """Its name is the user's own; which model it is stands in `eval_config.json`."""
    specs = [{"name": "new"}, {"name": "live", "isBaseline": True}]
    metrics = [(None, "auc", "new", 0.9), (None, "auc", "live", 0.8), (1.0, "auc", "new", 0.7)]
    metrics += [(1.0, "auc", "live", 0.6)]
    subject = evaluation(tmp_path, metrics, eval_config={"evalConfig": {"modelSpecs": specs}})

    blocks = render(subject)

    overall = table(blocks, "Metrics of the whole data set")
    assert list(overall.columns) == ["metric", "candidate", "baseline", "change"]
    assert texts(overall.cells) == [["auc", "0.9", "0.8", "+0.1"]]
    assert texts(table(blocks, "Metrics by slice").cells) == [["Overall", "–", "0.9"], ["fare:1", "–", "0.7"]]


def test_two_candidates_are_told_apart(tmp_path):
    """The same model by two signatures: both have a row."""
    specs = [{"name": "one"}, {"name": "two"}]
    metrics = [(None, "auc", "one", 0.9), (None, "auc", "two", 0.8)]
    subject = evaluation(tmp_path, metrics, eval_config={"evalConfig": {"modelSpecs": specs}})

    overall = table(render(subject), "Metrics of the whole data set")

    assert texts(overall.cells) == [["auc (one)", "0.9"], ["auc (two)", "0.8"]]


def test_slices_of_near_numbers_stay_apart(tmp_path):
    """As many digits as tell two float32 apart, and no more."""
    values = [0.1, 1234567.0, 1234568.0]
    subject = evaluation(tmp_path, [(value, "auc", "", 0.5) for value in values])

    names = [metric.slice_name for metric in read_metrics(subject.artifact.uri)]

    assert names == ["fare:0.1", "fare:1234567", "fare:1234568"]


def test_what_tfma_could_not_compute_is_said(tmp_path):
    """TFMA tells it in a metric that is text."""
    metrics = [(None, "auc", "", 0.9), (1.0, "auc", "", 0.9), (1.0, "__ERROR__", "", "CI not computed")]

    notes = of_type(render(evaluation(tmp_path, metrics)), Note)

    assert Note("fare:1: CI not computed", "warning") in notes


def test_a_metric_that_is_never_a_number_has_no_chart(tmp_path):
    metrics = [(value, "auc", "", float("nan")) for value in (None, 1.0)]

    blocks = render(evaluation(tmp_path, metrics))

    assert not of_type(blocks, Chart)
    assert texts(table(blocks, "Metrics by slice").cells) == [["Overall", "–", "NaN"], ["fare:1", "–", "NaN"]]


def test_a_split_without_data_is_not_called_fit(tmp_path):
    artifact = make(standard_artifacts.ExampleAnomalies, tmp_path, 4)
    artifact.split_names = '["train", "eval"]'
    for split, proto in (
        ("train", anomalies_pb2.Anomalies()),
        ("eval", anomalies_pb2.Anomalies(data_missing=True)),
    ):
        protos.write_binary(str(tmp_path / f"Split-{split}" / protos.ANOMALIES_FILE), proto)

    notes = of_type(render(artifacts.subject(artifact)), Note)

    assert notes == [
        Note("No anomalies, and nothing to find any in: split eval has no data.", "warning"),
        Note("No anomalies.", "good"),
        Note("There was no data to validate.", "warning"),
    ]


def test_features_on_trial_are_not_called_deprecated(tmp_path):
    """TFMD numbers the stages PLANNED, ALPHA, BETA, PRODUCTION, DEPRECATED."""
    text = "".join(
        f'feature {{ name: "{stage}" type: INT lifecycle_stage: {stage} }}'
        for stage in ("BETA", "DEPRECATED")
    )
    text += 'feature { name: "old" type: INT deprecated: true }'

    rows = table(render(artifacts.schema(tmp_path, text)), "Features").cells

    assert [(row[0].text, row[0].tone, row[-1].text) for row in rows] == [
        ("BETA", "", "beta"),
        ("DEPRECATED", "warning", "deprecated"),
        ("old", "warning", "deprecated"),
    ]


def test_rules_of_a_schema_are_told_in_full(tmp_path):
    text = """feature {
      name: "a" type: INT value_count {}
      skew_comparator { normalized_abs_difference { threshold: 0.1 } }
      unique_constraints { min: 2 max: 5 }
    }"""

    (row,) = table(render(artifacts.schema(tmp_path, text)), "Features").cells

    assert [cell.text for cell in row] == [
        "a",
        "INT",
        "optional",
        "any",
        "",
        "skew: normalized difference ≤ 0.1; 2 to 5 different values",
    ]


def test_a_feature_of_one_split_alone_has_that_splits_colour(tmp_path):
    """Of numbers and of texts; in the list the legend counts all splits."""
    subject = artifacts.statistics(tmp_path, 4)
    path = tmp_path / "Split-train" / protos.STATISTICS_FILE
    train = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    del train.datasets[0].features[2:]
    protos.write_binary(str(path), train)

    (features,) = of_type(render(subject), FeatureList)

    drawings = {feature.name: str(feature.sparkline) for feature in features.features}
    assert [name for _, name in features.legend] == ["train", "eval"]
    assert 'class="s0"' in drawings["feature_0000"]
    assert 'class="s1"' in drawings["feature_0002"]
    assert 'class="s0"' not in drawings["feature_0002"]
    assert 'class="b1"' in drawings["feature_0003"]
    assert 'class="b0"' not in drawings["feature_0003"]


def test_splits_beyond_the_colours_are_named(tmp_path):
    subject = artifacts.statistics(tmp_path, 2, splits=tuple("abcdef"))

    assert Note("Splits 'e', 'f' are not drawn: only the first 4 are.", "info") in of_type(
        render(subject), Note
    )


@pytest.mark.parametrize("value", [datetime(2026, 11, 21), {"a": 1}, [1.0]])
def test_correlations_leave_out_what_is_no_number(monkeypatch, tmp_path, value):
    """Parquet has columns of times, structures and lists."""
    examples = artifacts.examples(tmp_path / "examples").artifact
    rows = [{"a": [float(n)], "b": [2.0 * n], "c": [value]} for n in range(10)]
    monkeypatch.setattr(correlations, "read_rows", lambda *_: rows)

    matrix = table(correlations.render(examples), "Correlation")

    assert list(matrix.columns) == ["", "a", "b"]


def test_damaged_files_are_said_so(tmp_path):
    subject = artifacts.anomalies(tmp_path / "anomalies")
    (tmp_path / "anomalies" / "Split-eval" / "SchemaDiff.pb").write_bytes(b"\xff\xff\xff")

    note, files = render(subject)

    assert note.text == "The files of ExampleAnomalies 4 cannot be read."
    assert [row[0] for row in files.rows] == ["Split-eval/SchemaDiff.pb"]


def test_a_broken_file_does_not_take_the_page_with_it(tmp_path):
    """Whatever the reader of the format raises: protobuf's errors are no ValueErrors."""
    artifact = make(standard_artifacts.Model, tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff\xff")

    note, files = render(artifacts.subject(artifact))

    assert (note.text, note.tone) == ("The files of Model 1 cannot be read.", "bad")
    assert [row[0] for row in files.rows] == ["saved_model.pb"]


def test_text_that_no_file_can_hold_is_replaced(tmp_path):
    """JSON can write half of a pair of surrogates, UTF-8 cannot."""
    page = render_page(Report("t", "s", [Note(json.loads('"\\ud800 trial"'))]))

    assert "? trial" in page.encode().decode()


def prediction_logs(path: Path, predictions) -> None:
    logs = []
    for values in predictions:
        log = proto_class("PredictionLog")()
        log.predict_log.request.inputs["examples"].string_val.append(b"")
        output = log.predict_log.response.outputs["probabilities"]
        output.dtype = 1
        for size in (1, len(values)):
            output.tensor_shape.dim.add(size=size)
        import struct

        output.tensor_content = struct.pack(f"<{len(values)}f", *values)
        logs.append(log.SerializeToString())
    with tfrecord.Writer(str(path)) as writer:
        writer.write(logs)


def test_predictions_of_several_classes_are_numbers(tmp_path):
    """TensorFlow packs several values into bytes."""
    artifact = make(standard_artifacts.InferenceResult, tmp_path)
    prediction_logs(tmp_path / "prediction_logs-00000-of-00001.gz", [[0.25, 0.75], [1.0, 0.0]])

    predictions = table(render(artifacts.subject(artifact)), "First predictions")

    assert texts(predictions.cells)[0][:2] == ["1", "[0.25, 0.75]"]
    assert texts(predictions.cells)[1][:2] == ["2", "[1, 0]"]


def test_an_empty_first_file_of_predictions_is_passed_over(tmp_path):
    """Stock TFX writes as many files as Beam has bundles, some of them empty."""
    artifact = make(standard_artifacts.InferenceResult, tmp_path)
    prediction_logs(tmp_path / "prediction_logs-00000-of-00002.gz", [])
    prediction_logs(tmp_path / "prediction_logs-00001-of-00002.gz", [[0.5, 0.5]])

    assert len(table(render(artifacts.subject(artifact)), "First predictions").rows) == 1


@pytest.mark.parametrize(
    ("dtype", "content", "shape", "text"),
    [
        ("DT_INT64", b"\x05" + b"\x00" * 7 + b"\xff" * 8, [1, 2], "[5, -1]"),
        ("DT_BOOL", b"\x01\x00", [1, 2], "[yes, no]"),
        ("DT_HALF", b"\x00\x3c\x00\xc0", [1, 2], "[1, -2]"),
        ("DT_BFLOAT16", b"\x00\x3c\x00\xc0", [1, 2], "4 bytes"),
        ("DT_FLOAT", b"", [1, 0], "[]"),
    ],
)
def test_packed_tensors_are_read_by_their_type(dtype, content, shape, text):
    tensor = proto_class("PredictionLog")().predict_log.response.outputs["x"]
    tensor.dtype = proto_class("DataType").Value(dtype)
    tensor.tensor_content = content
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)

    assert inferences.rows_of(tensor, 1) == [text]
