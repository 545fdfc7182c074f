"""Each payload's reader gives back what its writer wrote, reads what 0.1.0 wrote, and says what is wrong with the rest."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace import testing
from headrace.authoring import standard_artifacts
from headrace.errors import MalformedFileError, MissingFileError, ModelError
from headrace.formats import (
    blessings,
    hyperparameters,
    predictions,
    protos,
    pushed_models,
    saved_models,
    training_histories,
    transform_graphs,
    verdicts,
)
from headrace.formats.bare_protos import proto_class
from headrace.formats.evaluations import files
from headrace.formats.evaluations.metrics import read_metrics
from headrace.formats.examples import tfrecord
from headrace.formats.hyperparameters import Trial
from headrace.formats.pushed_models import Push
from headrace.formats.verdicts import Threshold, Verdict

AGAIN = "run the node that makes it again."
# As 0.1.0 wrote it, with a key more that a newer Headrace may add.
OLD_VERDICT = {
    "blessed": False,
    "thresholds": [
        {"metric": "auc", "slice": "Overall", "kind": "value", "value": 0.5, "passed": False, "new": 1}
    ],
    "more": {},
}


def test_a_verdict_is_read_as_it_was_written(tmp_path: Path):
    """What could not be computed is no number in it, and the file carries the number of its form."""
    thresholds = (
        Threshold(
            "auc", "hour:1", "relative change", 0.1, None, 0.9, 0.8, math.nan, False, "was not computed"
        ),
        Threshold("auc", "Overall", "value", upper_bound=1.0, value=0.5, compared=0.5, passed=True),
    )

    verdicts.write(str(tmp_path), True, thresholds)

    first = Threshold(
        "auc", "hour:1", "relative change", 0.1, None, 0.9, 0.8, None, False, "was not computed"
    )
    assert verdicts.read(str(tmp_path)) == Verdict(True, (first, thresholds[1]))
    assert json.loads((tmp_path / "verdict.json").read_text())["format"] == 1


def test_a_verdict_of_another_version_is_read(tmp_path: Path):
    """0.1.0's has no number, and keys that this version does not know are passed over."""
    (tmp_path / "verdict.json").write_text(json.dumps(OLD_VERDICT))

    threshold = Threshold("auc", "Overall", "value", value=0.5, passed=False)
    assert verdicts.read(str(tmp_path)) == Verdict(False, (threshold,))
    assert verdicts.read(str(tmp_path / "nothing")) is None


def test_a_newer_form_is_refused_in_one_sentence(tmp_path: Path):
    for name, read, what in (
        ("verdict.json", verdicts.read, "a verdict"),
        ("classes.json", files.read_class_names, "a list of classes"),
    ):
        (tmp_path / name).write_text(json.dumps({"format": 7}))

        with pytest.raises(MalformedFileError) as caught:
            read(str(tmp_path))

        assert str(caught.value) == (
            f"{tmp_path / name} holds {what} in format 7, which a newer Headrace wrote; this one knows 1.\n"
            "  Fix: read it with that version, or upgrade this one: pip install --upgrade headrace"
        )


DAMAGED: list[tuple[str, str, Callable[[str], Any], str]] = [
    ("verdict.json", "{", verdicts.read, "a verdict"),
    ("verdict.json", "[]", verdicts.read, "a verdict: it is a list"),
    ("verdict.json", '{"format": "1"}', verdicts.read, "a verdict: its format is '1'"),
    ("verdict.json", '{"blessed": 3}', verdicts.read, "a verdict"),
    ("verdict.json", '{"thresholds": {}}', verdicts.read, "a verdict"),
    ("verdict.json", '{"thresholds": [1]}', verdicts.read, "a verdict: a threshold is a int"),
    (
        "verdict.json",
        '{"thresholds": [{"value": "1"}]}',
        verdicts.read,
        "a verdict: 'value' of a threshold is '1'",
    ),
    ("classes.json", '{"classes": 3}', files.read_class_names, "a list of classes: 'classes' is a int"),
    ("eval_config.json", '{"evalConfig": []}', files.read_baseline_name, "an EvalRun"),
    ("eval_config.json", '{"evalConfig": {"modelSpecs": [1]}}', files.read_baseline_name, "an EvalRun"),
    ("history.json", "[1]", training_histories.read, "a training history: it is a list"),
    ("history.json", "[" * 100_000, training_histories.read, "a training history"),
    ("best.txt", "3", hyperparameters.read_best, "hyperparameters: it is a int"),
    ("best.txt", '{"values": {}, "space": [{}]}', hyperparameters.read_best, "a space of hyperparameters"),
    ("tuner_results.json", '{"a": 1}', hyperparameters.read_trials, "a list of trials"),
    (
        "tuner_results.json",
        '[{"score": 1}]',
        hyperparameters.read_trials,
        "a list of trials: KeyError('trial_id')",
    ),
    (
        "tuner_results.json",
        '[{"trial_id": 1, "score": "x"}]',
        hyperparameters.read_trials,
        "a list of trials",
    ),
]


