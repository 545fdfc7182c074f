"""Every argument of a component that TFX declares as a proto takes plain values, and is recorded alike."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from headrace import components
from headrace.authoring import Channel, Component, generations, latest_blessed_model, standard_artifacts
from headrace.authoring.light import authoring
from headrace.errors import DefinitionError

with authoring():
    from tfx.proto import (
        bulk_inferrer_pb2,
        example_gen_pb2,
        infra_validator_pb2,
        pusher_pb2,
        range_config_pb2,
        trainer_pb2,
        transform_pb2,
        tuner_pb2,
    )

MODEL = Channel(type=standard_artifacts.Model)
EXAMPLES = Channel(type=standard_artifacts.Examples)
SCHEMA = Channel(type=standard_artifacts.Schema)
STATISTICS = Channel(type=standard_artifacts.ExampleStatistics)


def _function(*_: Any) -> None:
    """Stands for a user's function."""


def _rows(path: str) -> Any:
    """Stands for a user's generator."""
    yield {"path": path}


_HERE = f"{__file__}:_function"
_MAKERS: dict[str, Callable[..., Component]] = {
    "Trainer": lambda **given: components.Trainer(EXAMPLES, schema=SCHEMA, build_model=_HERE, **given),
    "Tuner": lambda **given: components.Tuner(
        EXAMPLES, schema=SCHEMA, build_model=_HERE, search_space={"units": [1]}, **given
    ),
    "Transform": lambda **given: components.Transform(EXAMPLES, SCHEMA, preprocessing_fn=_HERE, **given),
    "BulkInferrer": lambda **given: components.BulkInferrer(EXAMPLES, MODEL, **given),
    "InfraValidator": lambda **given: components.InfraValidator(MODEL, **given),
    "Pusher": lambda **given: components.Pusher(MODEL, **given),
    "CsvExampleGen": lambda **given: components.CsvExampleGen("data", **given),
    "ParquetExampleGen": lambda **given: components.ParquetExampleGen("data", **given),
    "ImportExampleGen": lambda **given: components.ImportExampleGen("data", **given),
    "ImageFolderExampleGen": lambda **given: components.ImageFolderExampleGen("data", **given),
    "AudioExampleGen": lambda **given: components.AudioExampleGen("data", **given),
    "JsonExampleGen": lambda **given: components.JsonExampleGen("data", **given),
    "TextExampleGen": lambda **given: components.TextExampleGen("data", **given),
    "SqlExampleGen": lambda **given: components.SqlExampleGen(
        "sqlite:///a.db", None if "input_config" in given else "trips", **given
    ),
    "FunctionExampleGen": lambda **given: components.FunctionExampleGen(
        f"{__file__}:_rows", None, "data", **given
    ),
    "Evaluator": lambda **given: components.Evaluator(EXAMPLES, MODEL, **given),
    "ExampleValidator": lambda **given: components.ExampleValidator(STATISTICS, SCHEMA, **given),
}
_EXAMPLE_GENS = {
    "input_config": example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name="a", pattern="*")]),
    "output_config": example_gen_pb2.Output(
        split_config=example_gen_pb2.SplitConfig(
            splits=[example_gen_pb2.SplitConfig.Split(name="a", hash_buckets=1)]
        )
    ),
    "range_config": range_config_pb2.RangeConfig(
        static_range=range_config_pb2.StaticRange(start_span_number=1, end_span_number=2)
    ),
}
PROTOS: dict[str, dict[str, Message]] = {
    "Trainer": {
        "train_args": trainer_pb2.TrainArgs(num_steps=5, splits=["train"]),
        "eval_args": trainer_pb2.EvalArgs(num_steps=5),
    },
    "Tuner": {
        "train_args": trainer_pb2.TrainArgs(num_steps=5),
        "eval_args": trainer_pb2.EvalArgs(num_steps=5),
        "tune_args": tuner_pb2.TuneArgs(num_parallel_trials=1),
    },
    "Transform": {"splits_config": transform_pb2.SplitsConfig(analyze=["train"], transform=["eval"])},
    "BulkInferrer": {
        "data_spec": bulk_inferrer_pb2.DataSpec(example_splits=["eval"]),
        "model_spec": bulk_inferrer_pb2.ModelSpec(model_signature_name=["serving_default"]),
        "output_example_spec": bulk_inferrer_pb2.OutputExampleSpec(
            output_columns_spec=[
                bulk_inferrer_pb2.OutputColumnsSpec(
                    predict_output=bulk_inferrer_pb2.PredictOutput(
                        output_columns=[bulk_inferrer_pb2.PredictOutputCol(output_key="a", output_column="b")]
                    )
                )
            ]
        ),
    },
    "InfraValidator": {
        "serving_spec": infra_validator_pb2.ServingSpec(
            tensorflow_serving=infra_validator_pb2.TensorFlowServing(tags=["latest"])
        ),
        "request_spec": infra_validator_pb2.RequestSpec(num_examples=3),
        "validation_spec": infra_validator_pb2.ValidationSpec(num_tries=2),
    },
    "Pusher": {
        "push_destination": pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory="/srv")
        )
    },
    "CsvExampleGen": _EXAMPLE_GENS,
    "ParquetExampleGen": _EXAMPLE_GENS,
    "ImportExampleGen": _EXAMPLE_GENS,
    "ImageFolderExampleGen": _EXAMPLE_GENS,
    "AudioExampleGen": _EXAMPLE_GENS,
    "JsonExampleGen": _EXAMPLE_GENS,
    "TextExampleGen": _EXAMPLE_GENS,
    "SqlExampleGen": {
        **_EXAMPLE_GENS,
        "input_config": example_gen_pb2.Input(
            splits=[example_gen_pb2.Input.Split(name="a", pattern="trips")]
        ),
    },
    "FunctionExampleGen": _EXAMPLE_GENS,
}
CASES = [(name, argument, proto) for name, given in PROTOS.items() for argument, proto in given.items()]
# Recorded in a form of its own, which its own tests look at.
_OTHER_FORMS = {
    ("DataFrameExampleGen", "output_config"),
    ("Evaluator", "eval_config"),
    ("Evaluator", "feature_slicing_spec"),
}
if generations.HAS_CUSTOM_VALIDATION:
    _OTHER_FORMS.add(("ExampleValidator", "custom_validation_config"))
