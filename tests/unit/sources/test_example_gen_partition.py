"""How rows are divided; agreement with stock TFX on whole files is tested in tests/integration."""

from __future__ import annotations

import bisect
import hashlib

import pytest

from headrace.authoring.light import authoring
from headrace.errors import DefinitionError
from headrace.sources.splits import Partition, partitions

with authoring():
    from tfx.proto import example_gen_pb2

_SPLIT = example_gen_pb2.SplitConfig.Split


def _input(*names):
    split = example_gen_pb2.Input.Split
    return example_gen_pb2.Input(splits=[split(name=name, pattern=f"{name}/*") for name in names])


def _output(**buckets):
    splits = [_SPLIT(name=name, hash_buckets=count) for name, count in buckets.items()]
    return example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits))


@pytest.mark.parametrize("bounds", [(2, 3), (1, 2, 10), (7,), (2**31, 2**32 - 1)])
def test_assign_is_sha256_modulo_the_number_of_buckets(bounds):
    """The formula of TFX, on numbers of 256 bits."""
    keys = [str(number).encode() for number in range(200)]
    expected = [bisect.bisect(bounds, int(hashlib.sha256(key).hexdigest(), 16) % bounds[-1]) for key in keys]
    assert Partition(tuple("abc"[: len(bounds)]), bounds).assign(keys).tolist() == expected


def test_output_splits_divide_the_one_input_split():
    """Bounds are the sums of buckets."""
    assert partitions(_input("all"), _output(train=2, eval=1)) == [Partition(("train", "eval"), (2, 3))]


def test_input_splits_are_kept_without_output_splits():
    """One partition for each, with nothing to decide."""
    assert partitions(_input("a", "b"), _output()) == [Partition(("a",)), Partition(("b",))]


@pytest.mark.parametrize(
    ("inputs", "output", "problem"),
    [
        (_input(), _output(), "input_config has no split."),
        (_input("a", "b"), _output(x=1), "input_config has 2 splits and output_config names splits too."),
        (_input("a"), _output(x=0), "output_config: split 'x' has 0 hash buckets."),
        (_input("a", "a"), _output(), "split 'a' is named twice."),
        (
            example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name="a")]),
            _output(),
            "input_config: a split has name 'a' and pattern ''.",
        ),
    ],
)
def test_configurations_that_contradict_themselves(inputs, output, problem):
    """Each names the configuration at fault."""
    with pytest.raises(DefinitionError) as caught:
        partitions(inputs, output)
    assert caught.value.problem == problem
    assert caught.value.fix
