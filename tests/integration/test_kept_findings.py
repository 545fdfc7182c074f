"""A window of several spans costs the new one: what was found in the others is kept."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest_transform import (
    odd_records,
    odd_schema,
    transform,
    tree,
)
from conftest_transform import rows as rows_of
from data_validation import (
    TAXI_CSV,
    execute,
    statistics_of,
)
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types.standard_artifacts import ExampleStatistics

from headrace.authoring import Pipeline
from headrace.components import CsvExampleGen, ImportSchemaGen, StatisticsGen, Transform
from headrace.components.statistics_gen.executor import Executor
from headrace.components.transform import cache_files, gathering
from headrace.components.transform.tft_library import analyzer_cache
from headrace.errors import UnknownSplitError
from headrace.formats.examples import tfrecord
from headrace.orchestration.engine.start import run as run_pipeline
from headrace.orchestration.runners.local.workers import Workers
from headrace.run_options import RunOptions
from headrace.runtime import services
from headrace.runtime.context import DIGEST_PROPERTY
from headrace.runtime.partial_results import PartialResults
from headrace.runtime.services import Services
from headrace.statistics import sampling
from headrace.testing import make_examples, make_schema

_FUNCTION = "transform_functions.one_pass"
_ONE_NUMBER = 'feature { name: "x" type: FLOAT presence { min_fraction: 1 } shape {} }'


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """One server for the runs of whole pipelines, with what their executors load."""
    modules = ("tensorflow", "apache_beam", Executor.__module__, "headrace.components.transform.executor")
    with Workers(lambda: modules) as made:
        yield made


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """Where results are kept, as in a store."""
    folder = tmp_path / "kept"
    with services.lent(Services(partial_results=PartialResults(str(folder)))):
        yield folder


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Three spans, each with a digest as the store records it."""
    found = []
    for number in range(3):
        folder = tmp_path_factory.mktemp(f"span{number}")
        records = odd_records(200, seed=number)
        artifact = make_examples(folder, {"train": records[:150], "eval": records[150:]})
        artifact.span = number
        artifact.set_string_custom_property(DIGEST_PROPERTY, f"digest of span {number}")
        found.append(artifact)
    return found


@pytest.fixture
def gathered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that Transform reads for its analyzers, as it reads them."""
    read: list[str] = []
    process = gathering._GatherFile.process
    monkeypatch.setattr(
        gathering._GatherFile,
        "process",
        lambda self, element: read.append(element[1][1]) or process(self, element),
    )
    return read


def _spans_read(paths: list[str]) -> set[str]:
    return {Path(path).parts[-3][:5] for path in paths}


def _statistics(folder: Path, examples: list[Any], **parameters: Any) -> Any:
    inputs = {"examples": examples}
    return execute(Executor, folder, inputs, "statistics", ExampleStatistics, parameters)


def _contents(folder: str) -> dict[str, bytes]:
    return {name: Path(folder, name).read_bytes() for name in tree(folder)}


def test_statistics_of_a_window_read_the_new_span_alone(
    spans: list[Any], kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are byte for byte those of a window of which nothing was known."""
    _statistics(tmp_path / "first", spans[:2])
    read: list[str] = []
    original = sampling.read_sampled
    monkeypatch.setattr(
        sampling,
        "read_sampled",
        lambda path, *rest, **named: read.append(path) or original(path, *rest, **named),
    )

    window = _statistics(tmp_path / "window", spans)
    again = _statistics(tmp_path / "again", spans)

    assert _spans_read(read) == {"span2"}
    assert len(read) == 2
    with services.lent(Services()):
        whole = _statistics(tmp_path / "whole", spans)
    assert _contents(window.uri) == _contents(whole.uri) == _contents(again.uri)
    assert statistics_of(window, "train").datasets[0].num_examples == 450
    assert window.span == 2


def test_statistics_with_other_options_are_not_taken_for_these(
    spans: list[Any], kept: Path, tmp_path: Path
) -> None:
    """Half of the rows is not all of them."""
    _statistics(tmp_path / "all", spans[:1])

    half = _statistics(tmp_path / "half", spans[:1], sample_rate_by_split='{"train": 0.5, "eval": 1.0}')

    assert 50 < statistics_of(half, "train").datasets[0].num_examples < 100


