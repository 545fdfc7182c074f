"""`headrace show ARTIFACT --json` and `headrace.load`: each type's keys, and what is left out of long lists."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import report_artifacts

import headrace
from headrace import testing
from headrace.artifact_types.own import OWN
from headrace.authoring import own_artifacts, standard_artifacts
from headrace.errors import DataError
from headrace.formats import blessings, hyperparameters, importances, predictions, selections
from headrace.formats.bare_protos import proto_class
from headrace.formats.examples import tfrecord
from headrace.formats.importances import Importance, Importances
from headrace.formats.selections import Candidate, Selection
from headrace.results import Bounds
from headrace.ui import artifact_shapes

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from json_keys import misfits

SCHEMA = 'feature { name: "a" type: INT int_domain { min: 0 max: 9 } } feature { name: "b" type: BYTES domain: "d" } '
SCHEMA += 'string_domain { name: "d" value: "x" value: "y" }'


def blessing(folder: Path) -> Any:
    made = testing.make_artifact(folder, standard_artifacts.ModelBlessing)
    blessings.write_model_blessing(made, False)
    return made


def best(folder: Path) -> Any:
    made = testing.make_artifact(folder, standard_artifacts.HyperParameters)
    hyperparameters.write_best(made.uri, {"units": 8})
    return made


def predicted(folder: Path) -> Any:
    """Three predictions in two requests; a number of class names that is no text."""
    made = testing.make_artifact(folder, standard_artifacts.InferenceResult)
    example = proto_class("Example")()
    example.features.feature["n"].int64_list.value.append(4)
    with tfrecord.Writer(f"{predictions.log_path(made.uri)}-00000-of-00001.gz") as writer:
        for rows in (1, 2):
            log = proto_class("PredictionLog")()
            log.predict_log.request.inputs["examples"].string_val.extend([example.SerializeToString()] * rows)
            tensor = log.predict_log.response.outputs["scores"]
            tensor.dtype = proto_class("DataType").Value("DT_FLOAT")
            tensor.tensor_shape.dim.add().size = rows
            tensor.tensor_shape.dim.add().size = 2
            tensor.float_val.extend([0.25, 0.75] * rows)
            writer.write([log.SerializeToString()])
    return made


def measured(folder: Path) -> Any:
    made = testing.make_artifact(folder, own_artifacts.FeatureImportances)
    features = [Importance("a", 0.5, 0.1), Importance("b", 0.0, 0.0)]
    importances.write(made, Importances("log_loss", 0.25, True, 100, 5, "eval", features))
    return made


def chosen(folder: Path) -> Any:
    made = testing.make_artifact(folder, own_artifacts.ModelSelection)
    candidates = [Candidate("a", 0.9, 10, True, 3, {"auc": 0.9}), Candidate("b", None, 20)]
    selections.write(made, Selection("a", "it is", "auc", "Overall", False, candidates, ["b has none"]))
    return made


MADE: dict[str, Callable[[Path], Any]] = {
    "ExampleAnomalies": lambda folder: report_artifacts.anomalies(str(folder)).artifact,
    "Examples": lambda folder: report_artifacts.examples(str(folder)).artifact,
    "ExampleStatistics": lambda folder: report_artifacts.statistics(str(folder)).artifact,
    "FeatureImportances": measured,
    "HyperParameters": best,
    "InferenceResult": predicted,
    "ModelBlessing": blessing,
    "ModelEvaluation": lambda folder: report_artifacts.evaluation(str(folder)).artifact,
    "ModelRun": lambda folder: report_artifacts.model_run(str(folder)).artifact,
    "ModelSelection": chosen,
    "PushedModel": lambda folder: testing.make_artifact(folder, standard_artifacts.PushedModel),
    "Schema": lambda folder: testing.make_schema(folder, SCHEMA),
    "TunerResults": lambda folder: report_artifacts.tuner_results(str(folder)).artifact,
}


@pytest.mark.parametrize("name", list(MADE))
def test_each_type_has_the_keys_of_its_number(name: str, tmp_path: Path) -> None:
    found = headrace.load(MADE[name](tmp_path / "made"))
    shape, number = artifact_shapes.HELD[name]

    holds = json.loads(json.dumps({"format": number, **found.data(Bounds())}, allow_nan=False))

    assert list(misfits(holds, shape)) == []
    assert type(found) is not headrace.results.Result
    assert found.path == str(tmp_path / "made")


def test_every_type_that_is_known_has_a_shape_and_a_class() -> None:
    assert set(artifact_shapes.HELD) == set(OWN)
    assert all(kind.result is not None for kind in OWN.values())


def test_numbers_of_an_evaluation_are_told_by_slice(tmp_path: Path) -> None:
    found = headrace.load(MADE["ModelEvaluation"](tmp_path))
    told: Any = found.data(Bounds())

    for name, value in told["metrics"]["Overall"].items():
        assert found.metrics.loc["Overall", name] == pytest.approx(value, nan_ok=True)
        assert found.metric(name) == pytest.approx(value, nan_ok=True)
    with pytest.raises(DataError, match="has no slice 'overall'") as caught:
        found.metric("auc", "overall")
    assert "did you mean 'Overall'?" in caught.value.fix


def test_what_is_left_out_of_long_lists_is_told(tmp_path: Path) -> None:
    bounds = Bounds(max_items=7)
    values = " ".join(f'value: "{number}"' for number in range(8))
    schema = f'feature {{ name: "a" type: BYTES string_domain {{ {values} }} }}'
    told: Any = headrace.load(testing.make_schema(tmp_path, schema)).data(bounds)

    assert told["features"][0]["values"] == list("0123456")
    assert bounds.cut == ["features.a.values: 7 of 8"]


def test_predictions_stand_beside_what_they_were_made_from(tmp_path: Path) -> None:
    found = headrace.load(MADE["InferenceResult"](tmp_path))

    assert found.predictions.to_dict("list") == {"n": [4, 4, 4], "scores": [[0.25, 0.75]] * 3}
    assert [len(batch) for batch in found.batches(rows=2)] == [2, 1]
    assert len(found.to_pandas(limit=1)) == 1


def test_an_artifact_of_an_unknown_type_has_what_all_have(tmp_path: Path) -> None:
    class Odd(headrace.sdk.Artifact):
        TYPE_NAME = "OddArtifact"

    found = headrace.load(testing.make_artifact(tmp_path, Odd, {"file": "x"}))

    assert found.data(Bounds()) == {"content": None}
    assert (found.type_name, found.path) == ("OddArtifact", str(tmp_path))
    with pytest.raises(DataError, match="nothing is registered that reads artifacts of type OddArtifact"):
        found.content  # noqa: B018 - reading is what fails
