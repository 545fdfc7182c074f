"""Evaluator, as declared in a pipeline."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from headrace.authoring import Channel, standard_artifacts
from headrace.components.evaluator import Evaluator, configuration
from headrace.errors import DefinitionError

CONFIG: dict[str, Any] = {
    "model_specs": [{"label_key": "tips"}],
    "slicing_specs": [{}, {"feature_keys": ["trip_start_hour"]}],
    "metrics_specs": [
        {"metrics": [{"class_name": "AUC", "threshold": {"value_threshold": {"lower_bound": 0.5}}}]}
    ],
}


def evaluator(**arguments: Any) -> Evaluator:
    """With examples and a model."""
    return Evaluator(
        Channel(type=standard_artifacts.Examples), Channel(type=standard_artifacts.Model), **arguments
    )


def test_keys_types_and_encodings_are_those_of_tfx() -> None:
    """JSON text for everything but paths."""
    declared = evaluator(
        eval_config=CONFIG,
        example_splits=["eval"],
        baseline_model=Channel(type=standard_artifacts.Model),
        schema=Channel(type=standard_artifacts.Schema),
        module_path="my_project.evaluation",
    )

    assert declared.type == "tfx.components.evaluator.component.Evaluator"
    assert set(declared.inputs) == {"examples", "model", "baseline_model", "schema"}
    assert {key: channel.type for key, channel in declared.outputs.items()} == {
        "evaluation": standard_artifacts.ModelEvaluation,
        "blessing": standard_artifacts.ModelBlessing,
    }
    assert json.loads(declared.exec_properties.pop("eval_config")) == CONFIG
    assert declared.exec_properties == {
        "feature_slicing_spec": None,
        "fairness_indicator_thresholds": "null",
        "example_splits": '["eval"]',
        "module_file": None,
        "module_path": "my_project.evaluation",
    }


def test_one_split_may_be_named_without_a_list() -> None:
    """A text is a name, not a list of letters."""
    declared = evaluator(eval_config=CONFIG, example_splits="test")
    assert declared.exec_properties["example_splits"] == '["test"]'


@pytest.mark.parametrize(
    "given",
    [
        CONFIG,
        json.dumps(CONFIG),
        'model_specs { label_key: "tips" } slicing_specs {} slicing_specs { feature_keys: "trip_start_hour" } '
        'metrics_specs { metrics { class_name: "AUC" '
        "threshold { value_threshold { lower_bound { value: 0.5 } } } } }",
        configuration.parse(CONFIG, "here"),
    ],
    ids=["mapping", "json", "text", "proto"],
)
def test_configuration_in_any_form_is_recorded_alike(given: Any) -> None:
    """The cache compares what is recorded."""
    text = evaluator(eval_config=given).exec_properties["eval_config"]

    assert text == evaluator(eval_config=CONFIG).exec_properties["eval_config"]


def test_unknown_field_is_named_with_the_nearest() -> None:
    """TFX passes over unknown fields in silence."""
    with pytest.raises(DefinitionError) as caught:
        evaluator(eval_config={"metric_specs": []})

    assert caught.value.problem.startswith(
        "Evaluator: eval_config has no field 'metric_specs'. EvalConfig has "
    )
    assert caught.value.fix == "did you mean 'metrics_specs'? Correct the name."


def test_text_that_does_not_parse_is_said() -> None:
    """With the place in it."""
    with pytest.raises(DefinitionError, match=r"^Evaluator: eval_config is malformed: .*line 1 column"):
        evaluator(eval_config='{"metrics_specs": ')


@pytest.mark.parametrize("given", [3, ["AUC"]])
def test_other_objects_are_refused(given: Any) -> None:
    """With the fields that a mapping may have."""
    with pytest.raises(DefinitionError) as caught:
        evaluator(eval_config=given)

    assert (
        f"is of type EvalConfig, and was given a value of type {type(given).__name__}" in caught.value.problem
    )
    assert "'metrics_specs'" in caught.value.fix


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"module_file": "a.py", "module_path": "a"}, "module_file and module_path are both given."),
        (
            {"eval_config": CONFIG, "feature_slicing_spec": "{}"},
            "eval_config and feature_slicing_spec are both given.",
        ),
    ],
)
def test_arguments_that_exclude_each_other(arguments: dict[str, Any], problem: str) -> None:
    """As TFX refuses them."""
    with pytest.raises(DefinitionError) as caught:
        evaluator(**arguments)

    assert caught.value.problem == f"Evaluator: {problem}"


def test_declaring_loads_nothing_heavy() -> None:
    """The process that plans stays light, also with a configuration to check."""
    program = (
        "import sys\n"
        "from headrace.components.evaluator import Evaluator\n"
        "from headrace.components.infra_validator import InfraValidator\n"
        "from headrace.components.pusher import Pusher\n"
        "from headrace.authoring import Channel, standard_artifacts as types\n"
        "Evaluator(Channel(type=types.Examples), eval_config={'model_specs': [{'label_key': 'a'}]})\n"
        "heavy = ('tensorflow', 'apache_beam', 'tensorflow_model_analysis', 'numpy', 'pandas', 'pyarrow')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"
