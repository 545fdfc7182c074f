"""Plain values in the place of protos: what they stand for, and what is said of those that stand for nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from headrace.authoring import RuntimeParameter
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import to_proto
from headrace.errors import DefinitionError

with authoring():
    from tfx.proto import example_gen_pb2, infra_validator_pb2, pusher_pb2, trainer_pb2

INPUT = example_gen_pb2.Input(
    splits=[example_gen_pb2.Input.Split(name="a", pattern="a/*"), example_gen_pb2.Input.Split(name="b")]
)


@pytest.mark.parametrize(
    "given",
    [
        INPUT,
        {"splits": [{"name": "a", "pattern": "a/*"}, {"name": "b"}]},
        {"splits": ({"name": "a", "pattern": "a/*"}, INPUT.splits[1])},
    ],
    ids=["proto", "mapping", "mapping with a proto in it"],
)
def test_a_proto_and_a_mapping_are_one(given: Any):
    assert to_proto(given, example_gen_pb2.Input, "here") == INPUT


def test_numbers_words_maps_and_names_in_camel_case_are_read():
    spec = to_proto(
        {
            "tensorflowServing": {"tags": ["latest"]},
            "local_docker": {"client_timeout_seconds": 5},
        },
        infra_validator_pb2.ServingSpec,
        "here",
    )
    push = to_proto({"filesystem": {"versioning": "UNIX_TIMESTAMP"}}, pusher_pb2.PushDestination, "here")

    assert (list(spec.tensorflow_serving.tags), spec.local_docker.client_timeout_seconds) == (["latest"], 5)
    assert push.filesystem.versioning == pusher_pb2.Versioning.UNIX_TIMESTAMP


def test_what_tfx_reads_by_itself_stays():
    """JSON text, `None`, and what is known only when the pipeline runs, also in the depth of a mapping."""
    late = RuntimeParameter(name="steps", ptype=int)
    kind = trainer_pb2.TrainArgs

    for given in (None, '{"num_steps": 5}', late):
        assert to_proto(given, kind, "here") is given
    assert to_proto({"num_steps": late}, kind, "here")["num_steps"] is late
    assert to_proto({"splits": late}, kind, "here")["splits"] is late
    assert to_proto({"splits": None}, kind, "here") == kind()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"num_stepz": 5},
            "here has no field 'num_stepz'. TrainArgs has 'num_steps', 'splits'.\n  Fix: did you mean 'num_steps'?",
        ),
        ('{"num_stepz": 5}', "did you mean 'num_steps'?"),
        ({"num_steps": RuntimeParameter(name="steps", ptype=int), "split": []}, "did you mean 'splits'?"),
        ({"num_steps": "many"}, "here is malformed: Failed to parse num_steps field"),
        ({"splits": "train"}, "here.splits is 'train', and takes a list.\n  Fix: write ['train']."),
        ({"splits": [5]}, "here is malformed"),
        ({"splits": {5, "train"}}, "here is malformed"),
        ({"splits": 3}, "here.splits is 3, and takes a list."),
        (5, "here is of type TrainArgs, and was given a value of type int."),
        ("{", "here is malformed: it is no JSON"),
        ("[]", "JSON text of a list"),
        (trainer_pb2.EvalArgs(), "here is of type TrainArgs, and was given a value of type EvalArgs."),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(given: Any, words: str):
    with pytest.raises(DefinitionError, match=re.escape(words)):
        to_proto(given, trainer_pb2.TrainArgs, "here")


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        (
            {"splits": [{"name": "a"}, {"patern": "*"}]},
            example_gen_pb2.Input,
            "here.splits[1] has no field 'patern'",
        ),
        (
            {"filesystem": {"versioning": "AUTOO"}},
            pusher_pb2.PushDestination,
            "here.filesystem.versioning is 'AUTOO'. It can be 'AUTO', 'UNIX_TIMESTAMP'.\n  Fix: did you mean 'AUTO'?",
        ),
        (
            {"splits": ["a"]},
            example_gen_pb2.Input,
            "here.splits[0] is of type Split, and was given a value of type str.",
        ),
        (
            {"splits": {"name": "a"}},
            example_gen_pb2.Input,
            "here.splits is {'name': 'a'}, and takes a list.",
        ),
        (
            {"filesystem": "/models"},
            pusher_pb2.PushDestination,
            "here.filesystem is of type Filesystem, and was given a value of type str.",
        ),
        (
            {"tensorflow_serving": {"signature_name": []}},
            infra_validator_pb2.RequestSpec,
            "here.tensorflow_serving has no field 'signature_name'",
        ),
    ],
)
def test_the_place_in_a_mapping_is_named(given: Any, kind: Any, words: str):
    with pytest.raises(DefinitionError, match=re.escape(words)):
        to_proto(given, kind, "here")
