"""YAML with the place of each key."""

from __future__ import annotations

import pytest

from headrace.config.document import Document, parse_document, parse_value, read_document
from headrace.errors import ConfigError


def test_each_key_has_its_line():
    """Keys in mappings too; a value without a key of its own is where its mapping is."""
    document = parse_document("pipeline: taxi\nparameters:\n  steps: 5\n", "c.yaml")

    assert document.values == {"pipeline": "taxi", "parameters": {"steps": 5}}
    assert document.origin(("parameters", "steps")) == "c.yaml:3"
    assert document.origin(("parameters", "steps", "deeper")) == "c.yaml:3"
    assert document.origin(("store",)) == "configuration"


def test_an_empty_file_sets_nothing():
    """Comments alone are a configuration too."""
    assert parse_document("# nothing\n", "c.yaml").values == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "- taxi\n",
            "c.yaml:1: a configuration is a list of 'key: value' lines.\n"
            "  Fix: start with a line such as 'pipeline: taxi'.",
        ),
        (
            "workers: 1\nstore: a\nworkers: 2\n",
            "c.yaml:3: key 'workers' is here a second time, after line 1.\n  Fix: keep one of them.",
        ),
        (
            "parameters:\n  a: [1, 2\nstore: s\n",
            "c.yaml:3: this is not YAML: expected ',' or ']', but got ':'.\n  Fix: correct that line.",
        ),
        (
            "a: !!python/object:os.system x\n",
            "c.yaml:1: this is not YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object:os.system'.\n  Fix: correct that line.",
        ),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_line(text, message):
    """YAML itself would keep the last of two equal keys."""
    with pytest.raises(ConfigError) as caught:
        parse_document(text, "c.yaml")

    assert str(caught.value) == message


def test_a_missing_file_is_answered_with_those_there_are(tmp_path, monkeypatch):
    """And the likely one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "taxi_local.yaml").write_text("")

    with pytest.raises(ConfigError) as caught:
        read_document("configs/taxi_locl.yaml")

    assert str(caught.value) == (
        "there is no configuration file 'configs/taxi_locl.yaml'. There is 'configs/taxi_local.yaml'.\n"
        "  Fix: did you mean 'configs/taxi_local.yaml'? Correct the path; it starts at the folder where the "
        "command runs."
    )


def test_bytes_that_are_not_utf8_are_refused(tmp_path):
    """With the reason Python gives."""
    path = tmp_path / "c.yaml"
    path.write_bytes(b"store: \xff\n")

    with pytest.raises(ConfigError, match=r"c\.yaml cannot be read: 'utf-8' codec can't decode byte 0xff"):
        read_document(str(path))


def test_setting_a_value_replaces_its_origin_and_those_below():
    """What was written below a key is gone with its value."""
    document = parse_document("parameters:\n  a:\n    b: 1\n", "c.yaml")

    document.set(("parameters", "a"), {"b": 2}, "--set a={b: 2}")

    assert document.values == {"parameters": {"a": {"b": 2}}}
    assert document.origin(("parameters", "a", "b")) == "--set a={b: 2}"


def test_setting_below_a_plain_value_is_refused():
    """The reader sees the value that is there."""
    document = Document({"workers": 2})

    with pytest.raises(ConfigError) as caught:
        document.set(("workers", "a"), 1, "--set run.workers.a=1")

    assert str(caught.value) == (
        "--set run.workers.a=1: 'workers' is 2, which has no keys below it.\n  Fix: set 'workers' itself."
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("4", 4), ("0.5", 0.5), ("true", True), ("[a, b]", ["a", "b"]), ("some text", "some text"), ("", None)],
)
def test_values_are_read_as_yaml(text, value):
    """So a list needs no syntax of its own."""
    assert parse_value(text, "--set x") == value
