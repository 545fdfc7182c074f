"""Pusher, as declared in a pipeline."""

from __future__ import annotations

import json
import os

import pytest

from headrace.authoring import Channel, standard_artifacts
from headrace.authoring.light import authoring
from headrace.components.pusher import Pusher
from headrace.errors import DefinitionError

with authoring():
    from tfx.proto import pusher_pb2

DESTINATION = {"filesystem": {"base_directory": "/srv/models"}}


def model() -> Channel:
    """A channel of models."""
    return Channel(type=standard_artifacts.Model)


def test_keys_types_and_encodings_are_those_of_tfx() -> None:
    """A store written by either is read by both."""
    pusher = Pusher(
        model(),
        Channel(type=standard_artifacts.ModelBlessing),
        Channel(type=standard_artifacts.InfraBlessing),
        pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory="/srv/models")
        ),
        {"b": 1, "a": 2},
    )

    assert pusher.type == "tfx.components.pusher.component.Pusher"
    assert set(pusher.inputs) == {"model", "model_blessing", "infra_blessing"}
    assert pusher.outputs["pushed_model"].type is standard_artifacts.PushedModel
    assert json.loads(pusher.exec_properties["push_destination"]) == DESTINATION
    assert pusher.exec_properties["custom_config"] == '{"a": 2, "b": 1}'


def test_destination_may_be_a_mapping() -> None:
    """No proto to import for the usual case."""
    pusher = Pusher(model(), push_destination=DESTINATION)

    assert json.loads(pusher.exec_properties["push_destination"]) == DESTINATION


def test_no_destination_says_what_to_write() -> None:
    """As in TFX, found when the pipeline is written."""
    with pytest.raises(DefinitionError) as caught:
        Pusher(model())

    assert str(caught.value) == (
        "Pusher: no push_destination is given.\n"
        '  Fix: give push_destination={"filesystem": {"base_directory": "/an/absolute/path"}}.'
    )


def test_relative_destination_is_refused() -> None:
    """It would depend on where the command runs."""
    with pytest.raises(DefinitionError) as caught:
        Pusher(model(), push_destination={"filesystem": {"base_directory": "models/taxi"}})

    assert str(caught.value) == (
        "Pusher: push destination 'models/taxi' is a relative path, which depends on where the command runs.\n"
        f"  Fix: give an absolute path, such as '{os.path.abspath('models/taxi')}'."
    )


def test_nothing_to_push_is_refused() -> None:
    """Either a model, or an infra blessing that holds one."""
    with pytest.raises(DefinitionError) as caught:
        Pusher(push_destination=DESTINATION)

    assert caught.value.problem == (
        "Pusher: neither model nor infra_blessing is connected, so there is nothing to push."
    )


def test_malformed_destination_says_which_field() -> None:
    """The proto's own words."""
    with pytest.raises(DefinitionError, match=r"Pusher: push_destination\.filesystem has no field 'base_dir"):
        Pusher(model(), push_destination={"filesystem": {"base_dir": "/srv"}})
