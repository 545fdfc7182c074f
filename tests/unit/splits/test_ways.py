"""The ways to divide rows as a person and as a configuration file writes them."""

from __future__ import annotations

import pytest

from headrace import splits
from headrace.errors import DefinitionError
from headrace.splits.asked import asked, recorded
from headrace.splits.parsing import parse
from headrace.splits.shares import parse_shares
from headrace.splits.ways import parse_duration

_EACH = [
    splits.by_hash(),
    splits.by_hash("id"),
    splits.stratify("quality"),
    splits.stratify("price", bins=5, seed=3),
    splits.group("paciente ñ", missing="exclude"),
    splits.time("time", gap="24h", format="%d.%m.%Y"),
    splits.time("t", gap=3, unit="ms"),
    splits.shuffle(),
    splits.shuffle(seed=113),
    splits.column("set", names={"TRAIN": "train", 'o"dd': "test"}, drop=True),
    splits.folders(),
    splits.folders(names={"training set": "train"}),
]


@pytest.mark.parametrize("way", _EACH, ids=str)
def test_text_mapping_and_record_mean_the_same(way):
    """What is recorded is read back, and so is what a message shows."""
    assert parse(str(way), "split_by") == way
    assert parse(way.as_mapping(), "split_by") == way
    names = ["train", "test"] if way.kind in ("column", "folders") else {"train": 4, "test": 1}
    wanted = asked(names, way, "Gen")
    assert recorded(wanted.as_properties()) == wanted


@pytest.mark.parametrize(
    ("given", "way"),
    [
        ("hash", splits.by_hash()),
        ("folders", splits.folders()),
        ("shuffle", splits.shuffle()),
        ({"shuffle": 113}, splits.shuffle(113)),
        ({"hash": None}, splits.by_hash()),
        ({"folders": {"training set": "train"}}, splits.folders(names={"training set": "train"})),
        ({"time": "date", "gap": "24h"}, splits.time("date", gap="24h")),
        ("by_hash('id')", splits.by_hash("id")),
    ],
)
def test_what_configuration_files_give(given, way):
    """Names alone, calls and mappings."""
    assert parse(given, "split_by") == way


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("stratfy('q')", "X names 'stratfy', which is no way to divide rows."),
        ({"time": "d", "gaps": "1h"}, "X: time has no argument 'gaps'."),
        ("stratify", "X: stratify() missing 1 required positional argument: 'feature'."),
        ("stratify(quality)", "X is 'stratify(quality)', which cannot be read:"),
        (
            "stratify(quality)",
            "X is 'stratify(quality)', which cannot be read: quality is no text, number or mapping: write 'quality'.",
        ),
        (
            "column('c', names=dict(a='b'))",
            "X is \"column('c', names=dict(a='b'))\", which cannot be read: dict(a=",
        ),
        (
            "by_hsh",
            "X names 'by_hsh', which is no way to divide rows. There are 'by_hash', 'column', 'folders', 'group',",
        ),
        ("stratify('q'", "X is \"stratify('q'\", which cannot be read:"),
        ({"time": "d", "group": "e"}, "X names time and group."),
        ({}, "X names '', which is no way to divide rows."),
        (3, "X is a int."),
        ({"stratify": 3}, "stratify: the feature is 3."),
        ({"stratify": "q", "bins": 1}, "stratify: bins is 1."),
        ({"shuffle": -1}, "shuffle: seed is -1."),
        ({"shuffle": True, "seed": 1.5}, "shuffle: seed is 1.5."),
        ({"group": "g", "missing": "drop"}, "group: missing is 'drop'."),
        ({"time": "t", "gap": "24 hours"}, "time: gap is '24 hours', which is no duration."),
        ({"time": "t", "gap": -1}, "time: gap is -1."),
        ({"time": "t", "unit": "h"}, "time: unit is 'h'."),
        ({"time": "t", "format": "ISO"}, "time: format is 'ISO'."),
        (
            {"column": "c", "names": {"A": "no/name"}},
            "column: names: 'no/name' cannot be the name of a split.",
        ),
        ({"column": "c", "names": ["a"]}, "column: names is ['a']."),
        ({"column": "c", "drop": 1}, "column: drop is 1."),
    ],
)
def test_what_is_no_way_to_divide(given, problem):
    """The message has what was given, and a fix."""
    with pytest.raises(DefinitionError) as caught:
        parse(given, "X")
    assert caught.value.problem.startswith(problem)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("given", "weights"),
    [
        ({"train": 3, "valid": 1, "test": 1}, (3, 1, 1)),
        ({"train": 0.8, "test": 0.2}, (4, 1)),
        ({"a": 0.1, "b": 0.2, "c": 0.7}, (1, 2, 7)),
        ({"a": 60, "b": 20}, (3, 1)),
        ({"a": 1 / 3, "b": 2 / 3}, (1, 2)),
        ({"only": 0.5}, (1,)),
        (["a", "b"], ()),
    ],
)
def test_shares_become_whole_numbers_in_lowest_terms(given, weights):
    """By their digits, not by what a float is to the last bit."""
    assert parse_shares(given, "splits").weights == weights


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"train": 0}, "X: the share of split 'train' is 0."),
        ({"train": -1.5}, "X: the share of split 'train' is -1.5."),
        ({"train": float("nan")}, "X: the share of split 'train' is nan."),
        ({"train": float("inf")}, "X: the share of split 'train' is inf."),
        ({"train": True}, "X: the share of split 'train' is True."),
        ({"train": "3"}, "X: the share of split 'train' is '3'."),
        ({"no name": 1}, "X: 'no name' cannot be the name of a split."),
        ({"../x": 1}, "X: '../x' cannot be the name of a split."),
        ({"prueba_ñ": 1}, "X: 'prueba_ñ' cannot be the name of a split."),
        ({"train": 1, "Train": 1}, "X: split 'Train' is named twice."),
        ({}, "X names no split."),
        ([], "X names no split."),
        ("train", "X is 'train'."),
        (3, "X is 3."),
    ],
)
def test_splits_that_cannot_be(given, problem):
    """Shares are positive, names are those of folders."""
    with pytest.raises(DefinitionError) as caught:
        parse_shares(given, "X")
    assert caught.value.problem == problem
    assert caught.value.fix


