"""What is known of the texts and pictures of a split beside TFDV's statistics: `Contents.json`.

TFDV counts a text as one value among others, and bytes that are no text under one name for all. There is no such file
where no feature holds either, and where stock TFX or an earlier version computed the statistics.

::

    {"format": 1, "texts": {"review": {"count": 9000, ...}}, "pictures": {"image": {"count": 396, ...}}}
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from headrace.errors import MalformedFileError
from headrace.formats import json_files

CONTENTS_FILE = "Contents.json"

_FORMAT = 1
_WHAT = "what texts and pictures are like"

Three = tuple[float, float, float]


@dataclass(frozen=True)
class TextDescription:
    """The texts of one feature.

    Attributes:
        count: All of them.
        num_sampled: Of so many the median, the words and the vocabulary are told: all, or a sample.
        characters: Least, median and most characters; least and most are of all texts.
        words: Least, median and most words of those sampled; each sign of Chinese and Japanese is one.
        vocabulary: Different words of those sampled, letter case aside.
        frequent: The most frequent words with how often they occur, the first most often.
        languages: Code of a language (ISO 639-1) to how many texts are probably in it, most first; `"und"` for those that
            no language is clear of.
        num_told: Of so many texts the language was asked.
    """

    count: int
    num_sampled: int
    characters: Three
    words: Three
    vocabulary: int
    frequent: tuple[tuple[str, int], ...]
    languages: Mapping[str, int]
    num_told: int


@dataclass(frozen=True)
class PictureDescription:
    """The pictures of one feature.

    Attributes:
        count: All values.
        num_sampled: Of so many all else is told: all, or a sample.
        num_other: Values of the sample that are no picture that Pillow knows.
        formats: Pillow's name of a format, such as `"JPEG"`, to how many have it, most first.
        widths, heights: Least, median and most pixels.
        channels: The number of channels, as text, to how many have it, most first.
        sizes: The most frequent sizes, such as `"64 x 64"` (width x height), with how many have it.
        num_sizes: Different sizes.
    """

    count: int
    num_sampled: int
    num_other: int
    formats: Mapping[str, int]
    widths: Three
    heights: Three
    channels: Mapping[str, int]
    sizes: tuple[tuple[str, int], ...]
    num_sizes: int


@dataclass(frozen=True)
class Contents:
    """The texts and pictures of one split, by feature name."""

    texts: Mapping[str, TextDescription]
    pictures: Mapping[str, PictureDescription]


NOTHING = Contents({}, {})
"""Of a split without texts and pictures, or whose statistics say nothing of them."""


def write(folder: str, contents: Contents) -> None:
    """Write what is known of one split beside its statistics; no file where that is nothing."""
    if not contents.texts and not contents.pictures:
        return
    plain = {
        kind: {name: asdict(found[name]) for name in sorted(found)}
        for kind, found in (("texts", contents.texts), ("pictures", contents.pictures))
    }
    json_files.write(os.path.join(folder, CONTENTS_FILE), {"format": _FORMAT, **plain})


def read(folder: str) -> Contents:
    """Read what `write` wrote; nothing of any feature where there is no such file.

    Raises:
        MalformedFileError: If the file holds something else.
    """
    path = os.path.join(folder, CONTENTS_FILE)
    if not os.path.exists(path):
        return NOTHING
    content = json_files.read_numbered(path, _WHAT, _FORMAT)
    try:
        return Contents(
            {name: _text(**one) for name, one in content["texts"].items()},
            {name: _picture(**one) for name, one in content["pictures"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(path, error) from error


def _text(*, characters: Any, words: Any, frequent: Any, **more: Any) -> TextDescription:
    return TextDescription(
        characters=_three(characters), words=_three(words), frequent=_pairs(frequent), **more
    )


def _picture(*, widths: Any, heights: Any, sizes: Any, **more: Any) -> PictureDescription:
    return PictureDescription(widths=_three(widths), heights=_three(heights), sizes=_pairs(sizes), **more)


def _three(values: Any) -> Three:
    low, middle, high = (float(value) for value in values)
    return low, middle, high


def _pairs(values: Any) -> tuple[tuple[str, int], ...]:
    return tuple((str(name), int(count)) for name, count in values)


def _damaged(path: str, error: Exception) -> MalformedFileError:
    return json_files.damaged(path, _WHAT, error)
