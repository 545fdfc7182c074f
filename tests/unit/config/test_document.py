"""YAML with the place of each key."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


_NO_YAML = {
    "control character": ("a: 1\nb: \x07", 2, "it holds the character U+0007, which YAML does not allow."),
    "half of a pair": ("a: \ud800", 1, "it holds the character U+D800, which YAML does not allow."),
    "open brackets": ("a: 1\nb: " + "[" * 300, 2, "values are nested deeper than 50 levels."),
    "brackets": ("a: " + "[" * 300 + "]" * 300, 1, "values are nested deeper than 50 levels."),
    "no month": ("a: 1\nb: 2020-13-45", 2, "'2020-13-45' is no timestamp; text of this form goes in quotes."),
    "no integer": ("a: !!int x", 1, "'x' is no int; text of this form goes in quotes."),
    "no boolean": ("a:\n  - !!bool maybe", 2, "'maybe' is no bool; text of this form goes in quotes."),
    "no alias": ("a: *b", 1, "found undefined alias 'b'."),
    "a key that is a list": ("? [a]\n: 1", 1, "found unhashable key."),
    "a Python object": (
        "a: !!python/object/apply:os.system [ls]",
        1,
        "could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'.",
    ),
}


@pytest.mark.parametrize("case", _NO_YAML)
def test_what_is_no_yaml_is_told_with_its_line(case):
    """In a file and in `--set`; never in the words of Python alone."""
    text, line, problem = _NO_YAML[case]
    with pytest.raises(ConfigError) as caught:
        parse_document(text, "c.yaml")
    assert caught.value.problem == f"c.yaml:{line}: this is not YAML: {problem}"
    with pytest.raises(ConfigError) as caught:
        parse_value(text, "--set x")
    assert caught.value.problem == f"--set x: the value is not YAML: {problem}"


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: &x {b: *x}"])
def test_values_without_an_end_are_refused(text):
    """An alias may not stand inside of what it names."""
    for parse in (parse_document, parse_value):
        with pytest.raises(ConfigError, match="nested deeper than 50 levels near line 1"):
            parse(text, "c.yaml")


def test_aliases_of_aliases_are_refused():
    """Ten lines would stand for a billion values."""
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for above, name in zip("abcdefghi", "bcdefghij"):
        lines.append(f"{name}: &{name} [{', '.join([f'*{above}'] * 10)}]")
    with pytest.raises(ConfigError, match="more than 100,000 values when each alias"):
        parse_document("\n".join(lines), "c.yaml")


def test_merged_keys_are_taken_over():
    """`<<` is YAML's way to say so; a key beside it wins."""
    document = parse_document("one: &one {a: 1, b: 1}\ntwo: {<<: *one, b: 2}\n", "c.yaml")
    assert document.values["two"] == {"a": 1, "b": 2}
    assert document.origin(("two", "b")) == "c.yaml:2"


def test_a_key_twice_is_refused_at_any_depth():
    """In a list of mappings, and in a value of `--set`: YAML would keep the last without a word."""
    with pytest.raises(ConfigError) as caught:
        parse_document("parameters:\n  a:\n    - b: 1\n      b: 2\n", "c.yaml")
    assert caught.value.problem == "c.yaml:4: key 'b' is here a second time, after line 3."
    with pytest.raises(ConfigError) as caught:
        parse_value("{a: 1, a: 2}", "--set x={a: 1, a: 2}")
    assert caught.value.problem == "--set x={a: 1, a: 2}: key 'a' is here a second time, after line 1."


@given(st.text(max_size=30) | st.text("[]{}&*a:,- \n!?<|>%@`'\"\t\0", max_size=40))
def test_any_text_is_values_or_an_error_of_ours(text):
    """Whatever is written into a configuration or behind `--set`."""
    for parse in (parse_document, parse_value):
        with contextlib.suppress(ConfigError):
            parse(text, "c.yaml")