# No argument, but what the component makes of others.
_MADE = {
    (f"{kind}ExampleGen", "custom_config")
    for kind in (
        "Csv",
        "Parquet",
        "Import",
        "ImageFolder",
        "Audio",
        "Json",
        "Text",
        "Sql",
        "DataFrame",
        "Function",
    )
} | {("DataFrameExampleGen", "input_config"), ("DataFrameExampleGen", "range_config")}


def _proto_parameters(kind: type[Component]) -> set[str]:
    return {
        name
        for name, parameter in kind.SPEC_CLASS.PARAMETERS.items()
        if inspect.isclass(parameter.type) and issubclass(parameter.type, Message)
    }


def test_no_argument_is_forgotten():
    """Of every component there is, also of the next one."""
    kinds = {
        name: kind
        for name in components.__all__
        if inspect.isclass(kind := getattr(components, name)) and issubclass(kind, Component)
    }
    declared = {(name, argument) for name, kind in kinds.items() for argument in _proto_parameters(kind)}
    tested = {(name, argument) for name, argument, _ in CASES} | _OTHER_FORMS | _MADE

    assert declared - tested == set()
    for name, argument in declared - _MADE:
        hint = inspect.signature(kinds[name].__init__).parameters[argument].annotation
        assert hint == "ProtoLike | None", f"{name}: {argument}"


