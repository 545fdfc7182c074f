"""`splits` and `split_by` of the ExampleGens: what is recorded, and what does not go together."""

from __future__ import annotations

import inspect
import json

import pytest

from headrace import components, splits
from headrace.components import CsvExampleGen
from headrace.errors import DefinitionError

_EXAMPLE_GENS = [name for name in components.__all__ if name.endswith("ExampleGen")]


@pytest.mark.parametrize("name", _EXAMPLE_GENS)
def test_each_example_gen_takes_them(name):
    """Also the next one."""
    parameters = inspect.signature(getattr(components, name)).parameters
    assert {"splits", "split_by"} <= parameters.keys()


def _recorded(**given):
    properties = CsvExampleGen(input_base="data", **given).exec_properties
    return {name: value for name, value in properties.items() if value is not None}


def test_nothing_new_is_recorded_where_neither_is_given():
    """Cache keys of earlier runs stay."""
    assert {"splits", "split_by"}.isdisjoint(_recorded())
    assert json.loads(_recorded()["output_config"])["split_config"]["splits"][0] == {
        "name": "train",
        "hash_buckets": 2,
    }


def test_what_is_asked_for_is_recorded_as_a_person_writes_it():
    """And hash buckets, where no other way divides, as TFX's configuration, too."""
    found = _recorded(splits={"train": 3, "test": 1}, split_by=splits.time("date", gap="24h"))
    assert found["splits"] == '{"train": 3, "test": 1}'
    assert found["split_by"] == '{"time": "date", "gap": "24h"}'
    assert json.loads(found["output_config"]) == {}
    hashed = _recorded(splits={"train": 0.75, "test": 0.25})
    assert json.loads(hashed["output_config"])["split_config"]["splits"] == [
        {"name": "train", "hash_buckets": 3},
        {"name": "test", "hash_buckets": 1},
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {
                "splits": {"a": 1},
                "output_config": {"split_config": {"splits": [{"name": "b", "hash_buckets": 1}]}},
            },
            "CsvExampleGen: output_config is given, and splits or split_by too.",
        ),
        (
            {
                "split_by": "shuffle",
                "input_config": {"splits": [{"name": "a", "pattern": "a*"}, {"name": "b", "pattern": "b*"}]},
            },
            "CsvExampleGen: input_config has the splits 'a', 'b', and splits has the name of none: 'eval', 'train': which",
        ),
        (
            {
                "splits": {"a": 1, "b": 1},
                "input_config": {"splits": [{"name": "a", "pattern": "a*"}, {"name": "b", "pattern": "b*"}]},
            },
            "CsvExampleGen: input_config has the splits 'a', 'b', and splits has the names of all of them: 'a', 'b'",
        ),
        (
            {
                "split_by": splits.column("set"),
                "input_config": {"splits": [{"name": "a", "pattern": "a*"}, {"name": "b", "pattern": "b*"}]},
            },
            "CsvExampleGen: input_config has the splits 'a', 'b', and column(\"set\") takes the splits",
        ),
        ({"splits": {"a": 0}}, "CsvExampleGen: splits: the share of split 'a' is 0."),
        (
            {"split_by": "stratfy('y')"},
            "CsvExampleGen: split_by names 'stratfy', which is no way to divide rows.",
        ),
    ],
)
def test_what_does_not_go_together(given, problem):
    """Told when the component is made, not when it runs."""
    with pytest.raises(DefinitionError) as caught:
        CsvExampleGen(input_base="data", **given)
    assert caught.value.problem.startswith(problem)
    assert caught.value.fix