def test_nothing_asked_for_is_nothing_recorded():
    """Old cache keys stay."""
    assert asked(None, None, "Gen") is None
    assert recorded({"input_base": "data", "splits": None}) is None


def test_without_shares_the_default_is_that_of_tfx():
    """Two to one; ways whose splits the data names have none."""
    assert asked(None, splits.stratify("q"), "Gen").shares.as_json() == {"train": 2, "eval": 1}
    assert asked(None, "folders", "Gen").shares.names == ()


def test_hash_is_output_config():
    """What stock executors read, too."""
    assert asked({"train": 0.75, "eval": 0.25}, splits.by_hash("id"), "Gen").output_config() == {
        "split_config": {
            "splits": [{"name": "train", "hash_buckets": 3}, {"name": "eval", "hash_buckets": 1}],
            "partition_feature_name": "id",
        }
    }
    assert asked({"train": 1, "eval": 1}, splits.shuffle(), "Gen").output_config() == {}


@pytest.mark.parametrize(
    ("names", "way", "problem"),
    [
        (
            {"train": 1},
            splits.column("set"),
            'Gen: column("set") takes the splits from the data, and splits gives shares.',
        ),
        (
            ["train"],
            splits.stratify("q"),
            'Gen: stratify("q") divides by shares, and splits lists names alone.',
        ),
    ],
)
def test_shares_and_ways_that_do_not_go_together(names, way, problem):
    """Each names the other form."""
    with pytest.raises(DefinitionError) as caught:
        asked(names, way, "Gen")
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("text", "seconds"), [("24h", 86400), ("1d 12h", 129600), ("0.5 s", 0.5), ("3ms", 0.003), ("2w", 1209600)]
)
def test_durations(text, seconds):
    """A number and its unit, or several."""
    assert parse_duration(text, "gap") == pytest.approx(seconds)
