"""The libraries' own cases pass on our code in the place of theirs, with their rows in several files."""

from __future__ import annotations

from pathlib import Path

from library_suites import run_suites

TFMA = (
    "mean_regression_error_test.py",
    "cross_entropy_metrics_test.py",
    "example_count_test.py",
    "multi_class_confusion_matrix_metrics_test.py",
    "calibration_test.py",
)


def test_tfmas_metrics(tmp_path: Path) -> None:
    """Most of them by batches; what each expects is TFMA's to say."""
    files = [f"metrics/{name}" for name in TFMA]

    assert run_suites(tmp_path, "tensorflow_model_analysis", files, "tfma_suite", "Test") >= 20


def test_tfts_composite_outputs_and_partial_schemas(tmp_path: Path) -> None:
    """Sparse and ragged inputs and outputs; a schema that describes one feature alone."""
    only = "testNumericMappersWithCompositeInputs or testScalePerKeyRaggeddense_key_int64"

    assert run_suites(tmp_path, "tensorflow_transform", ["beam/impl_test.py"], "tft_suite", only) >= 5


def test_tfdvs_lifts(tmp_path: Path) -> None:
    """With a label, which TFDV's own transform computes."""
    files = ["statistics/stats_impl_test.py"]

    assert run_suites(tmp_path, "tensorflow_data_validation", files, "tfdv_suite", "label_feature") >= 1
