"""The settings of a run."""

from __future__ import annotations

import glob
import os

import pytest

from headrace.cli.pipelines.ready_pipelines import find_ready_pipelines
from headrace.config.document import Document, parse_document, read_document
from headrace.config.run_config import apply_settings, check_document
from headrace.errors import ConfigError

_CONFIGS = os.path.join(os.path.dirname(__file__), "..", "..", "..", "configs")


def test_every_key_is_read():
    """One id stands for a list of one."""
    config = check_document(
        parse_document(
            "pipeline: taxi\nparameters: {a: 1}\nstore: s\ncache: false\nworkers: 2\nfail: fast\n"
            "beam_pipeline_args: [--x]\nfrom: A\nto: [B]\nonly: []\n",
            "c.yaml",
        )
    )

    assert (config.pipeline, config.parameters, config.store, config.cache) == ("taxi", {"a": 1}, "s", False)
    assert (config.workers, config.fail, config.beam_pipeline_args) == (2, "fast", ["--x"])
    assert (config.from_nodes, config.to_nodes, config.only) == (["A"], ["B"], [])
    assert config.run_options() == {
        "store": "s",
        "cache": False,
        "workers": 2,
        "fail": "fast",
        "from_nodes": ["A"],
        "to_nodes": ["B"],
        "beam_pipeline_args": ["--x"],
    }


def test_a_key_without_a_value_is_not_set():
    """As where the lines below it are commented out."""
    assert check_document(parse_document("parameters:\n  # a: 1\n", "c.yaml")).settings() == {}


def test_an_unknown_key_is_refused_with_the_likely_one():
    """The reader sees the line, the key, the keys there are."""
    with pytest.raises(ConfigError) as caught:
        check_document(parse_document("pipeline: taxi\nworker: 2\n", "configs/c.yaml"))

    assert str(caught.value) == (
        "configs/c.yaml:2: unknown key 'worker'. Keys are 'beam_pipeline_args', 'cache', 'fail', 'from', "
        "'only', 'parameters', 'pipeline', 'server', 'store', 'to', 'workers'.\n"
        "  Fix: did you mean 'workers'? Correct or remove it."
    )


def test_a_parameter_at_the_top_is_told_where_it_belongs():
    """The most likely mistake with a key that resembles no other."""
    with pytest.raises(ConfigError, match="If it is a parameter of the pipeline, put it below 'parameters:'"):
        check_document(parse_document("train_steps: 5\n", "c.yaml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers: four", "'workers' is 'four'. It takes a whole number from 1: nodes at the same time."),
        ("workers: 0", "'workers' is 0. It takes a whole number from 1: nodes at the same time."),
        ("cache: 1", "'cache' is 1. It takes true or false."),
        (
            "fail: soon",
            "'fail' is 'soon'. It takes 'fast' (a failure stops the run) or 'late' (only what depends on it).",
        ),
        ("only: {a: 1}", "'only' is {'a': 1}. It takes a list of node ids."),
    ],
)
def test_a_value_of_another_kind_is_refused_saying_what_it_takes(text, message):
    """The value that was given is shown."""
    with pytest.raises(ConfigError) as caught:
        check_document(parse_document(text, "c.yaml"))

    assert str(caught.value) == f"c.yaml:1: {message}\n  Fix: correct the value."


def test_set_writes_parameters_and_run_keys():
    """A dotted key goes into a mapping."""
    document = Document({"parameters": {"a": {"b": 1, "c": 2}}})

    apply_settings(document, ["a.b=5", "steps=7", "run.workers=2", "text='007'"])

    assert document.values == {
        "parameters": {"a": {"b": 5, "c": 2}, "steps": 7, "text": "007"},
        "workers": 2,
    }


@pytest.mark.parametrize("text", ["steps", "=5", "a..b=5"])
def test_a_set_without_key_or_value_is_refused(text):
    """With an example of each form."""
    with pytest.raises(ConfigError) as caught:
        apply_settings(Document(), [text])

    assert str(caught.value) == (
        f"--set {text}: this does not set anything.\n"
        "  Fix: write --set key=value, such as --set train_steps=100, or --set run.workers=2."
    )


@pytest.mark.parametrize("path", sorted(glob.glob(os.path.join(_CONFIGS, "*.yaml"))))
def test_the_files_that_ship_are_valid(path):
    """Each names its pipeline as its file name does."""
    config = check_document(read_document(path))

    assert os.path.basename(path).startswith(f"{config.pipeline}_")


@pytest.mark.parametrize("path", sorted(glob.glob(os.path.join(_CONFIGS, "*.yaml"))))
def test_the_files_that_ship_fit_their_pipelines(path):
    """Each parameter is one that the pipeline takes."""
    config = check_document(read_document(path))
    pipelines = {pipeline.name: pipeline for pipeline in find_ready_pipelines()}

    assert set(config.parameters) <= {parameter.name for parameter in pipelines[config.pipeline].parameters}
