"""What `default_preprocessing` may be told, and what is said of a value that it cannot be told."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.features.roles import ROLES

_NUMBERS = ("z_score", "min_max", "buckets")
_CATEGORIES = ("one_hot", "vocabulary")
_TEXTS = ("tf_idf", "bag_of_words", "tokens")


@dataclass(frozen=True)
class Options:
    """What `default_preprocessing` may be told; described there."""

    label: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    schema: str | None = None
    classes: bool | Sequence[str | int] | None = None
    numbers: str = "z_score"
    clip: float | None = 5.0
    num_buckets: int = 10
    missing: str = "median"
    indicator: bool = True
    pca: int | None = None
    categories: str = "one_hot"
    max_categories: int = 50
    texts: str = "tf_idf"
    max_words: int = 1000
    ngrams: int = 1
    level: str = "word"
    text_length: int = 100
    image_size: Sequence[int] = (64, 64)
    channels: int = 3
    date_formats: Mapping[str, str] = field(default_factory=dict)
    suffix: str = "_xf"


def checked(**options: object) -> Options:
    """Return options whose names and words are known.

    Raises:
        DefinitionError: If an option is unknown or has no such value.
    """
    known = {one.name for one in dataclasses.fields(Options)}
    for name in options:
        if name not in known:
            raise DefinitionError(
                f"default_preprocessing has no option '{name}'. There are {listed(sorted(known))}.",
                f"{did_you_mean(name, known)}Correct the name.",
            )
    given: dict[str, Any] = dict(options)
    found = Options(**given)
    for name, allowed in (("numbers", _NUMBERS), ("categories", _CATEGORIES), ("texts", _TEXTS)):
        value = getattr(found, name)
        if value not in allowed:
            raise DefinitionError(
                f"default_preprocessing: {name} is {value!r}. There are {listed(allowed)}.",
                f"{did_you_mean(str(value), allowed)}Correct it.",
            )
    wrong = sorted(set(found.roles.values()) - set(ROLES))
    if wrong:
        raise DefinitionError(
            f"default_preprocessing: roles says {listed(wrong)}. There are {listed(ROLES)}.",
            f"{did_you_mean(wrong[0], ROLES)}Correct the role.",
        )
    return found