def test_spans_with_other_splits_are_refused(spans: list[Any], tmp_path: Path) -> None:
    """The reader sees which artifact has which splits."""
    other = make_examples(tmp_path / "other", {"train": odd_records(5), "test": odd_records(5)})

    with pytest.raises(UnknownSplitError) as caught:
        _statistics(tmp_path / "statistics", [spans[0], other])

    assert str(caught.value) == (
        "statistics_gen: the input Examples have different splits: artifact 0 has 'eval', 'train', artifact 0 has "
        "'test', 'train'.\n"
        "  Fix: write all spans with the same output splits."
    )


def test_analyzers_and_statistics_of_transform_read_the_new_span_alone(
    spans: list[Any], kept: Path, tmp_path: Path, gathered: list[str]
) -> None:
    """Without an analyzer cache among the inputs; and what is made is that of a window of which nothing was known."""
    schema = make_schema(tmp_path / "schema", odd_schema())
    transform(tmp_path / "first", spans[:2], schema, _FUNCTION)
    gathered.clear()

    window = transform(tmp_path / "window", spans, schema, _FUNCTION)

    assert _spans_read(gathered) == {"span2"}
    gathered.clear()
    again = transform(tmp_path / "again", spans, schema, _FUNCTION)
    assert gathered == []
    with services.lent(Services()):
        whole = transform(tmp_path / "whole", spans, schema, _FUNCTION)
    for run in (window, again):
        for key in (
            "transformed_examples",
            "pre_transform_stats",
            "post_transform_stats",
            "updated_analyzer_cache",
        ):
            assert _contents(run.path(key)) == _contents(whole.path(key)), key
        assert _contents(os.path.join(run.path("transform_graph"), "transform_fn", "assets")) == _contents(
            os.path.join(whole.path("transform_graph"), "transform_fn", "assets")
        )


def test_another_function_is_analyzed_anew(
    spans: list[Any], kept: Path, tmp_path: Path, gathered: list[str]
) -> None:
    """Its analyzers ask for other things."""
    schema = make_schema(tmp_path / "schema", odd_schema())
    transform(tmp_path / "first", spans[:1], schema, _FUNCTION)
    gathered.clear()

    transform(tmp_path / "second", spans[:1], schema, "transform_functions.two_passes")

    assert _spans_read(gathered) == {"span0"}


def test_a_run_keeps_what_it_found_in_its_store(tmp_path: Path, workers: Workers) -> None:
    """One state for each split; the next window finds them."""
    data = tmp_path / "data"
    data.mkdir()
    with open(TAXI_CSV, encoding="utf-8") as file:
        (data / "data.csv").write_text("".join(file.readlines()[:301]))
    rows = CsvExampleGen(input_base=str(data))
    pipeline = Pipeline("kept", components=[rows, StatisticsGen(rows.outputs["examples"])])

    run_pipeline(pipeline, RunOptions(store=str(tmp_path / "store")), pool=workers).raise_for_failure()

    assert len(os.listdir(tmp_path / "store" / "kept")) == 2


_LEARNS_A_MEAN = """
import os
import tensorflow as tf
import tensorflow_transform as tft

FACTOR = os.path.join(os.path.dirname(__file__), "factor.txt")


def preprocessing_fn(inputs):
    scaled = tf.math.{operation}(inputs["x"]) * tf.strings.to_number(tf.io.read_file(FACTOR))
    return {{"mean": tf.zeros_like(inputs["x"]) + tft.mean(scaled)}}
"""


def test_what_a_function_reads_and_does_is_part_of_what_is_kept(tmp_path: Path, workers: Workers) -> None:
    """TFT's keys hold the name of a file and the types of an operation: neither what it holds nor which one it is."""
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "rows.csv").write_text("x\n" + "16.0\n" * 40)
    make_schema(tmp_path / "schema", text_format.Parse(_ONE_NUMBER, schema_pb2.Schema()))

    means = []
    for operation, factor in (("sqrt", "1"), ("sqrt", "10"), ("square", "10")):
        (tmp_path / "features.py").write_text(_LEARNS_A_MEAN.format(operation=operation))
        (tmp_path / "factor.txt").write_text(factor)
        rows = CsvExampleGen(input_base=str(tmp_path / "rows"))
        schema = ImportSchemaGen(schema_file=str(tmp_path / "schema" / "schema.pbtxt"))
        transform = Transform(
            examples=rows.outputs["examples"],
            schema=schema.outputs["schema"],
            module_file=str(tmp_path / "features.py"),
        )
        pipeline = Pipeline("lookup", components=[rows, schema, transform])
        result = run_pipeline(pipeline, RunOptions(store=str(tmp_path / "store")), pool=workers)
        result.raise_for_failure()
        (node,) = (node for node in result.nodes if node.node_id == "Transform")
        (output,) = (output for output in node.outputs if output.key == "transformed_examples")
        found = rows_of(os.path.join(output.uri, "Split-train"))
        means.append(found.column(0).flatten()[0].as_py())

    assert means == [4.0, 40.0, 2560.0]


