"""Rows against a schema: each fault in words, and exact values of another type converted."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.quality.schema_rows import SchemaRows

_INT, _FLOAT, _BYTES = pa.int64(), pa.float32(), pa.large_binary()


def _faults(schema: str, **columns: Any) -> dict[int, list[str]]:
    return _rows(schema).faults(_batch(**columns))


def _rows(schema: str) -> SchemaRows:
    return SchemaRows(text_format.Parse(schema, schema_pb2.Schema()))


def _batch(**columns: Any) -> pa.RecordBatch:
    arrays = [pa.array(values, pa.large_list(kind)) for kind, values in columns.values()]
    return pa.RecordBatch.from_arrays(arrays, list(columns))


def test_a_text_that_is_no_number_is_a_fault_and_one_that_is_becomes_a_number() -> None:
    schema = 'feature { name: "sugar" type: FLOAT }'
    column = (_BYTES, [[b"1.9"], [b"n/a"], [b" 2e3 "], None, [b"1_0"], [b"nan"]])

    assert _faults(schema, sugar=column) == {
        1: ["sugar: 'n/a' is no number"],
        4: ["sugar: '1_0' is no number"],
    }
    right = _batch(sugar=(_BYTES, [[b"1.9"], None, [b"2e3"]]))
    assert _rows(schema).converted(right).to_pydict() == {"sugar": [[pytest.approx(1.9)], None, [2000.0]]}
    assert _rows(schema).differing_types(right) == {"sugar": "text to FLOAT"}


def test_whole_numbers_as_floats_or_texts_are_integers_and_others_are_not() -> None:
    schema = 'feature { name: "n" type: INT }'

    assert _faults(schema, n=(_FLOAT, [[1.0], [1.5], [float("nan")], [1e30]])) == {
        1: ["n: 1.5 is no integer"],
        2: ["n: nan is no integer"],
        3: ["n: 1e+30 is no integer"],
    }
    assert _faults(schema, n=(_BYTES, [[b"5"], [b"5.0"], [b"5.5"], [b"inf"]])) == {
        2: ["n: '5.5' is no integer"],
        3: ["n: 'inf' is no integer"],
    }
    assert _rows(schema).converted(_batch(n=(_FLOAT, [[4.0]]))).to_pydict() == {"n": [[4]]}


def test_presence_is_of_each_row_only_where_the_schema_says_so() -> None:
    required = 'feature { name: "label" type: INT presence { min_fraction: 1 min_count: 1 } }'
    often = 'feature { name: "label" type: INT presence { min_fraction: 0.9 } }'
    column = (_INT, [[1], None, []])

    assert _faults(required, label=column) == {1: ["label: no value"]}
    assert _faults(often, label=column) == {}
    assert _faults(required, other=(_INT, [[1]])) == {0: ["label: no value"]}


def test_an_empty_list_is_there_as_it_is_to_tfdv_and_has_too_few_values() -> None:
    """Else all rows with an empty cell of CSV broke the schema that SchemaGen made of them."""
    required = 'feature { name: "when" type: BYTES presence { min_fraction: 1 min_count: 1 } %s }'
    column = (_BYTES, [[b"2026"], [], None])

    assert _faults(required % "", when=column) == {2: ["when: no value"]}
    assert _faults(required % "shape { dim { size: 1 } }", when=column) == {
        1: ["when: no value"],
        2: ["when: no value"],
    }
    assert _faults('feature { name: "when" type: BYTES value_count { min: 1 } }', when=column) == {
        1: ["when: no value"]
    }
    number = 'feature { name: "when" type: INT }'
    assert _rows(number).converted(_batch(when=column)).to_pydict() == {"when": [[2026], [], None]}


def test_the_number_of_values_is_that_of_shape_or_value_count() -> None:
    shape = 'feature { name: "a" type: INT shape { dim { size: 2 } } }'
    count = 'feature { name: "a" type: INT value_count { min: 1 max: 2 } }'
    column = (_INT, [[1], [1, 2], [1, 2, 3], None])

    assert _faults(shape, a=column) == {
        0: ["a: 1 value, where 2 are allowed"],
        2: ["a: 3 values, where 2 are allowed"],
    }
    assert _faults(count, a=column) == {2: ["a: 3 values, where 1 to 2 are allowed"]}


def test_domains_bound_numbers_and_name_texts() -> None:
    schema = """
    feature { name: "alcohol" type: FLOAT float_domain { min: 8 max: 15.1 disallow_nan: true } }
    feature { name: "city" type: BYTES domain: "cities" }
    feature { name: "loose" type: BYTES domain: "cities" distribution_constraints { min_domain_mass: 0.9 } }
    feature { name: "flag" type: INT bool_domain {} }
    string_domain { name: "cities" value: "Bonn" value: "Ulm" }
    """
    found = _faults(
        schema,
        alcohol=(_FLOAT, [[9.0], [1e9], [float("nan")], [7.0], [15.1]]),
        city=(_BYTES, [[b"Bonn"], [b"Rom"], None, [b"Ulm", b"Jena"], [b"Ulm"]]),
        loose=(_BYTES, [[b"Rom"]] * 5),
        flag=(_INT, [[0], [1], [2], None, [1]]),
    )

    assert found == {
        1: ["alcohol: 1e+09 is above 15.1", "city: 'Rom' is not in the domain"],
        2: ["alcohol: nan is not allowed", "flag: 2 is no boolean"],
        3: ["alcohol: 7 is below 8", "city: 'Jena' is not in the domain"],
    }


def test_features_that_are_not_expected_are_not_looked_at() -> None:
    schema = 'feature { name: "a" type: INT presence { min_fraction: 1 } lifecycle_stage: DEPRECATED }'

    assert _faults(schema, b=(_INT, [[1]])) == {}
