"""CsvExampleGen against stock TFX's, and what it says of bad input."""

from __future__ import annotations

import errno
import os
from collections import Counter

import pytest
import tensorflow as tf
from conftest_example_gen import TAXI, deterministic, files, records, run
from hypothesis import given, settings
from hypothesis import strategies as st
from tfx.components.example_gen.csv_example_gen import executor as stock
from tfx.proto import example_gen_pb2
from tfx.utils import io_utils
from tfx_bsl.coders import csv_decoder

from headrace.components.example_gen import CsvExampleGen
from headrace.components.example_gen.csv_executor import Executor
from headrace.errors import DefinitionError, EmptyDataError, MalformedFileError, MissingFileError
from headrace.formats.examples import examples as examples_io
from headrace.formats.examples import tfrecord
from headrace.sources.csv.csv_reader import CsvReader


@pytest.fixture(scope="module")
def taxi_path(tmp_path_factory):
    """A folder with the first 3,000 rows of the taxi data."""
    folder = tmp_path_factory.mktemp("data")
    with open(os.path.join(TAXI, "data.csv")) as file:
        _write(folder, "".join(file.readlines()[:3001]))
    return str(folder)


@pytest.fixture(scope="module")
def taxi(tmp_path_factory, taxi_path):
    """They through both executors."""
    folder = tmp_path_factory.mktemp("taxi")
    component = CsvExampleGen(taxi_path)
    return run(Executor, component, folder / "ours"), run(stock.Executor, component, folder / "stock")


def _write(folder, text, name="a.csv"):
    data = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(data)
    return folder / name


def _run(folder, **options):
    return run(Executor, CsvExampleGen(str(folder), **options), folder.parent / f"{folder.name}-out")


def _all_in_one():
    split = example_gen_pb2.SplitConfig.Split(name="all", hash_buckets=1)
    return example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=[split]))


@pytest.mark.parametrize("split", ["train", "eval"])
def test_taxi_splits_equal_stock(taxi, split):
    """Every record is in the split in which stock TFX has it, and says the same."""
    ours, theirs = taxi
    written = records(ours, split)
    assert deterministic(written) == deterministic(records(theirs, split))
    assert Counter(written) == deterministic(written), "ours are in deterministic form as they are"


def test_taxi_artifact_says_what_stock_says(taxi):
    """Split names and formats, and a line for the reader."""
    ours, theirs = taxi
    assert ours.split_names == theirs.split_names
    for name in ("payload_format", "file_format"):
        assert ours.get_string_custom_property(name) == theirs.get_string_custom_property(name)
    counts = [f"{split} {len(records(ours, split)):,} rows" for split in ("train", "eval")]
    assert ours.get_string_custom_property("headrace_summary") == ", ".join(counts)
    assert sorted(files(ours.uri)) == sorted(files(theirs.uri))


def test_equal_input_gives_equal_bytes(taxi, taxi_path, tmp_path):
    """The cache compares contents."""
    again = run(Executor, CsvExampleGen(taxi_path), tmp_path / "again")
    assert files(again.uri) == files(taxi[0].uri)


def test_rows_keep_their_order_over_any_number_of_shards(taxi, taxi_path, tmp_path):
    """Shards hold consecutive parts of the input."""
    sharded = run(Executor, CsvExampleGen(taxi_path, num_shards=3), tmp_path / "sharded")
    names = sorted(os.listdir(os.path.join(sharded.uri, "Split-eval")))
    assert names == [f"data_tfrecord-0000{shard}-of-00003.gz" for shard in range(3)]
    assert records(sharded, "eval") == records(taxi[0], "eval")


def test_parquet_payload_holds_the_same_features(taxi, taxi_path, tmp_path):
    """The same rows in the same splits, read back as the same batches."""
    component = CsvExampleGen(taxi_path, output_data_format=example_gen_pb2.FORMAT_PARQUET)
    parquet = run(Executor, component, tmp_path / "parquet")
    assert os.listdir(os.path.join(parquet.uri, "Split-eval")) == ["data_parquet-00000-of-00001.parquet"]
    assert parquet.get_string_custom_property("payload_format") == "FORMAT_PARQUET"
    (batch,) = examples_io.read_record_batches(parquet, "eval")
    (other,) = examples_io.read_record_batches(taxi[0], "eval")
    assert {name: column.to_pylist() for name, column in zip(batch.schema.names, batch.columns)} == {
        name: column.to_pylist() for name, column in zip(other.schema.names, other.columns)
    }


def test_splitting_by_a_feature_equals_stock(tmp_path):
    """All rows of one company are in one split, the one stock TFX puts them in."""
    data = tmp_path / "data"
    data.mkdir()
    with open(os.path.join(TAXI, "data.csv")) as file:
        _write(data, "".join(file.readlines()[:400]))
    split = example_gen_pb2.SplitConfig.Split
    config = example_gen_pb2.SplitConfig(
        splits=[split(name="a", hash_buckets=3), split(name="b", hash_buckets=2)],
        partition_feature_name="pickup_community_area",
    )
    component = CsvExampleGen(str(data), output_config=example_gen_pb2.Output(split_config=config))
    ours = run(Executor, component, tmp_path / "ours")
    theirs = run(stock.Executor, component, tmp_path / "stock")
    for name in "ab":
        assert deterministic(records(ours, name)) == deterministic(records(theirs, name))