def test_a_cache_among_the_inputs_is_used_where_the_same_code_made_it(
    spans: list[Any], tmp_path: Path, gathered: list[str]
) -> None:
    """Or where nobody knows, as under TFX; otherwise the reader sees why everything is analyzed again."""
    schema = make_schema(tmp_path / "schema", odd_schema())
    with services.lent(Services(partial_results=PartialResults("", "code of today"))):
        first = transform(tmp_path / "made", [spans[0]], schema, _FUNCTION)
    (made,) = first.outputs["updated_analyzer_cache"]
    note = "the input analyzer_cache was made by other code, parameters or lookup files, and is not used"

    for maker, is_used in (("code of today", True), ("code of tomorrow", False), ("", True)):
        gathered.clear()
        with services.lent(Services(partial_results=PartialResults("", maker))):
            run = transform(
                tmp_path / f"maker {maker}", [spans[0]], schema, _FUNCTION, cache=made, disable_statistics=1
            )
        assert bool(gathered) != is_used
        assert (note in run.summary("transform_graph")) != is_used


class _Runs:
    """A pickle that runs code where it is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._path),)


def test_what_somebody_put_into_the_store_is_computed_again(
    spans: list[Any], kept: Path, tmp_path: Path
) -> None:
    """Statistics and analyzers: nothing runs, nothing fails, and the results are those of the rows."""
    schema = make_schema(tmp_path / "schema", odd_schema())
    code = pickle.dumps(_Runs(tmp_path / "ran"))

    def find(name: str) -> Any:
        transform(tmp_path / f"transform {name}", [spans[0]], schema, _FUNCTION)
        return statistics_of(_statistics(tmp_path / name, [spans[0]]), "train")

    before = find("before")
    for name, content in (
        ("code", lambda known: code),
        ("cut", lambda known: known[:100]),
        ("empty", lambda _: b""),
    ):
        assert list(kept.iterdir())
        for path in kept.iterdir():
            path.write_bytes(content(path.read_bytes()))

        assert find(name) == before, name
    assert not (tmp_path / "ran").exists()


def test_a_cache_artifact_runs_nothing(spans: list[Any], tmp_path: Path) -> None:
    """Its manifest and its quantiles are pickles by TFT's format; whoever made it may have put others there."""
    schema = make_schema(tmp_path / "schema", odd_schema())
    first = transform(tmp_path / "first", [spans[0]], schema, _FUNCTION)
    cache = first.outputs["updated_analyzer_cache"][0]
    found = list(cache_files.read(cache.uri, _keys(cache.uri)).values())
    assert [bool(one.cache_dict) and bool(one.metadata) for one in found] == [True]
    code = pickle.dumps(_Runs(tmp_path / "ran"))

    for folder in _folders(cache.uri):
        for path in folder.glob("*-of-*.gz"):
            with tfrecord.Writer(str(path)) as writer:
                writer.write([code])
    assert not cache_files.read(cache.uri, _keys(cache.uri))
    for folder in _folders(cache.uri):
        (folder / "MANIFEST").write_bytes(code)
    assert not cache_files.read(cache.uri, _keys(cache.uri))
    second = transform(tmp_path / "second", [spans[0]], schema, _FUNCTION, cache=cache)

    assert second.summary("transform_graph") == first.summary("transform_graph")
    assert not (tmp_path / "ran").exists()


def _keys(path: str) -> list[Any]:
    return [analyzer_cache.DatasetKey(os.path.relpath(folder, path)) for folder in _folders(path)]


def _folders(path: str) -> list[Path]:
    return [manifest.parent for manifest in Path(path).rglob("MANIFEST")]
