"""What a component is asked for: how rows are divided, and into which splits; as exec properties and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.errors import DefinitionError, listed
from headrace.splits.parsing import parse
from headrace.splits.shares import Shares, parse_shares
from headrace.splits.ways import NAMED_BY_DATA, SplitBy, by_hash

# The exec properties, JSON text; neither is recorded where nothing is asked for.
SPLITS_KEY = "splits"
SPLIT_BY_KEY = "split_by"

# TFX's default.
_SHARES = {"train": 2, "eval": 1}


@dataclass(frozen=True)
class Asked:
    """How rows are to be divided.

    Attributes:
        way: How.
        shares: Into which splits; none where the data names them.
    """

    way: SplitBy
    shares: Shares

    def as_properties(self) -> dict[str, str]:
        """Return the exec properties."""
        found = {SPLIT_BY_KEY: json.dumps(self.way.as_mapping(), ensure_ascii=False)}
        if self.shares.names:
            found[SPLITS_KEY] = json.dumps(self.shares.as_json(), ensure_ascii=False)
        return found

    def output_config(self) -> dict[str, Any]:
        """Return TFX's `Output` as a mapping: the hash buckets, or nothing where another way divides."""
        if self.way.kind != "hash":
            return {}
        buckets = [
            {"name": name, "hash_buckets": weight}
            for name, weight in zip(self.shares.names, self.shares.weights)
        ]
        feature = {"partition_feature_name": self.way.feature} if self.way.feature else {}
        return {"split_config": {"splits": buckets, **feature}}


def divided_split(asked: Asked, inputs: Sequence[str], where: str) -> str:
    """Return the one of several input splits whose rows are divided: the one that has a name of `splits`.

    The others stay as they are: a test set that came apart is not mixed with what is trained on.

    Args:
        asked: How rows are to be divided.
        inputs: The names of the input splits, two or more.
        where: The component, for messages.

    Raises:
        DefinitionError: If none of them is named in `splits`, or several are, or the way takes the splits from the data.
    """
    named = [name for name in inputs if name in asked.shares.names]
    if asked.way.kind not in NAMED_BY_DATA and len(named) == 1:
        return named[0]
    shown = listed(inputs)
    if asked.way.kind in NAMED_BY_DATA:
        why = f"{asked.way} takes the splits from the data"
    elif named:
        why = f"splits has the names of {'all' if len(named) == len(inputs) else 'several'} of them: {listed(named)}"
    else:
        why = f"splits has the name of none: {listed(asked.shares.names)}"
    raise DefinitionError(
        f"{where}: input_config has the splits {shown}, and {why}: which rows are divided is not clear.",
        f"to divide one and leave the others as they are, give its name to one of the parts: "
        f"splits={{'{inputs[0]}': 4, 'valid': 1}}; to divide all rows together, give one input split with a pattern of all "
        "files; or leave out splits and split_by, and the input's splits stay as they are.",
    )


def asked(splits: Any, split_by: Any, where: str) -> Asked | None:
    """Return what the parameters `splits` and `split_by` of a component ask for; `None` where neither is given.

    Args:
        splits: `None`, shares, or names; see `parse_shares`.
        split_by: `None`, or a way to divide; see `parse`.
        where: The component, for messages.

    Raises:
        DefinitionError: If one of them is malformed, or they do not go together.
    """
    if splits is None and split_by is None:
        return None
    way = by_hash() if split_by is None else parse(split_by, f"{where}: split_by")
    if splits is None:
        return Asked(way, Shares() if way.kind in NAMED_BY_DATA else parse_shares(_SHARES, where))
    shares = parse_shares(splits, f"{where}: splits")
    if way.kind in NAMED_BY_DATA and shares.weights:
        raise DefinitionError(
            f"{where}: {way} takes the splits from the data, and splits gives shares.",
            f"leave out splits, or list the names that are expected: splits={list(shares.names)!r}.",
        )
    if way.kind not in NAMED_BY_DATA and not shares.weights:
        raise DefinitionError(
            f"{where}: {way} divides by shares, and splits lists names alone.",
            f"give each split its share: splits={dict.fromkeys(shares.names, 1)!r}.",
        )
    return Asked(way, shares)


def recorded(properties: Mapping[str, Any]) -> Asked | None:
    """Return what exec properties ask for; `None` where they ask for nothing.

    Raises:
        DefinitionError: If they were changed into something that cannot be asked for.
    """
    splits, split_by = (properties.get(key) for key in (SPLITS_KEY, SPLIT_BY_KEY))
    return asked(_read(splits), _read(split_by), "exec properties")


def _read(text: Any) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise DefinitionError(f"exec properties: {text!r} is no JSON: {error}.") from error
