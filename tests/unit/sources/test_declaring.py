"""The decorator: what it makes of a function, and what it refuses."""

from __future__ import annotations

import json

import pytest

from headrace.components import CsvExampleGen, FunctionExampleGen
from headrace.errors import DefinitionError, UserFunctionError
from headrace.sources import ExampleSource, example_source


@example_source
def words(path, lower=False, *, limit=None):
    """The words of a file."""
    yield {"word": path}


@example_source
def numbers(count):
    yield from ({"number": number} for number in range(count))


@example_source
def clashing(path, num_shards):
    yield {}


def test_a_source_stays_a_function_to_people():
    assert isinstance(words, ExampleSource)
    assert words.__doc__ == "The words of a file."
    assert list(words.function("x")) == [{"word": "x"}]
    assert repr(words) == "<example source words>"


def test_called_it_is_an_example_gen_of_its_name():
    """With the function and its parameters among the component's, where the cache finds them."""
    gen = words(
        input_base="data", pattern="span-{SPAN}/*.txt", lower=True, num_shards=3, on_error="quarantine"
    )

    assert isinstance(gen, FunctionExampleGen)
    assert gen.id == "words"
    assert sorted(gen.outputs) == ["examples"]
    assert gen.exec_properties["source"] == "headrace.sources.function_source:FileFunctionSource"
    assert gen.exec_properties["source_fn"] == f"{__name__}:words"
    assert json.loads(gen.exec_properties["source_options"]) == {"parameters": {"lower": True}}
    assert json.loads(gen.exec_properties["input_config"])["splits"] == [
        {"name": "single_split", "pattern": "span-{SPAN}/*.txt"}
    ]
    config = json.loads(gen.exec_properties["custom_config"])["custom_config"]
    assert config["value"] == {"num_shards": 3.0, "on_error": "quarantine"}


def test_without_a_path_it_needs_no_folder():
    gen = numbers(count=3, run_each_time=True)
    assert gen.exec_properties["source"] == "headrace.sources.function_source:FunctionSource"
    assert json.loads(gen.exec_properties["source_options"]) == {
        "parameters": {"count": 3},
        "run_each_time": True,
    }
    assert gen.exec_properties["input_base"] is None


def test_what_is_not_said_is_not_recorded():
    """Cache keys of the components that were there before stay."""
    assert words(input_base="data").exec_properties["custom_config"] is None
    assert set(CsvExampleGen("data").exec_properties) & {"source", "source_fn", "source_options"} == set()


def test_by_its_text_it_is_the_same():
    """As an exported notebook has it."""
    by_text = FunctionExampleGen(f"{__file__}:words", {"lower": True}, "data")
    by_name = words(input_base="data", lower=True)
    for key in ("source", "source_options", "input_config"):
        assert by_text.exec_properties[key] == by_name.exec_properties[key]
    assert (
        FunctionExampleGen(f"{__file__}:numbers", {"count": 1}).exec_properties["source"]
        == "headrace.sources.function_source:FunctionSource"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: words(input_base="data", lowr=True), "did you mean 'lower'"),
        (lambda: words(input_bas="data"), "did you mean 'input_base'"),
        (lambda: words(), "words takes a path, and input_base is not given"),
        (lambda: words(input_base="d", pattern="*", input_config={"splits": []}), "both given"),
        (lambda: numbers(), "numbers: 'count' is not given"),
        (lambda: numbers(count=1, input_base="data"), "first parameter is not `path`"),
        (lambda: numbers(count={1}), "recorded with the run as JSON"),
        (lambda: numbers(count={1: 2}), "recorded with the run as JSON"),
        (lambda: numbers(count=1, on_error="stop"), "on_error is 'stop'. It can be 'fail', 'quarantine'"),
        (lambda: clashing(input_base="data"), "'num_shards' is called like an option"),
        (lambda: example_source(words), "takes a function, and was given a ExampleSource"),
        (lambda: example_source(lambda path, *rest: []), r"'\*rest' cannot be given by name"),
        (lambda: example_source(lambda x, path: []), "`path` is not its first parameter"),
    ],
)
def test_a_wrong_call_says_what_is_right(call, message):
    with pytest.raises(DefinitionError, match=message):
        call()


def test_an_asynchronous_function_is_refused():
    async def rows(path):
        yield {}

    with pytest.raises(DefinitionError, match="rows is asynchronous"):
        example_source(rows)


def test_a_function_that_a_worker_cannot_import_is_refused():
    @example_source
    def inner(path):
        yield {}

    with pytest.raises(UserFunctionError, match="not a function at the top level"):
        inner(input_base="data")
