"""What a column of an Arrow table means in a tf.Example."""

import numpy as np
import pyarrow as pa
import pytest

from headrace.errors import DataError, UnsupportedColumnError
from headrace.formats.examples import arrow_features

_FIXED = pa.list_(pa.float32(), 2)

_WITH_A_FORM = {
    "booleans": (pa.array([True, None, False]), [[1], None, [0]]),
    "small integers": (pa.array([1, None, 0], pa.uint8()), [[1], None, [0]]),
    "doubles": (pa.array([0.5, None, 0.0]), [[0.5], None, [0.0]]),
    "halves": (
        pa.array(np.array([1.5, 0.0, 2.0], "float16"), mask=np.array([0, 1, 0], bool)),
        [[1.5], None, [2.0]],
    ),
    "text": (pa.array(["é", None, ""]), [["é".encode()], None, [b""]]),
    "long text": (pa.array(["a", None], pa.large_string()), [[b"a"], None]),
    "bytes of one length": (pa.array([b"ab", None], pa.binary(2)), [[b"ab"], None]),
    "dictionary": (pa.array(["x", None, "x"]).dictionary_encode(), [[b"x"], None, [b"x"]]),
    "lists": (pa.array([[1, 2], None, []], pa.list_(pa.int16())), [[1, 2], None, []]),
    "long lists of long text": (
        pa.array([["a"], None, []], pa.large_list(pa.large_string())),
        [[b"a"], None, []],
    ),
    "lists of one length": (pa.array([[1, 2], None, [3, 4]], _FIXED), [[1.0, 2.0], None, [3.0, 4.0]]),
    "lists of halves": (
        pa.ListArray.from_arrays(pa.array([0, 2, 3], pa.int32()), pa.array(np.array([1, 2, 3], "float16"))),
        [[1.0, 2.0], [3.0]],
    ),
    "lists of a dictionary": (
        pa.ListArray.from_arrays(
            pa.array([0, 2, 3], pa.int32()), pa.array(["x", "y", "x"]).dictionary_encode()
        ),
        [[b"x", b"y"], [b"x"]],
    ),
    "nulls": (pa.nulls(2), [None, None]),
    "lists of nothing": (pa.array([[], None], pa.list_(pa.null())), [None, None]),
    "no rows": (pa.array([], pa.list_(pa.string())), []),
}


@pytest.mark.parametrize("case", _WITH_A_FORM)
def test_each_layout_has_its_plain_meaning(case):
    """Of the whole column, of each slice of it, and of none of its rows."""
    column, expected = _WITH_A_FORM[case]
    for start in range(len(column) + 1):
        feature = arrow_features.as_feature(column.slice(start), "x", "file")
        assert feature.to_pylist() == expected[start:]
        if not pa.types.is_null(feature.type):
            feature.validate(full=True)
            values = feature.type.value_type
            assert values in (arrow_features.feature_kind(column.type), pa.large_binary())


@pytest.mark.parametrize(
    "kind",
    [
        pa.timestamp("us"),
        pa.date32(),
        pa.decimal128(5, 2),
        pa.struct([("a", pa.int64())]),
        pa.map_(pa.string(), pa.int64()),
        pa.list_(pa.list_(pa.int64())),
        pa.list_(pa.timestamp("s")),
        pa.list_(_FIXED, 2),
    ],
)
def test_a_type_without_a_form_is_named(kind):
    """With the column, the file and what to do."""
    assert arrow_features.feature_kind(kind) is None
    with pytest.raises(UnsupportedColumnError) as caught:
        arrow_features.as_feature(pa.nulls(1, kind), "when", "a.parquet")
    assert str(caught.value) == (
        f"a.parquet: column 'when' has type {kind}, which has no tf.Example form. Integers, floats, booleans, "
        "text, bytes and lists of these have one.\n"
        "  Fix: convert or drop 'when' where the file is written."
    )


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([[1, None]]), "has a list with a null in it"),
        (pa.array([[1.0, None]], _FIXED), "has a list with a null in it"),
        (pa.array([[None]], pa.list_(pa.null())), "has a list with a null in it"),
        (pa.array([2**63], pa.uint64()), "of type uint64 holds a value that does not fit"),
        (
            pa.array([[2**63]], pa.list_(pa.uint64())),
            "of type list<item: uint64> holds a value that does not fit",
        ),
    ],
)
def test_a_value_without_a_form_is_refused(column, words):
    """Rather than changed: a null among integers would make floats of all of them."""
    with pytest.raises(DataError) as caught:
        arrow_features.as_feature(column, "x", "a.parquet")
    assert caught.value.problem.startswith(f"a.parquet: column 'x' {words}")
    assert caught.value.fix