@pytest.mark.parametrize(("name", "argument", "proto"), CASES)
def test_a_mapping_is_recorded_as_the_proto_is(name: str, argument: str, proto: Message):
    """So one cache key stands for both, and TFX's executors read both."""
    mapping = json_format.MessageToDict(proto, preserving_proto_field_name=True)
    needed = PROTOS["Pusher"] if name == "Pusher" else {}

    by_proto = _MAKERS[name](**{**needed, argument: proto})
    by_mapping = _MAKERS[name](**{**needed, argument: mapping})

    assert by_mapping.exec_properties == by_proto.exec_properties
    assert list(by_mapping.outputs) == list(by_proto.outputs)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        *[case[:2] for case in CASES],
        *sorted(one for one in _OTHER_FORMS if one[0] in _MAKERS and one != ("Evaluator", "eval_config")),
    ],
)
def test_an_unknown_field_is_told_with_component_and_argument(name: str, argument: str):
    with pytest.raises(DefinitionError, match=rf"^{name}: {argument} has no field 'nonsense'"):
        _MAKERS[name](**{argument: {"nonsense": 1}})


def test_the_options_of_statistics_are_a_mapping():
    """Recorded as JSON; TFDV is not loaded to check their names."""
    component = components.StatisticsGen(EXAMPLES, stats_options={"num_top_values": 5, "label_feature": "a"})

    assert json.loads(component.exec_properties["stats_options_json"]) == {
        "num_top_values": 5,
        "label_feature": "a",
    }
    for given, words in (
        ({"num_topvalues": 5}, "did you mean 'num_top_values'?"),
        ({"schema": "s"}, "connect the channel of the schema"),
        ({"sample_rate": object()}, "cannot be kept as JSON"),
    ):
        with pytest.raises(DefinitionError, match=re.escape(words)):
            components.StatisticsGen(EXAMPLES, stats_options=given)


def test_payload_formats_go_by_name():
    by_name = components.CsvExampleGen("data", output_data_format="FORMAT_PARQUET")
    imported = components.ImportExampleGen("data", payload_format="FORMAT_PROTO")

    assert by_name.exec_properties["output_data_format"] == example_gen_pb2.FORMAT_PARQUET
    assert imported.exec_properties["output_data_format"] == example_gen_pb2.FORMAT_PROTO


def test_the_latest_blessed_model_is_one_word():
    """Each has an id of its own where there are several."""
    default, named = latest_blessed_model(), components.latest_blessed_model("Baseline")

    assert (default.id, named.id) == ("LatestBlessedModel", "Baseline")
    assert {key: channel.type for key, channel in default.outputs.items()} == {
        "model": standard_artifacts.Model,
        "model_blessing": standard_artifacts.ModelBlessing,
    }


@pytest.mark.parametrize(("name", "argument"), [(name, argument) for name, argument, _ in CASES])
def test_an_empty_list_is_no_proto(name: str, argument: str):
    """What counts as false is not taken for an argument left out."""
    with pytest.raises(DefinitionError, match="given a value of type list"):
        _MAKERS[name](**{argument: []})


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("StatisticsGen", "exclude_splits"),
        ("SchemaGen", "exclude_splits"),
        ("ExampleValidator", "exclude_splits"),
        ("Evaluator", "example_splits"),
    ],
)
def test_one_name_needs_no_list(name: str, argument: str):
    """A text is iterable: its letters would be recorded as names, and nothing left out."""
    makers: dict[str, Callable[..., Component]] = {
        **_MAKERS,
        "StatisticsGen": lambda **given: components.StatisticsGen(EXAMPLES, **given),
        "SchemaGen": lambda **given: components.SchemaGen(STATISTICS, **given),
    }

    by_name = makers[name](**{argument: "eval"})
    by_list = makers[name](**{argument: ["eval"]})
    by_set = makers[name](**{argument: {"eval": 1}.keys()})

    assert by_name.exec_properties[argument] == '["eval"]'
    assert by_list.exec_properties == by_name.exec_properties == by_set.exec_properties
    for wrong in (3, ["eval", None]):
        with pytest.raises(DefinitionError, match=rf"^{name}: {argument} is .* no name"):
            makers[name](**{argument: wrong})
