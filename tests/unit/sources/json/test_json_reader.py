"""JSON as features: what Python reads in each form, types over all files, and what cannot be read."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace.files import json_arrays
from headrace.sources import line_blocks
from headrace.sources.json import json_blocks
from headrace.sources.json.json_reader import JsonReader
from headrace.sources.source import Unreadable


def read(paths, num_shards=None, rename=None, required=""):
    """The rows of files, without missing features, and what cannot be read."""
    reader = JsonReader(rename or {}, required)
    lists = reader.plan([str(path) for path in paths], num_shards)[1]
    learned = [reader.learn(pieces) for pieces in lists]
    rows, faults = [], []
    for pieces in lists:
        for one in reader.read(pieces, learned):
            if isinstance(one, Unreadable):
                faults.append(f"{one.place}: {one.reason}")
            else:
                rows += [
                    {key: value for key, value in row.items() if value is not None}
                    for row in one.table().to_pylist()
                ]
    return rows, faults


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.sampled_from(["2024-01-01", "2024-01-01T00:00:00", "\ud800", "\0", ""]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab."), inner, max_size=2)
    ),
    max_leaves=4,
)
OBJECTS = st.lists(
    st.one_of(st.dictionaries(st.sampled_from(["a", "b", "a.b"]), VALUES, min_size=1, max_size=3), SCALARS),
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(OBJECTS, st.booleans(), st.integers(1, 3), st.sampled_from([4, 40, 4000]))
@example([{"a": 1}, {"a": 2.5}], True, 1, 4)
@example([{"a": "2024-01-01"}, {"a": None}], True, 1, 4)
@example([{"a": 2**64}], True, 1, 4)
@example([{"a": 1}, {"a": 2**64}], True, 1, 4)
@example([{"a": {"b": [1, 2]}}, {"a": None}], True, 1, 4)
@example([{"a": [None, False]}], True, 1, 4)
def test_arrow_and_python_read_the_same(tmp_path_factory, objects, is_ascii, num_shards, block_bytes):
    """Rows, types and faults: where Arrow is asked, and where it is not; in lines and in an array."""
    folder = tmp_path_factory.mktemp("json")
    lines = [json.dumps(one, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass") for one in objects]
    (folder / "a.jsonl").write_bytes(b"\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", block_bytes)
        quick = read([folder / "a.jsonl"], num_shards)
        patch.setattr(json_blocks, "fields_of", lambda *_: None)
        patch.setattr(json_blocks, "rows_of", lambda *_: None)
        slow = read([folder / "a.jsonl"], num_shards)
        assert repr(without_places(quick)) == repr(without_places(slow))
        if is_ascii:
            (folder / "b.json").write_bytes(b"[" + b", \n".join(lines) + b"]")
            of_array = read([folder / "b.json"])
            assert repr(without_places(of_array)) == repr(without_places(slow))


def without_places(found):
    rows, faults = found
    return rows, [fault.partition(": ")[2].partition(" before: in")[0] for fault in faults]


def test_nested_objects_lists_and_types_over_all_files(tmp_path):
    """A fraction in the last file makes floats of the first; null and missing are no value; true is 1."""
    (tmp_path / "a.jsonl").write_text(
        '{"user": {"age": 3, "name": "é"}, "tags": ["x", "y"], "n": 1, "ok": true}\n\n{"n": 2, "ok": null, "tags": []}\r\n'
    )
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"n": 2.5, "ok": 7}'))
    rows, faults = read([tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"], rename={"user.name": "who"})
    assert faults == []
    assert rows == [
        {"user.age": [3], "who": ["é".encode()], "tags": [b"x", b"y"], "n": [1.0], "ok": [1]},
        {"n": [2.0]},
        {"n": [2.5], "ok": [7]},
    ]


def test_faults_name_their_line_and_the_other(tmp_path):
    lines = [
        '{"a": 1}',
        '{"a": "x"}',
        '{"a": 1, "a": 2}',
        "[1]",
        '{"a": 1',
        '{"a": 99999999999999999999}',
        '{"a": [1, null]}',
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    for num_shards in (1, 2):
        rows, faults = read([tmp_path / "a.jsonl"], num_shards)
        assert rows == [{"a": [1]}]
        assert faults == [
            f"line 2: feature 'a' is text, and a number before: in {tmp_path}/a.jsonl, line 1",
            "line 3: names a key twice: 'a'",
            "line 4: is no object: [1]",
            "line 5: is no JSON: Expecting ',' delimiter at character 8",
            "line 6: feature 'a' is 99999999999999999999, beyond 64-bit integers",
            "line 7: feature 'a' is a list with null in it",
        ]


def test_array_is_read_object_by_object(tmp_path, monkeypatch):
    """Also where the file is larger than what is held; a fault in its syntax says that the rest is not read."""
    monkeypatch.setattr(json_arrays, "_CHUNK_BYTES", 64)
    objects = [{"a": number, "b": {"c": "x" * (number % 90)}} for number in range(300)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(objects, indent=1))
    rows, faults = read([path])
    assert (faults, [row["a"] for row in rows]) == ([], [[number] for number in range(300)])
    path.write_text(path.read_text().replace('"a": 200', '"a" 200'))
    rows, faults = read([path])
    assert len(rows) == 200
    assert faults == ["element 201: is no JSON: Expecting ':' delimiter; the array is not read from here on"]
    path.write_text("[]")
    assert read([path]) == ([], [])
    path.write_text('[{"a": 1}] x')
    assert "more stands after the array: 'x'" in read([path])[1][0]


def test_times_stay_texts_and_large_numbers_stay_exact(tmp_path):
    values = [2**62, -(2**63), 2**53 + 1]
    (tmp_path / "a.jsonl").write_text(
        "\n".join(json.dumps({"n": n, "t": "2024-01-01T00:00:00"}) for n in values)
    )
    rows, _ = read([tmp_path / "a.jsonl"])
    assert rows == [{"n": [n], "t": [b"2024-01-01T00:00:00"]} for n in values]
    (tmp_path / "a.jsonl").write_text('{"x": 0.1}\n{"x": 1e300}')
    assert read([tmp_path / "a.jsonl"])[0] == [{"x": [float(np.float32(0.1))]}, {"x": [float("inf")]}]


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"", 0),
        (b"\n", 0),
        (b'{"a":1}', 1),
        (b'{"a":1}\n{"a":2}\r\n', 2),
        (b'\n{"a":1}\n\n', 1),
        (b'{"a":1}\n7\n', 0),
        (b'{\n"a":1}\n', 0),
    ],
)
def test_objects_are_counted_by_the_ends_of_lines(data, count):
    """0 where a line is no object, so that Python tells which."""
    assert json_blocks._num_objects(data) == count
