"""What is given to an ExampleGen, checked and brought into the form that is recorded. Light."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, read_json, to_proto
from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.splits.asked import Asked, divided_split

with authoring():
    from tfx.proto import example_gen_pb2

# What becomes of an item that cannot be read.
_ON_ERROR = ("fail", "quarantine")


def plain_options(options: Mapping[str, object], where: str) -> dict[str, object]:
    """Return options that JSON can hold.

    Raises:
        DefinitionError: If one is no plain value.
    """
    for name, value in options.items():
        try:
            same = json.loads(json.dumps(value))
        except (TypeError, ValueError, RecursionError):
            same = None
        if same != (list(value) if isinstance(value, tuple) else value):
            raise DefinitionError(
                f"{where}: {name} is {value!r}, of type {type(value).__name__}; it is recorded with the run as JSON.",
                "give a number, a text, True, False, None, or a list or mapping of these with texts as names.",
            )
    return dict(options)


def divided_output_config(
    name: str, input_config: Any, output_config: ProtoLike | None, division: Asked | None
) -> ProtoLike | None:
    """Return `output_config`, or what takes its place where `splits` or `split_by` is given.

    Raises:
        DefinitionError: If both are given, or the input has several splits, of which not one is named among those asked for.
    """
    if division is None:
        return output_config
    if output_config:
        raise DefinitionError(
            f"{name}: output_config is given, and splits or split_by too.",
            "give one of the two: splits={'train': 2, 'eval': 1} stands for output_config's hash buckets.",
        )
    inputs = _input_splits(input_config)
    if len(inputs) > 1:
        divided_split(division, inputs, name)
        # TFX has no buckets for one of several: who divides is the executor.
        return example_gen_pb2.Output()
    config: Any = to_proto(division.output_config(), example_gen_pb2.Output, f"{name}: splits")
    return config


def _input_splits(input_config: Any) -> list[str]:
    """Return the names of the splits that the input has; none where they are known only when the pipeline runs."""
    if isinstance(input_config, str):
        input_config = read_json(input_config, example_gen_pb2.Input, "input_config")
    if isinstance(input_config, Mapping):
        return [str(split.get("name", "")) for split in input_config.get("splits", ())]
    return [str(split.name) for split in getattr(input_config, "splits", ())]


def default_output_config(input_config: Any) -> ProtoLike:
    """Two parts to train and one to eval; where the input has several splits, these."""
    if len(_input_splits(input_config)) > 1:
        return example_gen_pb2.Output()
    shares = [{"name": "train", "hash_buckets": 2}, {"name": "eval", "hash_buckets": 1}]
    return {"split_config": {"splits": shares}}


def payload_format(where: str, given: int | str) -> int:
    """Return the number of a payload format that is given by number or name."""
    numbers = dict(example_gen_pb2.PayloadFormat.items())
    if isinstance(given, int) and given in numbers.values():
        return given
    if isinstance(given, str) and given in numbers:
        return int(numbers[given])
    raise DefinitionError(
        f"{where}: {given!r} is not a payload format. There are {listed(numbers)}.",
        f"{did_you_mean(str(given), numbers)}Give a name, or a value of example_gen_pb2.PayloadFormat.",
    )


def custom_config(name: str, *, num_shards: int | None, on_error: str = "fail", **own: object) -> Any | None:
    """Carry Headrace's own options in TFX's slot for a component's own, which stock executors ignore."""
    if num_shards is not None and (not isinstance(num_shards, int) or num_shards < 1):
        raise DefinitionError(f"{name}: num_shards is {num_shards!r}.", "give a number of files, 1 or more.")
    if on_error not in _ON_ERROR:
        raise DefinitionError(
            f"{name}: on_error is {on_error!r}. It can be {listed(_ON_ERROR)}.",
            f"{did_you_mean(str(on_error), _ON_ERROR)}Correct the word.",
        )
    given = {"num_shards": num_shards, "on_error": None if on_error == _ON_ERROR[0] else on_error, **own}
    options = struct_pb2.Struct()
    for key, value in given.items():
        # What is as it is without being said is not recorded: the cache keys of old runs stay.
        if value is not None:
            options[key] = value
    if not options.fields:
        return None
    config = example_gen_pb2.CustomConfig()
    config.custom_config.Pack(options)
    return config
