"""The features side by side, as a model takes them that sees a row as n numbers: which columns, in which order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headrace.errors import TrainingError
from headrace.models.features import Feature, Features, size

# More names than this are a wall, not a help.
_MAX_NAMES = 30


@dataclass(frozen=True)
class Part:
    """The columns that are of one feature.

    Attributes:
        feature: The feature.
        size: How many columns it gives.
    """

    feature: Feature
    size: int


def parts(features: Features, dtype: str, where: str) -> list[Part]:
    """Return what a matrix is made of: the features of its kind and of a known size, in their stated order.

    Args:
        features: Those that there are. Where they were chosen by the user, each of them has to fit.
        dtype: Of the matrix: `"string"` for texts, else numbers.
        where: For messages.

    Raises:
        TrainingError: If one of the chosen features does not fit.
    """
    found = []
    for name in features.order:
        feature = features[name]
        width = size(feature)
        is_kind = (feature.dtype == "string") == (dtype == "string")
        if is_kind and width is not None:
            found.append(Part(feature, width))
        elif features.is_chosen:
            why = "its rows differ in length" if is_kind else f"it holds {_kind(feature)}"
            raise TrainingError(
                f"{where}: features names '{name}', which cannot be a column of the model's matrix: {why}.",
                "leave it out of features; or make numbers of it in preprocessing_fn, such as headrace.features.one_hot.",
            )
    return found


def mismatch(
    width: int | None, found: Sequence[Part], features: Features, dtype: str, where: str
) -> TrainingError:
    """Return what is said where the columns are not as many as the model takes.

    Args:
        width: How many it takes; `None` where it takes any number, and there is no column.
        found: What `parts` returned.
        features: Those that there are.
        dtype: Of the matrix.
        where: For messages.
    """
    names = [one.feature.name if one.size == 1 else f"{one.feature.name} ({one.size})" for one in found]
    used = {one.feature.name for one in found}
    left = [f"{name} ({_kind(features[name])})" for name in features.order if name not in used]
    has = sum(one.size for one in found)
    takes = "numbers" if dtype != "string" else "texts"
    aside = f" Left out: {told(left)}." if left else ""
    wanted = f"{width:,} {takes}" if width is not None else takes
    return TrainingError(
        f"{where}: the model takes {wanted} in a row, and the features give {has:,}: {told(names)}.{aside}",
        f"give the model keras.Input(({has},)), or choose the features: features=[...]."
        if has
        else "make numbers of the features in preprocessing_fn, such as headrace.features.one_hot.",
    )


def told(names: Iterable[str]) -> str:
    """Return names in their order for a message, the first of many."""
    every = list(names)
    more = f" and {len(every) - _MAX_NAMES:,} more" if len(every) > _MAX_NAMES else ""
    return (", ".join(itertools.islice(every, _MAX_NAMES)) or "none") + more


def _kind(feature: Feature) -> str:
    if feature.dtype == "string":
        return "text"
    return (
        "rows of several lengths"
        if size(feature) is None
        else f"{math.prod(n or 0 for n in feature.shape)} numbers"
    )
