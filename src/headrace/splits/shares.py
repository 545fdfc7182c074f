"""The splits that are asked for, and their shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from headrace.errors import DefinitionError
from headrace.formats import split_names

# Shares by name, or names alone.
SplitsLike: TypeAlias = "Mapping[str, float] | Sequence[str]"
# TFX's hash buckets are 32-bit, and rows times buckets 64-bit; so many digits of a share are kept.
_MAX_WEIGHT = 10**6


@dataclass(frozen=True)
class Shares:
    """The splits that are asked for, and how large each is.

    Attributes:
        names: The splits, in the order given.
        weights: Their shares as whole numbers in lowest terms; empty where names alone were given.
    """

    names: tuple[str, ...] = ()
    weights: tuple[int, ...] = ()

    def of(self, name: str) -> float | None:
        """Return the share of a split that was asked for, 0 to 1; `None` where none was."""
        return self.weights[self.names.index(name)] / sum(self.weights) if self.weights else None

    def as_json(self) -> dict[str, int] | list[str]:
        """Return the form that is recorded."""
        return dict(zip(self.names, self.weights)) if self.weights else list(self.names)


def parse_shares(given: Any, where: str) -> Shares:
    """Return what a value of `splits` stands for: a mapping of names to shares, or a list of names.

    Args:
        given: `{"train": 3, "test": 1}`, or `["train", "test"]`.
        where: Component and argument, for messages.

    Raises:
        DefinitionError: If a name cannot be that of a folder or is there twice, or a share is no positive number.
    """
    if isinstance(given, Mapping):
        names = [str(name) for name in given]
        weights = _weights(dict(zip(names, given.values())), where)
    elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        names, weights = [str(name) for name in given], ()
    else:
        raise DefinitionError(
            f"{where} is {given!r}.", "give each split's share, such as {'train': 3, 'valid': 1, 'test': 1}."
        )
    if not names:
        raise DefinitionError(f"{where} names no split.", "give each split's share, or leave it out.")
    split_names.check_given(names, where)
    # Of a file system that folds case, `Train` and `train` are one folder.
    folded = [name.casefold() for name in names]
    twice = [name for at, name in enumerate(names) if name.casefold() in folded[:at]]
    if twice:
        raise DefinitionError(
            f"{where}: split '{twice[0]}' is named twice.",
            "give each split its own name; large and small letters make no difference, as on some file systems.",
        )
    return Shares(tuple(names), weights)


def _weights(shares: Mapping[str, Any], where: str) -> tuple[int, ...]:
    """Return the shares as whole numbers without a common factor: 0.8 and 0.2 are 4 and 1."""
    exact = []
    for name, share in shares.items():
        is_number = isinstance(share, (int, float, Fraction)) and not isinstance(share, bool)
        if not is_number or not 0 < share < math.inf:
            raise DefinitionError(
                f"{where}: the share of split '{name}' is {share!r}.",
                "give a positive number, such as 1 or 0.2; leave out a split that is to have no rows.",
            )
        # By its digits: the float 0.1 is a little more than a tenth.
        exact.append(Fraction(str(share)))
    whole = math.lcm(*(share.denominator for share in exact))
    weights = [int(share * whole) for share in exact]
    common = math.gcd(*weights)
    weights = [weight // common for weight in weights]
    if sum(weights) > _MAX_WEIGHT:
        total = sum(weights)
        weights = [max(1, round(weight * _MAX_WEIGHT / total)) for weight in weights]
    return tuple(weights)