@pytest.mark.parametrize(("name", "content", "read", "what"), DAMAGED)
def test_a_damaged_file_is_named(
    tmp_path: Path, name: str, content: str, read: Callable[[str], Any], what: str
):
    (tmp_path / name).write_text(content)

    with pytest.raises(MalformedFileError) as caught:
        read(str(tmp_path))

    assert caught.value.problem.startswith(f"{tmp_path / name} is not {what}")
    assert caught.value.fix == AGAIN


@pytest.mark.parametrize(
    ("name", "read", "what"),
    [
        ("metrics-00000-of-00001.tfrecord", read_metrics, "a file of TFMA's metrics"),
        (
            "prediction_logs-00000-of-00001.gz",
            lambda path: list(predictions.read(path, 10)),
            "a file of prediction logs",
        ),
    ],
)
def test_a_damaged_record_is_named(tmp_path: Path, name: str, read: Callable[[str], Any], what: str):
    with tfrecord.Writer(str(tmp_path / name)) as writer:
        writer.write([b"\xff\xff"])

    with pytest.raises(MalformedFileError) as caught:
        read(str(tmp_path))

    assert caught.value.problem.startswith(f"{tmp_path / name} is not {what}")


def test_the_baseline_is_the_one_that_the_evaluation_names(tmp_path: Path):
    """TFMA calls it so where nothing is told."""
    assert files.read_baseline_name(str(tmp_path)) == "baseline"

    files.write_config(
        str(tmp_path), {"evalConfig": {"modelSpecs": [{"name": "a"}, {"name": "b", "isBaseline": True}]}}
    )

    assert files.read_baseline_name(str(tmp_path)) == "b"


def test_classes_keep_their_names(tmp_path: Path):
    assert files.read_class_names(str(tmp_path)) == ()

    files.write_class_names(str(tmp_path), ["bolt", "ñut"])

    assert files.read_class_names(str(tmp_path)) == ("bolt", "ñut")


def test_a_history_is_read_from_json_or_from_what_an_interrupted_training_left(tmp_path: Path):
    assert training_histories.read(str(tmp_path)) == {}

    (tmp_path / "history.csv").write_text("epoch,loss,lr\n0,0.5,\n1,0.25,x\n")
    logged = training_histories.read(str(tmp_path))
    training_histories.write(str(tmp_path), {"loss": [0.5, math.nan]})
    written = training_histories.read(str(tmp_path))

    assert logged["loss"] == [0.5, 0.25]
    assert all(map(math.isnan, logged["lr"]))
    assert list(logged) == ["loss", "lr"]
    assert written["loss"][0] == 0.5
    assert math.isnan(written["loss"][1])


def test_hyperparameters_are_read_with_and_without_their_space(tmp_path: Path):
    """`run_fn` gets the whole file."""
    with pytest.raises(MissingFileError, match="there is no file with hyperparameters"):
        hyperparameters.read_best(str(tmp_path))
    space = {"class_name": "Choice", "config": {"name": "units", "values": [8, 16]}}
    config = {"space": [space], "values": {"units": 8}}

    hyperparameters.write_best(str(tmp_path / "a"), config)
    hyperparameters.write_best(str(tmp_path / "b"), {"units": 8})

    found, plain = (hyperparameters.read_best(str(tmp_path / name)) for name in "ab")
    assert (found.values, found.spaces, found.content) == ({"units": 8}, {"units": space}, config)
    assert (plain.values, plain.spaces, plain.content) == ({"units": 8}, {}, {"units": 8})


