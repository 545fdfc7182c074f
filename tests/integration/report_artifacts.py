"""Small artifacts of many kinds, with hostile names in them, for tests of the pages."""

from __future__ import annotations

import io
import json
import math
import os
import random

from PIL import Image
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from headrace.authoring.light import authoring
from headrace.formats import protos
from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord
from headrace.store.read.graph import ArtifactInfo
from headrace.store.read.subjects import Subject

with authoring():
    from tfx.types import standard_artifacts

HOSTILE = "<script>alert(1)</script>"
HOSTILE_JSON = "</script><script>alert(2)</script>"


def subject(artifact, **more) -> Subject:
    """Return an artifact as the store would describe it."""
    from datetime import datetime

    info = ArtifactInfo(
        artifact.id, artifact.type_name, artifact.uri, "live", "", "", datetime(2026, 11, 21, 12, 0)
    )
    return Subject(artifact, info, **more)


def make(kind, folder, artifact_id=1):
    artifact = kind()
    artifact.id = artifact_id
    artifact.uri = str(folder)
    os.makedirs(folder, exist_ok=True)
    return artifact


def examples(folder, rows=30):
    """Numbers that go together, a text, an image and a feature with a hostile name."""
    artifact = make(standard_artifacts.Examples, folder)
    artifact.split_names = '["train", "eval"]'
    artifact.set_string_custom_property("file_format", "tfrecords_gzip")
    buffer = io.BytesIO()
    Image.new("RGB", (200, 100), "#2f6fde").save(buffer, "PNG")
    chance = random.Random(1)
    for split in ("train", "eval"):
        os.makedirs(os.path.join(folder, f"Split-{split}"))
        with tfrecord.Writer(os.path.join(folder, f"Split-{split}", "data-00000-of-00001.gz")) as writer:
            writer.write([_example(number, chance, buffer.getvalue()) for number in range(rows)])
    return subject(artifact)


def _example(number, chance, image):
    example = proto_class("Example")()
    feature = example.features.feature
    feature["number"].float_list.value.append(number)
    feature["double"].float_list.value.append(2 * number + chance.random())
    feature["count"].int64_list.value.append(number % 7)
    feature["text"].bytes_list.value.append(f"row {number} — “quoted” & <b>bold</b>".encode())
    feature["picture"].bytes_list.value.append(image)
    feature[HOSTILE].bytes_list.value.append(HOSTILE.encode())
    feature["empty"].int64_list.SetInParent()
    return example.SerializeToString()