def test_a_folder_may_have_signs_of_patterns_in_its_name(tmp_path):
    """They are part of the name."""
    folder = tmp_path / "proj [v1]*?"
    folder.mkdir()
    _write(folder, "x\n1\n")
    component = CsvExampleGen(str(folder), output_config=_all_in_one())

    assert len(records(run(Executor, component, tmp_path / "out"), "all")) == 1


def test_input_splits_are_inferred_each_by_itself(tmp_path):
    """A column may be integers in one input split and text in another, as in stock TFX."""
    _write(tmp_path, "x\n1\n2\n", "train.csv")
    _write(tmp_path, "x\n3\nthree\n", "eval.csv")
    split = example_gen_pb2.Input.Split
    config = example_gen_pb2.Input(
        splits=[split(name="train", pattern="train*"), split(name="eval", pattern="eval*")]
    )
    made = _run(tmp_path, input_config=config)
    (first, _), (third, _) = records(made, "train"), records(made, "eval")
    assert tf.train.Example.FromString(first).features.feature["x"].int64_list.value == [1]
    assert tf.train.Example.FromString(third).features.feature["x"].bytes_list.value == [b"3"]
    assert made.get_string_custom_property("headrace_summary") == "train 2 rows, eval 2 rows"


_INTEGERS = [
    "0",
    "1",
    "-5",
    "+7",
    "007",
    " 12 ",
    "1_000",
    "0x1F",
    str(2**63 - 1),
    str(-(2**63)),
    str(2**63),
    "9" * 30,
]
_FLOATS = [
    "1e400",
    "-1e39",
    "3.5",
    ".5",
    "1.",
    "1e5",
    "nan",
    "NaN",
    "-nan",
    "inf",
    "-Infinity",
    "nan(1)",
    "\t1.5",
]
_WORDS = ["", "true", "2020-01-01", "NA", "null", "٣", "é", "日本", "x y", "1e", "--1", " "]
_QUOTED = ['""', '"a,b"', '"line\nfeed"', '"say ""hi"""', '"12"', '"3.5"', '" "']
_CELLS = st.one_of(
    st.sampled_from([*_INTEGERS, *_FLOATS, *_WORDS, *_QUOTED]),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
)


@pytest.fixture(scope="module")
def table_path(tmp_path_factory):
    """One file, written anew for each example."""
    return str(tmp_path_factory.mktemp("table") / "a.csv")


def _stock_examples(path):
    """What stock TFX makes of a file, with its own classes but without Beam around them."""
    names = io_utils.load_csv_column_names(path)
    parse = csv_decoder.ParseCSVLine(delimiter=",")
    parse.setup()
    rows = [
        cells
        for line in stock._ReadCsvRecordsFromTextFile().process(path)
        for cells, _ in parse.process(line)
    ]
    infer = csv_decoder.ColumnTypeInferrer(names, skip_blank_lines=True)
    found = infer.create_accumulator()
    for row in rows:
        infer.add_input(found, row)
    convert = stock._ParsedCsvToTfExample()
    made = [example for row in rows for example in convert.process(row, infer.extract_output(found))]
    return [example.SerializeToString(deterministic=True) for example in made]


def _our_examples(path, num_shards):
    source = CsvReader()
    _, lists = source.plan([path], num_shards)
    surveys = [source.learn(pieces) for pieces in lists]
    return [record for pieces in lists for rows in source.read(pieces, surveys) for record in rows.records()]


@st.composite
def _tables(draw):
    """A CSV file: a header, and columns that each repeat a few cells."""
    columns = draw(st.lists(st.lists(_CELLS, min_size=1, max_size=5), min_size=1, max_size=4))
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    header = ",".join(f"c{place}" for place in range(len(columns)))
    rows = [
        ",".join(column[row % len(column)] for column in columns) for row in range(draw(st.integers(1, 8)))
    ]
    return header + "\n" + "".join(row + end for row in rows)


@settings(max_examples=200, deadline=None)
@given(_tables(), st.integers(1, 3))
def test_any_table_becomes_the_examples_of_stock(table_path, table, num_shards):
    """Numbers of every spelling, huge integers, NaN, unicode, quotes, blank lines, missing cells."""
    with open(table_path, "w", encoding="utf-8", newline="") as file:
        file.write(table)
    assert _our_examples(table_path, num_shards) == _stock_examples(table_path)


