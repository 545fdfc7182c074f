"""The cases of tfx_bsl's tests of its tf.Example coder, done by our decoder and encoder; and records that are none."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.coders import example_coder_test

from headrace.errors import MalformedFileError, UnsupportedColumnError
from headrace.formats.examples import example_encoder, examples, tfrecord
from headrace.formats.examples.example_decoder import ExampleDecoder

# So many rows are decoded feature by feature.
_MANY_ROWS = 200


def _made(value: Any) -> Any:
    """What a case holds: newer versions of tfx_bsl make it when it is asked for."""
    return value() if callable(value) else value


def _named(cases: Any) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["testcase_name"]) for case in cases])


def _records(texts: list[str]) -> list[bytes]:
    return [text_format.Parse(text, tf.train.Example()).SerializeToString() for text in texts]


@_named(example_coder_test._DECODE_CASES)
def test_records_decode_as_tfx_bsl_expects(case: dict[str, Any]) -> None:
    """As few rows, and repeated to many, which another part decodes."""
    text = case["schema_text_proto"]
    schema = None if text is None else text_format.Parse(text, schema_pb2.Schema())
    records, expected = _records(case["examples_text_proto"]), _made(case["expected"])
    assert ExampleDecoder(schema).decode(records).equals(expected)
    times = -(-_MANY_ROWS // len(records))
    many = ExampleDecoder(schema).decode(records * times)
    for start in range(0, many.num_rows, len(records)):
        assert many.slice(start, len(records)).equals(expected)


@pytest.mark.parametrize("case", example_coder_test._ENCODE_CASES)
def test_batches_encode_as_tfx_bsl_expects(case: dict[str, Any]) -> None:
    """The same features of the same types."""
    encoded = example_encoder.encode(_made(case["record_batch"])).to_pylist()
    found = [tf.train.Example.FromString(record) for record in encoded]
    assert found == [text_format.Parse(text, tf.train.Example()) for text in case["examples_text_proto"]]


@pytest.mark.parametrize("case", example_coder_test._INVALID_ENCODE_TYPE_CASES)
def test_batches_that_tfx_bsl_refuses_are_refused(case: dict[str, Any]) -> None:
    """Columns of other types; and two columns of one name, of which every reader would keep the last."""
    with pytest.raises(UnsupportedColumnError):
        example_encoder.encode(_made(case["record_batch"]))


@pytest.mark.parametrize("num_before", [0, 3, 250])
@pytest.mark.parametrize("damage", [b"garbage", b"\xff\xff", None])
def test_a_record_that_is_no_example_is_named_by_its_number(
    tmp_path: Any, num_before: int, damage: bytes | None
) -> None:
    """Also where only the name of a feature is no text in UTF-8; few rows and many are decoded by other parts."""
    example = tf.train.Example()
    example.features.feature["ab"].int64_list.value.append(1)
    good = example.SerializeToString()
    path = str(tmp_path / "a.gz")
    with tfrecord.Writer(path) as writer:
        writer.write([*[good] * num_before, damage or good.replace(b"ab", b"\xff\xfe"), good])
    with pytest.raises(MalformedFileError) as caught:
        list(examples.read_file(path, "FORMAT_TF_EXAMPLE"))
    assert caught.value.problem == (
        f"{path}: record {num_before + 1} is not a tf.Example, or the name of a feature in it is not UTF-8."
    )


@given(st.data())
def test_any_changed_byte_of_a_record_is_decoded_or_told(tmp_path_factory: Any, data: st.DataObject) -> None:
    """What protobuf can parse is decoded; all else is an error of ours, or one about the types of features."""
    example = tf.train.Example()
    example.features.feature["ab"].int64_list.value.extend([1, 300])
    example.features.feature["c"].bytes_list.value.append(b"text")
    record = bytearray(example.SerializeToString())
    record[data.draw(st.integers(0, len(record) - 1))] ^= data.draw(st.integers(1, 255))
    path = str(tmp_path_factory.mktemp("records") / "a")
    with tfrecord.Writer(path) as writer:
        writer.write([bytes(record)] * data.draw(st.sampled_from([1, _MANY_ROWS])))
    try:
        num_rows = sum(batch.num_rows for batch in examples.read_file(path, "FORMAT_TF_EXAMPLE"))
    except MalformedFileError as error:
        told = error.problem
    except RuntimeError as error:
        told = str(error)
    else:
        told = "" if num_rows else "no rows"
    assert told == "" or path in told or "feature" in told.lower()