def statistics(folder, num_features=12, splits=("train", "eval")):
    """Numbers and texts in turn; the second split of every fourth feature is moved."""
    artifact = make(standard_artifacts.ExampleStatistics, folder, 2)
    artifact.split_names = json.dumps(list(splits))
    for place, split in enumerate(splits):
        read = statistics_pb2.DatasetFeatureStatisticsList()
        dataset = read.datasets.add(name=split, num_examples=1000 // (place + 1))
        for index in range(num_features):
            _feature(dataset, index, place)
        protos.write_binary(os.path.join(folder, f"Split-{split}", protos.STATISTICS_FILE), read)
    return subject(artifact)


def _feature(dataset, index, place):
    name = HOSTILE if index == 1 else f"feature_{index:04d}"
    feature = dataset.features.add()
    feature.path.step.append(name)
    shift = 2.0 * place if index % 4 == 0 else 0.0
    numeric = index % 2 == 0
    feature.type = (
        statistics_pb2.FeatureNameStatistics.FLOAT if numeric else statistics_pb2.FeatureNameStatistics.STRING
    )
    stats = feature.num_stats if numeric else feature.string_stats
    common = stats.common_stats
    common.num_non_missing = dataset.num_examples - 10 * index % 300
    common.num_missing = 10 * index % 300
    common.min_num_values = common.max_num_values = 1
    common.tot_num_values = common.num_non_missing
    if numeric:
        stats.mean, stats.std_dev, stats.min, stats.max, stats.median = (
            shift,
            1.0,
            shift - 3,
            shift + 3,
            shift,
        )
        for kind in (statistics_pb2.Histogram.STANDARD, statistics_pb2.Histogram.QUANTILES):
            histogram = stats.histograms.add(type=kind)
            for bucket in range(10):
                low = shift - 3 + 0.6 * bucket
                count = math.exp(-((low + 0.3 - shift) ** 2) / 2) if kind == 0 else 1
                histogram.buckets.add(low_value=low, high_value=low + 0.6, sample_count=count)
    else:
        stats.unique = 40
        for rank in range(20):
            value = HOSTILE_JSON if rank == 0 else f"value {rank}"
            stats.top_values.add(value=value, frequency=100 / (rank + 1))
            stats.rank_histogram.buckets.add(
                low_rank=rank, high_rank=rank, label=value, sample_count=100 / (rank + 1)
            )


def schema(folder, text, artifact_id=3):
    """A schema given as text."""
    from google.protobuf import text_format

    artifact = make(standard_artifacts.Schema, folder, artifact_id)
    protos.write_text(os.path.join(folder, protos.SCHEMA_FILE), text_format.Parse(text, schema_pb2.Schema()))
    return subject(artifact)


def anomalies(folder):
    """A value that the schema lacks, and drift over its threshold."""
    artifact = make(standard_artifacts.ExampleAnomalies, folder, 4)
    artifact.split_names = '["eval"]'
    proto = anomalies_pb2.Anomalies()
    info = proto.anomaly_info[HOSTILE]
    info.severity = anomalies_pb2.AnomalyInfo.ERROR
    info.reason.add(
        short_description="Unexpected string values", description="Examples contain values missing: Prcard"
    )
    drift = proto.drift_skew_info.add()
    drift.path.step.append("payment_type")
    drift.drift_measurements.add(type=1, value=0.31, threshold=0.01)
    drift.skew_measurements.add(type=2, value=0.002, threshold=0.01)
    protos.write_binary(os.path.join(folder, "Split-eval", protos.ANOMALIES_FILE), proto)
    return subject(artifact)


def evaluation(folder):
    """Binary curves, calibration and classes; intervals; a candidate beside a baseline."""
    artifact = make(standard_artifacts.ModelEvaluation, folder, 5)
    slices = [("", None), ("hour", 1), ("company", HOSTILE)]
    metrics = [_metrics(column, value, 0.9 - 0.05 * place) for place, (column, value) in enumerate(slices)]
    _write(folder, "metrics", metrics)
    _write(folder, "plots", [_plots()])
    verdict = {
        "blessed": False,
        "thresholds": [
            {
                "metric": "auc",
                "slice": "Overall",
                "kind": "value",
                "lower_bound": 0.95,
                "value": 0.9,
                "compared": 0.9,
                "passed": False,
            }
        ],
    }
    with open(os.path.join(folder, "verdict.json"), "w", encoding="utf-8") as file:
        json.dump(verdict, file)
    return subject(artifact)


def _write(folder, kind, messages):
    with tfrecord.Writer(os.path.join(folder, f"{kind}-00000-of-00001.tfrecord")) as writer:
        writer.write([message.SerializeToString() for message in messages])


def _slice(proto, column, value):
    if column:
        key = proto.slice_key.single_slice_keys.add(column=column)
        if isinstance(value, int):
            key.int64_value = value
        else:
            key.bytes_value = value.encode()


def _metrics(column, value, auc):
    proto = proto_class("MetricsForSlice")()
    _slice(proto, column, value)
    for model, change in (("candidate", 0.0), ("baseline", -0.02)):
        metric = proto.metric_keys_and_values.add()
        metric.key.name, metric.key.model_name = "auc", model
        metric.value.double_value.value = auc + change
        metric.confidence_interval.lower_bound.double_value.value = auc + change - 0.03
        metric.confidence_interval.upper_bound.double_value.value = auc + change + 0.03
    count = proto.metric_keys_and_values.add()
    count.key.name = "example_count"
    count.value.double_value.value = 1000
    return proto


def _plots():
    proto = proto_class("PlotsForSlice")()
    plot = proto.plot_keys_and_values.add()
    for step in range(101):
        threshold = step / 100
        recall, fall_out = 1 - threshold**2, (1 - threshold) ** 2
        plot.value.confusion_matrix_at_thresholds.matrices.add(
            threshold=threshold,
            true_positives=400 * recall,
            false_negatives=400 * (1 - recall),
            false_positives=600 * fall_out,
            true_negatives=600 * (1 - fall_out),
        )
        bucket = plot.value.calibration_histogram_buckets.buckets.add()
        bucket.num_weighted_examples.value = 10
        bucket.total_weighted_refined_prediction.value = 10 * threshold
        bucket.total_weighted_label.value = 10 * threshold**1.2
    matrix = plot.value.multi_class_confusion_matrix_at_thresholds.matrices.add(threshold=0.0)
    for actual in range(3):
        for predicted in range(3):
            matrix.entries.add(
                actual_class_id=actual,
                predicted_class_id=predicted,
                num_weighted_examples=50 if actual == predicted else 5,
            )
    return proto


def model_run(folder):
    """A run that overfits after its fifth epoch."""
    artifact = make(standard_artifacts.ModelRun, folder, 6)
    history = {
        "loss": [1.0 / (epoch + 1) for epoch in range(10)],
        "val_loss": [0.9, 0.7, 0.6, 0.5, 0.45, 0.47, 0.5, 0.55, 0.6, 0.7],
    }
    with open(os.path.join(folder, "history.json"), "w", encoding="utf-8") as file:
        json.dump(history, file)
    return subject(artifact)


def tuner_results(folder):
    """Trials over a number and a name."""
    from headrace.authoring import Artifact

    class TunerResults(Artifact):
        TYPE_NAME = "TunerResults"

    artifact = make(TunerResults, folder, 7)
    chance = random.Random(2)
    trials = [
        {
            "trial_id": str(number),
            "score": 0.1 + 0.01 * number,
            "units": chance.choice([8, 16, 32]),
            "kind": chance.choice("ab"),
        }
        for number in range(12)
    ]
    with open(os.path.join(folder, "tuner_results.json"), "w", encoding="utf-8") as file:
        json.dump(trials, file)
    return subject(artifact)
