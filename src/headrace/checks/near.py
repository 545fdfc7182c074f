"""When two rows are near, though not equal: plain mappings for `Cleaner(near=...)` and for the checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headrace.checks import values
from headrace.checks.values import Spec

_KIND = "kind"


def near_texts(feature: str | None = None, similarity: float = 0.8) -> Spec:
    """Texts that share most of their runs of 5 characters.

    Args:
        feature: The feature of texts; the only one there is where it is left out.
        similarity: The least Jaccard similarity of the two sets of runs, above 0 and up to 1. It is estimated by MinHash
            with 128 permutations, so by 0.03 to 0.04 more or less. Case and spaces do not count.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "near_texts"
    return values.given(
        _KIND,
        "text",
        {
            "feature": values.text(where, "feature", feature),
            "similarity": values.number(where, "similarity", similarity, 0.1, 1),
        },
    )


def near_images(feature: str | None = None, distance: int = 4) -> Spec:
    """Pictures that look alike, whatever their size, format and compression; colour does not count.

    Args:
        feature: The feature of encoded pictures; the only one there is where it is left out.
        distance: In how many of their 64 bits the perceptual hashes (`imagehash.phash`) may differ, 0 to 16. A picture
            of one colour has no such hash and is near to none.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "near_images"
    return values.given(
        _KIND,
        "image",
        {
            "feature": values.text(where, "feature", feature),
            "distance": values.whole(where, "distance", distance, 0, 16),
        },
    )


def near_numbers(digits: int = 3, features: Sequence[str] | None = None) -> Spec:
    """Rows whose floats are equal after rounding to significant digits, and whose other values are equal.

    Two numbers that are close fall apart where they round to different ones: 0.1245 and 0.1255 for 3 digits.

    Args:
        digits: How many significant digits, 1 to 7.
        features: What is compared; all that rows are compared by where it is left out.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "near_numbers"
    return values.given(
        _KIND,
        "numbers",
        {
            "digits": values.whole(where, "digits", digits, 1, 7),
            "features": values.names(where, "features", features),
        },
    )


def checked(given: Any, where: str) -> list[Spec] | None:
    """Return measures of nearness with all defaults: one or a list; `None` for those that fit the data.

    Raises:
        DefinitionError: If one is none.
    """
    if given is None:
        return None
    functions: dict[str, Callable[..., Spec]] = {
        "text": near_texts,
        "image": near_images,
        "numbers": near_numbers,
    }
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    return [
        values.called(functions, _KIND, one, f"{where}: near", "a measure of nearness") for one in several
    ]
