"""Changes that training rows get each time they are seen, so that a model learns what does not matter.

    from headrace import augment

    Trainer(..., augment=[augment.flip(), augment.rotate(10), augment.noise(0.02)])

They belong to the training input: rows that a model is evaluated on, and those that it serves, are never changed. In
each pass every row is changed anew, and the same seed changes it in the same way. Importing this package is light.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from headrace.errors import DefinitionError, did_you_mean, listed

FILLS = ("reflect", "nearest", "constant", "wrap")


@dataclass(frozen=True)
class Augmentation:
    """One change, made by a function of this package.

    Attributes:
        kind: The function's name.
        feature: The transformed feature that is changed; `None` for all that it fits.
        options: Numbers and words, as JSON holds them.
    """

    kind: str
    feature: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        named = {"feature": self.feature} if self.feature else {}
        return {"kind": self.kind, **named, **self.options}


Given: TypeAlias = "Augmentation | Mapping[str, Any] | Sequence[Augmentation | Mapping[str, Any]]"


def flip(horizontal: bool = True, vertical: bool = False, feature: str | None = None) -> Augmentation:
    """Mirror every other picture, left to right; or top to bottom.

    Args:
        horizontal: Whether left and right change places.
        vertical: Whether top and bottom do.
        feature: The feature with pictures; by default each of shape `(height, width, channels)`.
    """
    for name, given in (("horizontal", horizontal), ("vertical", vertical)):
        if not isinstance(given, bool):
            raise DefinitionError(f"augment.flip: {name} is {given!r}.", "give True or False.")
    if not (horizontal or vertical):
        raise DefinitionError("augment.flip: neither direction is asked for.", "give horizontal or vertical.")
    return Augmentation("flip", feature, {"horizontal": horizontal, "vertical": vertical})


def rotate(degrees: float, fill: str = "reflect", feature: str | None = None) -> Augmentation:
    """Turn each picture about its middle, by up to so many degrees to either side.

    Args:
        degrees: Above 0, up to 180.
        fill: What comes in at the corners: `"reflect"`, `"nearest"`, `"constant"` (0) or `"wrap"`.
        feature: See `flip`.
    """
    return _placed("rotate", feature, fill, degrees=_number("rotate", "degrees", degrees, 0, 180))


def shift(fraction: float, fill: str = "reflect", feature: str | None = None) -> Augmentation:
    """Move each picture up or down and sideways, by up to so much of its height and width.

    Args:
        fraction: Above 0, up to 1.
        fill: See `rotate`.
        feature: See `flip`.
    """
    return _placed("shift", feature, fill, fraction=_number("shift", "fraction", fraction, 0, 1))


def zoom(fraction: float, fill: str = "reflect", feature: str | None = None) -> Augmentation:
    """Bring each picture nearer or farther, by up to so much of its size.

    Args:
        fraction: Above 0, below 1: 0.2 for 80 to 120 % of the size.
        fill: See `rotate`.
        feature: See `flip`.
    """
    return _placed("zoom", feature, fill, fraction=_number("zoom", "fraction", fraction, 0, 0.99))


def contrast(fraction: float, feature: str | None = None) -> Augmentation:
    """Spread each picture's values about their mean, channel by channel, or draw them together.

    Args:
        fraction: Above 0, up to 1: 0.2 for 80 to 120 % of the contrast.
        feature: See `flip`.
    """
    return Augmentation("contrast", feature, {"fraction": _number("contrast", "fraction", fraction, 0, 1)})


def noise(deviation: float, feature: str | None = None) -> Augmentation:
    """Add normally distributed noise to numbers or pictures.

    Args:
        deviation: Its standard deviation, above 0, in the units of the transformed feature.
        feature: A feature of floats; by default all of them.
    """
    return Augmentation(
        "noise", feature, {"deviation": _number("noise", "deviation", deviation, 0, float("inf"))}
    )


def mixup(alpha: float = 0.2) -> Augmentation:
    """Lay two rows over each other, features and label, as `mixup` of Zhang et al. (2017, arXiv:1710.09412) does.

    A share is drawn from a Beta distribution for each row; a partner from its batch. A label with fractions is mixed.
    Of classes both count, each with its share of the weight: the loss is that of the paper, and batches twice as long.

    Args:
        alpha: Of the distribution, above 0: the larger, the more even are the shares.
    """
    return Augmentation("mixup", None, {"alpha": _number("mixup", "alpha", alpha, 0, float("inf"))})


KINDS: dict[str, Callable[..., Augmentation]] = {
    function.__name__: function for function in (flip, rotate, shift, zoom, contrast, noise, mixup)
}


def read(given: Given, where: str = "augment") -> tuple[Augmentation, ...]:
    """Return changes in order, given as objects or as plain mappings such as `{"kind": "flip"}`.

    Raises:
        DefinitionError: If a kind or an option of one is unknown, or a number is out of range.
    """
    single = isinstance(given, (Augmentation, Mapping, str)) or not isinstance(given, Iterable)
    parts: Iterable[Any] = [given] if single else given  # type: ignore[assignment]
    return tuple(one if isinstance(one, Augmentation) else _read(one, where) for one in parts)


def to_text(given: Given, where: str = "augment") -> str:
    """Return changes as the text in which a component records them."""
    return json.dumps([one.plain() for one in read(given, where)], sort_keys=True)


def _read(given: Any, where: str) -> Augmentation:
    options = {"kind": given} if isinstance(given, str) else dict(given) if isinstance(given, Mapping) else {}
    kind = options.pop("kind", None)
    if kind not in KINDS:
        raise DefinitionError(
            f"{where}: {given!r} is no augmentation. There are {listed(KINDS)}.",
            f"{did_you_mean(str(kind), KINDS)}Write augment.flip(), or {{'kind': 'flip'}}.",
        )
    try:
        return KINDS[kind](**options)
    except TypeError as error:
        raise DefinitionError(f"{where}: {kind}: {error}.", f"see help(headrace.augment.{kind}).") from error


def _placed(kind: str, feature: str | None, fill: str, **options: float) -> Augmentation:
    if fill not in FILLS:
        raise DefinitionError(
            f"augment.{kind}: fill is {fill!r}. There are {listed(FILLS)}.",
            f"{did_you_mean(str(fill), FILLS)}Correct it.",
        )
    return Augmentation(kind, feature, {**options, "fill": fill})


def _number(kind: str, name: str, value: float, above: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not above < value <= most:
        bound = "" if most == float("inf") else f", up to {most:g}"
        raise DefinitionError(
            f"augment.{kind}: {name} is {value!r}.", f"give a number above {above:g}{bound}."
        )
    return float(value)
