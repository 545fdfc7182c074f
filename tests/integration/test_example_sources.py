"""Users' own sources end to end: spans, splits, the cache, messages, what cannot be read, and stock TFX behind them."""

from __future__ import annotations

import hashlib
import os
import textwrap
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from conftest_example_gen import deterministic, records
from executor_contexts import executor_context
from tfx.components.statistics_gen.executor import Executor as StockStatisticsGen
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from headrace import splits, testing
from headrace.components import FunctionExampleGen
from headrace.errors import DataError, EmptyDataError, MalformedFileError, UserFunctionError
from headrace.formats import artifacts, quarantine
from headrace.reports.artifacts import examples as page
from headrace.usercode import functions

SOURCE = """
    from headrace.sources import Unreadable, example_source

    @example_source
    def rows(path, scale=1):
        with open(path) as file:
            for number, line in enumerate(file, 1):
                if line.startswith("#"):
                    yield Unreadable(path, f"is a comment: {line.strip()}", f"line {number}")
                    continue
                name, size = line.strip().split(",")
                yield {"name": name, "size": int(size) * scale, "sizes": [1.5, 2.0], "none": None}

    @example_source
    def mixed(path):
        yield {"x": 1 if "a" in path.rpartition("/")[2] else 1.5}

    @example_source
    def unlike(path):
        yield {"x": 1 if "a" in path.rpartition("/")[2] else "one"}

    @example_source
    def count(num, stop=None):
        for number in range(num):
            if number == stop:
                raise RuntimeError("stopped")
            yield {"number": number}

    @example_source
    def drawn(num):
        import random
        numbers = list(range(num))
        random.shuffle(numbers)
        for number in numbers:
            yield {"number": number, "group": f"g{number % 5}"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a file of sources, and data in two spans."""
    (tmp_path / "own.py").write_text(textwrap.dedent(SOURCE))
    for span, sizes in ((1, [1]), (2, range(200))):
        folder = tmp_path / "data" / f"span-{span}"
        folder.mkdir(parents=True)
        for part in "ab":
            lines = [f"{part}{size},{size}\n" for size in sizes]
            (folder / f"{part}.txt").write_text("".join(lines))
    return tmp_path


def source(project: Path, name: str) -> Any:
    """A decorated function of the project, as `import own` would give it."""
    return functions.load(f"{project / 'own.py'}:{name}", "test")


def made(component: Any, project: Path) -> testing.ComponentResult:
    return testing.run_component(component, project / "store")


def features(examples: Any, split: str) -> list[dict[str, Any]]:
    parsed = [tf.train.Example.FromString(record).features.feature for record in records(examples, split)]
    kinds = ("bytes_list", "int64_list", "float_list")
    return [
        {name: [v for kind in kinds for v in getattr(f, kind).value] for name, f in each.items()}
        for each in parsed
    ]


def test_rows_of_the_latest_span_go_where_stock_tfx_puts_them(project: Path):
    """With the features that the values stand for; each row in the split that its hash names."""
    gen = source(project, "rows")(input_base=str(project / "data"), pattern="span-{SPAN}/*.txt", scale=2)

    examples = made(gen, project).output("examples")

    assert examples.get_int_custom_property("span") == 2
    train, evaluated = features(examples, "train"), features(examples, "eval")
    assert len(train) + len(evaluated) == 400
    assert sorted(row["size"][0] for row in [*train, *evaluated]) == sorted([*range(0, 400, 2)] * 2)
    (found,) = (row for row in [*train, *evaluated] if row["name"] == [b"a1"])
    assert found == {"name": [b"a1"], "size": [2], "sizes": [1.5, 2.0], "none": []}
    # TFX's rule: SHA-256 of the record modulo the buckets.
    for split, buckets in (("train", {0, 1}), ("eval", {2})):
        for record in deterministic(records(examples, split)):
            assert stock_partition(record) in buckets
    summary = examples.get_string_custom_property("headrace_summary")
    assert summary == f"train {len(train)} rows, eval {len(evaluated)} rows"


def stock_partition(record: bytes) -> int:
    return int(hashlib.sha256(record).hexdigest(), 16) % 3