def test_type_that_changes_after_a_million_rows(tmp_path):
    """The type holds for the whole column: the first million integers become text too."""
    count = 1_000_000
    path = _write(tmp_path, "x,y\n" + "1,2\n" * count + "1.5,two\n")
    source = CsvReader()
    _, (pieces,) = source.plan([str(path)], None)
    surveys = [source.learn(pieces)]
    assert [kind.name for kind in surveys[0]] == ["FLOAT", "BYTES"]
    first = next(iter(source.read(pieces, surveys))).records()[0]
    features = tf.train.Example.FromString(first).features.feature
    assert features["x"].float_list.value == [1.0]
    assert features["y"].bytes_list.value == [b"2"]


def test_fault_deep_in_a_file_names_its_line(tmp_path):
    """In a later block of a later part, behind blank lines and quoted line feeds."""
    body = 'abc,"d\ne"\n\n' * 400_000
    _write(tmp_path, "x,y\n" + body + "1,2,3\n" + "a,b\n" * 10)
    with pytest.raises(MalformedFileError) as caught:
        _run(tmp_path, num_shards=2)
    assert caught.value.problem == (
        f"example_gen: {tmp_path}/a.csv:1200002: expected 2 columns, as in the header, and found 3: 1,2,3"
    )


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "x,y\n1,2\n3\n",
            MalformedFileError,
            "{folder}/a.csv:3: expected 2 columns, as in the header, and found 1: 3\n"
            "  Fix: correct that line; put a cell that holds a comma in double quotes.",
        ),
        (
            "x,x\n1,2\n",
            MalformedFileError,
            "{folder}/a.csv:1: the header names column 'x' twice (columns 1 and 2 of 2).\n"
            "  Fix: rename or remove one of them; each feature needs its own name.",
        ),
        (
            b"x,y\n1,2\n3,caf\xe9\n",
            MalformedFileError,
            "{folder}/a.csv:3: column 'y' holds byte 0xe9, which is not UTF-8.\n"
            '  Fix: save the file as UTF-8, for example: iconv -f latin1 -t utf-8; or say what it is: encoding="cp1252" or "latin-1".',
        ),
        (
            'x,y\n1,"2\n3,4\n',
            MalformedFileError,
            '{folder}/a.csv:2: the record that begins here opens a double quote (") that nothing closes.\n'
            "  Fix: close the quote, or double it where it is part of the text.",
        ),
        (
            "",
            EmptyDataError,
            "{folder}/a.csv is empty.\n  Fix: give a CSV file whose first line names the columns.",
        ),
        (
            "x,y\n",
            EmptyDataError,
            "the files that match '*' in '{folder}' hold no rows.\n  Fix: give files with at least one row.",
        ),
    ],
)
def test_bad_files(tmp_path, text, error, message):
    """Each fault has its file and line, and nothing is left in the output folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    _write(folder, text)
    with pytest.raises(error) as caught:
        _run(folder)
    assert str(caught.value) == "example_gen: " + message.replace("{folder}", str(folder))
    assert os.listdir(tmp_path / "data-out") == []


def test_headers_that_differ(tmp_path):
    """The message says how."""
    _write(tmp_path, "x,y\n1,2\n", "a.csv")
    _write(tmp_path, "x,z\n1,2\n", "b.csv")
    with pytest.raises(MalformedFileError) as caught:
        _run(tmp_path)
    assert str(caught.value) == (
        f"example_gen: {tmp_path}/b.csv:1: the header differs from that of {tmp_path}/a.csv: it lacks 'y' and "
        "adds 'z'.\n  Fix: give all files of a split the same header, or read them as splits of their own."
    )


def test_missing_folder_without_a_driver(tmp_path):
    """The executor checks too, for launchers that skip drivers."""
    with pytest.raises(MissingFileError) as caught:
        run(Executor, CsvExampleGen(str(tmp_path / "none")), tmp_path / "out")
    assert caught.value.problem.startswith(f"example_gen: input_base '{tmp_path}/none' does not exist")


def test_unknown_partition_feature(tmp_path):
    """The features there are, and the likely one."""
    _write(tmp_path, "city,fare\nOslo,2\n")
    config = _all_in_one()
    config.split_config.partition_feature_name = "cty"
    with pytest.raises(DefinitionError) as caught:
        _run(tmp_path, output_config=config)
    assert str(caught.value) == (
        "example_gen: partition_feature_name 'cty' is not a feature of the input. It has 'city', 'fare'.\n"
        "  Fix: did you mean 'city'? Correct partition_feature_name in output_config."
    )


def test_full_disk_passes_through_and_leaves_nothing(tmp_path, monkeypatch):
    """The operating system's own error, and no half-written split."""

    def write(self, records):
        raise OSError(errno.ENOSPC, "No space left on device", self.path)

    _write(tmp_path, "x\n1\n2\n")
    monkeypatch.setattr(tfrecord.Writer, "write", write)
    with pytest.raises(OSError, match="No space left on device") as caught:
        _run(tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert os.listdir(tmp_path.parent / f"{tmp_path.name}-out") == []