def test_trials_are_read_as_they_were_written(tmp_path: Path):
    trials = [Trial("07", 0.5, {"units": 8}), Trial("1", None, {})]

    hyperparameters.write_trials(str(tmp_path), trials)

    assert hyperparameters.read_trials(str(tmp_path)) == trials
    with pytest.raises(MissingFileError):
        hyperparameters.read_trials(str(tmp_path / "nothing"))


@pytest.mark.parametrize(("is_blessed", "words"), [(True, "BLESSED"), (False, "NOT BLESSED")])
def test_a_blessing_is_read_as_it_was_written(tmp_path: Path, is_blessed: bool, words: str):
    """File and properties are those by which TFX knows it."""
    model = testing.make_artifact(tmp_path / "model", standard_artifacts.ModelBlessing)
    infra = testing.make_artifact(tmp_path / "infra", standard_artifacts.InfraBlessing)
    assert blessings.read(model) == blessings.Blessing(None)

    blessings.write_model_blessing(model, is_blessed, ("/model", 3), ("/baseline", 2), "Evaluator")
    blessings.write_infra_blessing(infra, is_blessed, has_model=is_blessed)

    assert blessings.read(model) == blessings.Blessing(is_blessed, words)
    assert blessings.read(infra) == blessings.Blessing(is_blessed, f"INFRA {words}")
    assert [blessings.allows(one) for one in (model, infra)] == [is_blessed, is_blessed]
    assert blessings.has_model(infra) is is_blessed
    assert [path.name for path in (tmp_path / "model").iterdir()] == [words.replace(" ", "_")]
    assert {name: model.get_custom_property(name) for name in model.mlmd_artifact.custom_properties} == {
        "current_model": "/model",
        "current_model_id": 3,
        "baseline_model": "/baseline",
        "baseline_model_id": 2,
        "component_id": "Evaluator",
        "blessed": int(is_blessed),
    }


def test_a_push_is_read_as_it_was_written(tmp_path: Path):
    pushed, kept = (
        testing.make_artifact(tmp_path / name, standard_artifacts.PushedModel) for name in ("pushed", "kept")
    )

    pushed_models.write(pushed, Push("/serving/7", "7"))
    pushed_models.write(kept, Push())

    assert (pushed_models.read(pushed), pushed_models.read(kept)) == (Push("/serving/7", "7"), Push())
    assert [one.get_int_custom_property("pushed") for one in (pushed, kept)] == [1, 0]


def test_a_saved_model_is_read_and_written_without_tensorflow(tmp_path: Path):
    """Equal content gives equal bytes; a damaged one is named."""
    proto = proto_class("SavedModel")(saved_model_schema_version=1)
    proto.meta_graphs.add().signature_def["serving_default"].inputs["x"].dtype = proto_class(
        "DataType"
    ).Value("DT_STRING")
    (tmp_path / "a" / "b").mkdir(parents=True)

    saved_models.write(str(tmp_path / "a" / "b"), proto)
    found = saved_models.read(str(tmp_path / "a" / "b"), "Evaluator: model")

    assert found == proto
    assert list(saved_models.folders(str(tmp_path))) == [str(tmp_path / "a" / "b")]
    (tmp_path / "a" / "saved_model.pb").write_bytes(b"\xff")
    with pytest.raises(ModelError, match=r"Evaluator: model: .*saved_model\.pb is damaged"):
        saved_models.read(str(tmp_path / "a"), "Evaluator: model")


def test_what_is_missing_of_a_transform_graph_is_named(tmp_path: Path):
    with pytest.raises(MissingFileError) as caught:
        transform_graphs.read_transformed_schema(str(tmp_path))

    assert str(caught.value) == (
        f"there is no file {tmp_path}/transformed_metadata/schema.pbtxt.\n  Fix: {AGAIN}"
    )


def test_bytes_where_a_text_is_expected_have_no_line(tmp_path: Path):
    (tmp_path / "schema.pbtxt").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(MalformedFileError) as caught:
        protos.read_schema_in(str(tmp_path))

    assert caught.value.problem.startswith(
        f"{tmp_path}/schema.pbtxt: not a Schema in text form: 'utf-8' codec"
    )
    assert caught.value.fix == "give a file of the text form."