def test_parts_are_read_side_by_side_in_order(project: Path):
    """Shards hold consecutive files."""
    rows = source(project, "rows")
    pattern = {"input_base": str(project / "data"), "pattern": "span-2/*.txt"}
    one = made(rows(**pattern), project).output("examples")
    two = made(rows(**pattern, num_shards=2), project).output("examples")
    assert len(artifacts.split_files(two, "train")) == 2
    assert records(two, "train") == records(one, "train")


def test_equal_code_parameters_and_files_find_the_cache(project: Path, tmp_path: Path):
    """Another parameter, code or file does not; a comment does."""

    def state(folder: str, text: str, **options: Any) -> str:
        path = project / folder / "own.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        gen = FunctionExampleGen(f"{path}:rows", options, str(project / "data"), pattern="span-1/*")
        return made(gen, project).node.state.value

    assert state("one", SOURCE) == "done"
    assert state("two", SOURCE) == "cached"
    assert (
        state("three", SOURCE.replace("name, size = ", "# a comment\n                name, size = "))
        == "cached"
    )
    assert state("four", SOURCE, scale=3) == "done"
    assert state("five", SOURCE.replace("* scale", "* scale + 1")) == "done"
    (project / "data" / "span-1" / "a.txt").write_text("a,5\n")
    assert state("six", SOURCE) == "done"


def test_function_without_a_path_is_cached_unless_it_runs_each_time(project: Path):
    count = source(project, "count")
    states = [made(count(num=9), project).node.state.value for _ in range(2)]
    states += [made(count(num=9, run_each_time=True), project).node.state.value for _ in range(2)]
    assert states == ["done", "cached", "done", "done"]


def test_failing_function_names_itself_the_file_the_row_and_its_line(project: Path):
    """And leaves nothing behind."""
    bad = project / "data" / "span-1" / "b.txt"
    bad.write_text("b,1\nb,x\n")
    gen = source(project, "rows")(input_base=str(project / "data"), pattern="span-1/*")

    with pytest.raises(MalformedFileError) as caught:
        made(gen, project)

    path = os.path.relpath(project / "own.py")
    shown = str(project / "own.py") if path.startswith("..") else path
    assert caught.value.problem == (
        f"rows: {bad}, row 2: rows failed in line 12 of {shown} "
        '(yield {"name": name, "size": int(size) * scale, "sizes": [1.5, 2.0], "none": None}): '
        "ValueError: invalid literal for int() with base 10: 'x'."
    )
    assert caught.value.fix.startswith("correct rows, or the data; or set aside")


def test_function_without_a_path_that_fails_ends_the_run_in_any_case(project: Path):
    """Nobody knows what is missing."""
    with pytest.raises(
        UserFunctionError, match=r"count: count, row 4: count failed in line 26 .*RuntimeError"
    ):
        made(source(project, "count")(num=9, stop=3, on_error="quarantine"), project)


@pytest.mark.parametrize(
    "way",
    [
        splits.group("group"),
        splits.stratify("group"),
        splits.time("number"),
        splits.column("group", drop=True),
    ],
)
def test_rows_in_another_order_each_time_are_not_divided(project: Path, way: Any):
    """The second pass would put rows of one group into both splits; their number is the same."""
    with pytest.raises(DataError, match=r"^drawn: the input gave other values of '\w+', or in another order"):
        made(source(project, "drawn")(num=200, split_by=way), project)


def test_where_no_feature_decides_any_order_will_do(project: Path):
    """By row numbers, or by the rows themselves."""
    examples = made(source(project, "drawn")(num=200, split_by=splits.shuffle()), project).output("examples")
    assert len(records(examples, "train")) == 133


def test_integers_beside_floats_are_floats(project: Path):
    """As in pandas: in one part and in two, the rows are those of floats alone."""
    data = project / "data" / "span-1"
    for shards, given in ((1, {}), (2, {}), (2, {"split_by": splits.shuffle()})):
        gen = source(project, "mixed")(input_base=str(data), num_shards=shards, **given)
        examples = made(gen, project).output("examples")
        rows = [row for split in ("train", "eval") for row in records(examples, split)]
        kinds = {tf.train.Example.FromString(row).features.feature["x"].WhichOneof("kind") for row in rows}
        assert (len(rows), kinds) == (2, {"float_list"})


def test_two_kinds_in_two_files_name_both_rows(project: Path):
    """Text beside a number is no number."""
    data = project / "data" / "span-1"
    for shards in (1, 2):
        gen = source(project, "unlike")(input_base=str(data), num_shards=shards)
        with pytest.raises(DataError) as caught:
            made(gen, project)
        assert caught.value.problem == (
            f"unlike: feature 'x' holds integers in {data}/a.txt, row 1, and bytes or text in {data}/b.txt, row 1."
        )


@pytest.fixture
def quarantined(project: Path) -> Any:
    """Examples of ten rows and three items that could not be read, in two parts."""
    data = project / "data" / "span-1"
    (data / "a.txt").write_text("# one\n" + "".join(f"a,{size}\n" for size in range(8)) + "# two\n")
    (data / "b.txt").write_text("b,1\nb,2\nb,x\n")
    gen = source(project, "rows")(input_base=str(data), num_shards=2, on_error="quarantine")
    return made(gen, project).output("examples")


def test_what_cannot_be_read_is_set_aside_and_counted(quarantined: Any):
    """Rows and items add up to what there is."""
    items = list(quarantine.read(quarantined.uri))
    assert [(os.path.basename(item.source), item.place, item.kind) for item in items[:2]] == [
        ("a.txt", "line 1", "is a comment"),
        ("a.txt", "line 10", "is a comment"),
    ]
    assert (os.path.basename(items[2].source), items[2].place) == ("b.txt", "row 3")
    assert "ValueError" in items[2].reason
    assert sum(len(records(quarantined, split)) for split in ("train", "eval")) == 10
    summary = quarantined.get_string_custom_property("headrace_summary")
    assert summary.endswith(" rows; 3 unreadable in quarantine")


def test_page_of_the_artifact_shows_why(quarantined: Any):
    blocks = page._quarantine(quarantined.uri)
    (section,) = blocks
    assert section.title == "Quarantine"
    assert section.blocks[0].text == "3 items could not be read and are in no split."
    assert list(section.blocks[1].rows[0])[:2] == ["is a comment", 2]


def test_stock_tfx_reads_the_splits_beside_a_quarantine(quarantined: Any, tmp_path: Path):
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(tmp_path / "statistics")
    StockStatisticsGen(executor_context(str(tmp_path / "tmp"))).Do(
        {"examples": [quarantined]}, {"statistics": [statistics]}, {"exclude_splits": json_utils.dumps([])}
    )
    assert sorted(os.listdir(statistics.uri)) == ["Split-eval", "Split-train"]


def test_nothing_but_what_cannot_be_read_is_an_error(project: Path):
    data = project / "data" / "span-1"
    for path in data.iterdir():
        path.write_text("# nothing\n")
    gen = source(project, "rows")(input_base=str(data), on_error="quarantine")
    with pytest.raises(EmptyDataError, match="hold no rows: what they hold could not be read, 2 times"):
        made(gen, project)


def test_without_a_fault_there_is_no_quarantine(project: Path):
    gen = source(project, "rows")(input_base=str(project / "data"), pattern="span-1/*", on_error="quarantine")
    examples = made(gen, project).output("examples")
    assert sorted(os.listdir(examples.uri)) == ["Split-eval", "Split-train"]


def test_parquet_has_the_columns_of_all_rows(project: Path):
    """Though the first file knows of fewer."""
    text = """
        def rows(path):
            yield {"a": 1} if "a.txt" in path else {"b": "x"}
    """
    (project / "wide.py").write_text(textwrap.dedent(text))
    gen = FunctionExampleGen(
        f"{project / 'wide.py'}:rows",
        input_base=str(project / "data" / "span-1"),
        output_config={"split_config": {"splits": [{"name": "all", "hash_buckets": 1}]}},
        output_data_format="FORMAT_PARQUET",
    )
    examples = made(gen, project).output("examples")
    (path,) = artifacts.split_files(examples, "all")
    assert pq.read_table(path).to_pylist() == [{"a": [1], "b": None}, {"a": None, "b": [b"x"]}]
