"""Separated values that are no plain CSV: other delimiters, encodings, packing, no header; values as pandas reads them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from conftest_example_gen import records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace import testing
from headrace.components import CsvExampleGen
from headrace.errors import DefinitionError, MalformedFileError
from headrace.sources.csv.csv_dialect import Dialect
from headrace.sources.csv.csv_reader import CsvReader

CELLS = st.one_of(st.integers(-(10**9), 10**9).map(str), st.just(""), st.text("aé;,\t \"'\n%x", max_size=6))


def read(
    paths: list[Path], dialect: Dialect | None = None, num_shards: int | None = None
) -> list[dict[str, Any]]:
    reader = CsvReader(dialect)
    _, lists = reader.plan([str(path) for path in paths], num_shards)
    learned = [reader.learn(pieces) for pieces in lists]
    return [
        row for pieces in lists for rows in reader.read(pieces, learned) for row in rows.table().to_pylist()
    ]


def as_text(values: list[Any] | None) -> str:
    """The one value of a feature as the cell that holds it."""
    (value,) = values or [b""]
    return value.decode() if isinstance(value, bytes) else str(value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(0, 99).map(str), CELLS, CELLS), min_size=1, max_size=8),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-8-sig"]),
)
def test_cells_are_those_that_pandas_reads(
    tmp_path: Path, rows: list[tuple[str, ...]], delimiter: str, encoding: str
):
    """Quoted delimiters and line ends among them, in any encoding."""
    path = tmp_path / "a.csv"
    frame = pd.DataFrame(rows, columns=["id", "one", "two"])
    path.write_bytes(frame.to_csv(index=False, sep=delimiter, lineterminator="\n").encode(encoding))

    got = read([path], Dialect(delimiter, "" if encoding == "utf-8" else encoding))

    expected = pd.read_csv(path, sep=delimiter, encoding=encoding, dtype=str, keep_default_na=False)
    assert [[as_text(row[name]) for name in row] for row in got] == [
        [str(int(cell)) if cell.strip().lstrip("-").isdecimal() and name_is_int else cell
         for cell, name_is_int in zip(cells, integers(expected))]
        for cells in expected.to_numpy().tolist()
    ]  # fmt: skip


def integers(frame: pd.DataFrame) -> list[bool]:
    """Whether each column holds integers alone, which then are written without signs and zeros."""

    def fits(cell: str) -> bool:
        try:
            int(cell)
        except ValueError:
            return not cell
        return True

    return [all(map(fits, frame[name])) for name in frame]


@pytest.mark.parametrize(("delimiter", "word"), [("\t", "tabs"), (";", "semicolons")])
def test_a_header_without_commas_tells_what_separates(tmp_path: Path, delimiter: str, word: str):
    """Quoted names lose their quotes; it is said; records are cut as in any file."""
    path = tmp_path / "a.txt"
    lines = [f'{number}{delimiter}"a{delimiter}{number}"\n' for number in range(50)]
    path.write_text(f'"id"{delimiter}"long, name"\n'.replace(", ", " ") + "".join(lines))

    got = read([path], num_shards=3)

    assert got == [{"id": [n], "long name": [f"a{delimiter}{n}".encode()]} for n in range(50)]
    assert CsvReader().remarks([str(path)]) == [
        f"the header has no comma: columns are read as separated by {word}"
    ]


@pytest.mark.parametrize("text", ["a;b\n1\n2\n", "a\n1\n", "a;b,c\n1,2\n", "a\tb\n1,5\n"])
def test_a_header_alone_does_not_decide(tmp_path: Path, text: str):
    """What the lines below do not follow stays part of a name, as in TFX."""
    path = tmp_path / "a.csv"
    path.write_text(text)
    assert Dialect().found_in(str(path)) == Dialect()


@pytest.mark.parametrize("num_frames", [1, 3])
def test_zstd_is_unpacked_while_it_is_read(tmp_path: Path, num_frames: int):
    """Also where several are written behind each other."""
    lines = [f"{number},{'x' * (number % 50)}\n" for number in range(30_000)]
    text = "id,text\n" + "".join(lines)
    at = [len(text) * part // num_frames for part in range(num_frames + 1)]
    path = tmp_path / "a.csv.zst"
    path.write_bytes(b"".join(packed(text[one:other]) for one, other in itertools.pairwise(at)))
    (tmp_path / "a.csv").write_text(text)

    assert read([path]) == read([tmp_path / "a.csv"])

    with pytest.raises(DefinitionError, match="both match"):
        read([tmp_path / "a.csv", path])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(MalformedFileError, match="the zstd data is cut short or damaged"):
        read([path])


def packed(text: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(text.encode())
    return bytes(sink.getvalue())


def test_files_without_a_header_take_names(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("1,a\n2,b\n" * 20)
    got = read([path, path], Dialect(column_names=("id", "text")), num_shards=3)
    assert len(got) == 80
    assert got[0] == {"id": [1], "text": [b"a"]}
    path.write_text("1,a\n2\n")
    with pytest.raises(MalformedFileError, match=r"a\.csv:2: expected 2 columns"):
        read([path], Dialect(column_names=("id", "text")))


def test_what_is_in_another_encoding_is_told_how_to_be_read(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes("id,text\n1,é\n".encode("latin-1"))
    with pytest.raises(MalformedFileError, match="0xe9, which is not UTF-8") as caught:
        read([path])
    assert 'encoding="cp1252" or "latin-1"' in caught.value.fix
    assert read([path], Dialect(encoding="latin-1")) == [{"id": [1], "text": ["é".encode()]}]
    with pytest.raises(MalformedFileError, match="is not in the encoding 'ascii'"):
        read([path], Dialect(encoding="ascii"))


@pytest.mark.parametrize(
    "option",
    [
        {"delimiter": ";;"},
        {"delimiter": '"'},
        {"encoding": "utf-99"},
        {"column_names": ["a", "a"]},
        {"column_names": "ab"},
    ],
)
def test_options_that_cannot_be_are_refused(option: dict[str, Any]):
    with pytest.raises(DefinitionError, match=next(iter(option))):
        CsvExampleGen("data", **option)


def test_options_are_recorded_where_they_are_given():
    """Cache keys of old runs stay."""
    plain = CsvExampleGen("data").exec_properties
    for same in ({"delimiter": "auto"}, {"encoding": "UTF-8"}):
        assert CsvExampleGen("data", **same).exec_properties == plain
    assert CsvExampleGen("data", delimiter=",").exec_properties != plain


def test_a_run_reads_one_file_of_another_dialect(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes("".join(f"{number};Zoë, {number}\n" for number in range(60)).encode("utf-16"))
    gen = CsvExampleGen(str(path), delimiter=";", encoding="utf-16", column_names=["id", "name"])
    examples = testing.run_component(gen, tmp_path / "store").output("examples")
    assert len(records(examples, "train")) + len(records(examples, "eval")) == 60


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(
        st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9).map(lambda one: round(one, 3))),
        min_size=1,
        max_size=8,
    ),
    decimal=st.sampled_from([",", "."]),
    thousands=st.sampled_from(["", " ", "'", ".", ","]),
    delimiter=st.sampled_from([";", "\t", ","]),
    encoding=st.sampled_from(["utf-8", "latin-1", "utf-16"]),
)
def test_numbers_are_those_that_pandas_reads(
    tmp_path: Path, numbers: list[float], decimal: str, thousands: str, delimiter: str, encoding: str
):
    """With commas before fractions and marks between thousands, in files of any delimiter and encoding."""
    if thousands == decimal:
        thousands = ""
    cells = [f"{one:,}".translate({ord(","): thousands, ord("."): decimal}) for one in numbers]
    path = tmp_path / "a.csv"
    path.write_bytes(
        pd.DataFrame({"x": cells, "n": range(len(cells))}).to_csv(index=False, sep=delimiter).encode(encoding)
    )

    got = read([path], Dialect(delimiter, encoding, (), decimal, thousands))

    expected = pd.read_csv(
        path, sep=delimiter, encoding=encoding, decimal=decimal, thousands=thousands or None
    )
    assert [row["x"][0] for row in got] == (
        expected["x"].tolist()
        if expected["x"].dtype.kind == "i"
        else expected["x"].astype("float32").tolist()
    )


@pytest.mark.parametrize(
    ("cells", "dialect", "expected"),
    [
        (["1,5", "", "-2e3", "nan"], {"decimal": ","}, [[1.5], [], [-2000.0], ["nan"]]),
        (["1,5", "1.5"], {"decimal": ","}, [[b"1,5"], [b"1.5"]]),
        (["1.12.2024", "1.500"], {"decimal": ",", "thousands": "."}, [[b"1.12.2024"], [b"1.500"]]),
        (["1.234.567", "-12"], {"decimal": ",", "thousands": "."}, [[1234567], [-12]]),
        (["12,34,567.5", "1"], {"thousands": ","}, [[1234567.5], [1.0]]),
        (["1\u202f234,5", "1\u00a0000", "7 000"], {"decimal": ",", "thousands": " "}, [[1234.5], [1000.0], [7000.0]]),
        (["1,5", "n/a"], {"decimal": ","}, [[b"1,5"], [b"n/a"]]),
    ],
)  # fmt: skip
def test_a_column_with_a_cell_that_is_no_number_is_text_as_it_stands(
    tmp_path: Path, cells: list[str], dialect: dict[str, str], expected: list[list[Any]]
):
    """Also in files in which numbers are written otherwise: a date is not taken for thousands, and no text is changed."""
    path = tmp_path / "a.csv"
    path.write_text("x;n\n" + "".join(f"{cell};{number}\n" for number, cell in enumerate(cells)))

    got = [row["x"] for row in read([path], Dialect(**dialect), num_shards=2)]

    assert [[str(one) if one != one else one for one in row] for row in got] == expected


def test_commas_in_numbers_let_semicolons_separate(tmp_path: Path):
    """Also where the header has a comma; a first number that would be text is said."""
    path = tmp_path / "a.csv"
    path.write_text("price, net;day\n1,5;1\n")

    assert CsvReader(Dialect(decimal=",")).remarks([str(path)]) == [
        "commas stand in numbers: columns are read as separated by semicolons"
    ]
    assert read([path], Dialect(decimal=",")) == [{"price, net": [1.5], "day": [1]}]
    path.write_text("price;day\n1,5;1\n")
    assert CsvReader().remarks([str(path)])[1:] == [
        "column 'price' holds '1,5', which is text: if it is a number, give decimal=','"
    ]


@pytest.mark.parametrize(
    ("given_marks", "word"),
    [
        ({"decimal": ""}, "decimal is ''"),
        ({"decimal": "5"}, "decimal is '5'"),
        ({"decimal": 1}, "decimal is 1"),
        ({"decimal": "٫"}, "decimal is '٫'"),
        ({"thousands": "-"}, "thousands is '-'"),
        ({"thousands": ".."}, r"thousands is '\.\.'"),
        ({"thousands": "."}, "stands between thousands and before the fraction"),
        ({"decimal": ",", "thousands": ","}, "stands between thousands and before the fraction"),
    ],
)
def test_marks_that_cannot_be_told_apart_are_refused(given_marks: dict[str, Any], word: str):
    """Where the pipeline is written; what is as it is without being said is not recorded."""
    with pytest.raises(DefinitionError, match=word):
        CsvExampleGen("data", **given_marks)
    assert CsvExampleGen("data", decimal=".").exec_properties == CsvExampleGen("data").exec_properties
