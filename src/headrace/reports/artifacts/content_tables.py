"""What texts and pictures are like: in the details of a feature, and as tables of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.formats.contents import PictureDescription, TextDescription, Three
from headrace.reports.artifacts.feature_statistics import FeatureStatistics
from headrace.reports.blocks.blocks import Block, Cell, Table, Value
from headrace.reports.blocks.numbers import format_number, format_share
from headrace.ui.units import plural

TEXT_COLUMNS = [
    "feature",
    "split",
    "texts",
    "characters",
    "words",
    "vocabulary",
    "languages",
    "frequent words",
]
PICTURE_COLUMNS = ["feature", "split", "pictures", "format", "width x height", "channels"]
_MAX_LANGUAGES, _MAX_WORDS, _MAX_LISTED = 3, 5, 3
_UNCLEAR = "und"


def rows(splits: Sequence[FeatureStatistics]) -> list[list[Value]]:
    """Return the rows of one feature's details, a column for each split; nothing where it holds neither."""
    if any(one.texts is not None for one in splits):
        texts = [one.texts for one in splits]
        return [
            ["characters", *["–" if one is None else _spread(one.characters) for one in texts]],
            ["words", *["–" if one is None else _spread(one.words) for one in texts]],
            ["vocabulary", *["–" if one is None else format_number(one.vocabulary) for one in texts]],
            ["languages", *["–" if one is None else _languages(one) for one in texts]],
            ["of how many texts", *["–" if one is None else _of_texts(one) for one in texts]],
        ]
    if any(one.pictures is not None for one in splits):
        pictures = [one.pictures for one in splits]
        return [
            ["format", *["–" if one is None else _shares(one.formats, one.num_sampled) for one in pictures]],
            ["width x height", *["–" if one is None else _sizes(one) for one in pictures]],
            [
                "channels",
                *["–" if one is None else _shares(one.channels, one.num_sampled) for one in pictures],
            ],
            ["of how many pictures", *["–" if one is None else _of_pictures(one) for one in pictures]],
        ]
    return []


def frequent_words(splits: Mapping[str, FeatureStatistics]) -> list[Table]:
    """Return the most frequent words of a feature's texts; nothing where it holds none."""
    known = {name: dict(one.texts.frequent) for name, one in splits.items() if one.texts is not None}
    words = list(dict.fromkeys(word for counts in known.values() for word in counts))
    if not words:
        return []
    cells: list[list[Value]] = [
        [word, *[Cell(format_number(found.get(word)), is_number=True) for found in known.values()]]
        for word in words
    ]
    return [Table(["word", *known], cells, caption="Most frequent words", is_sortable=True)]


def render(features: Mapping[str, Mapping[str, FeatureStatistics]]) -> list[Block]:
    """Return a table of the features that hold texts, and one of those that hold pictures, where there are any.

    Args:
        features: By name, each by split.
    """
    texts: list[list[Value]] = []
    pictures: list[list[Value]] = []
    sampled = []
    for name, splits in features.items():
        for split, one in splits.items():
            if one.texts is not None:
                texts.append([name, split, *_text_cells(one.texts)])
                sampled.append(one.texts)
            elif one.pictures is not None:
                pictures.append([name, split, *_picture_cells(one.pictures)])
    found: list[Block] = []
    if texts:
        found.append(
            Table(
                TEXT_COLUMNS,
                texts,
                caption="Texts",
                footnote=_footnote(sampled),
                is_sortable=True,
                is_continued=True,
            )
        )
    if pictures:
        footnote = "Read off the heads of the files: a picture whose pixels are damaged counts too."
        found.append(
            Table(PICTURE_COLUMNS, pictures, caption="Pictures", footnote=footnote, is_sortable=True)
        )
    return found


def in_short(pictures: PictureDescription) -> str:
    """Return a few words on pictures, such as `"PNG, 64 x 64"`."""
    return f"{next(iter(pictures.formats), 'pictures')}, {_extent(pictures)}"


def _text_cells(one: TextDescription) -> list[Value]:
    words = ", ".join(word for word, _ in one.frequent[:_MAX_WORDS])
    return [one.count, _spread(one.characters), _spread(one.words), one.vocabulary, _languages(one), words]


def _picture_cells(one: PictureDescription) -> list[Value]:
    shares = [_shares(found, one.num_sampled) for found in (one.formats, one.channels)]
    return [_of_pictures(one), shares[0], _sizes(one), shares[1]]


def _footnote(texts: Sequence[TextDescription]) -> str:
    parts = ["Characters and words: least, median and most in a text."]
    most = max(one.num_sampled for one in texts)
    if any(one.num_sampled < one.count for one in texts):
        parts.append(
            f"Medians, words and vocabulary are those of an even sample of at most {most:,} texts of a split; the least and "
            "most characters are of all."
        )
    told = max(one.num_told for one in texts)
    parts.append(
        f"Languages are told by py3langid of {told:,} texts of a split at most; of short ones it is often wrong."
    )
    return " ".join(parts)


def _spread(three: Three) -> str:
    low, middle, high = (format_number(value) for value in three)
    return low if low == high else f"{low} · {middle} · {high}"


def _languages(one: TextDescription) -> str:
    if not one.num_told:
        return "–"
    if list(one.languages.values()) == [one.num_told] and _UNCLEAR not in one.languages:
        return next(iter(one.languages))
    named = [(code, count) for code, count in one.languages.items() if code != _UNCLEAR]
    shown = [f"{code} {format_share(count / one.num_told)}" for code, count in named[:_MAX_LANGUAGES]]
    rest = one.num_told - sum(count for _, count in named[:_MAX_LANGUAGES])
    return ", ".join([*shown, *([f"other {format_share(rest / one.num_told)}"] if rest else [])])


def _of_texts(one: TextDescription) -> str:
    sampled = "all" if one.num_sampled == one.count else f"{one.num_sampled:,}"
    return f"{sampled}; languages {one.num_told:,}"


def _of_pictures(one: PictureDescription) -> str:
    sampled = (
        format_number(one.count) if one.num_sampled == one.count else f"{one.num_sampled:,} of {one.count:,}"
    )
    other = f", {plural(one.num_other, 'other value')}" if one.num_other else ""
    return f"{sampled}{other}"


def _shares(counts: Mapping[str, int], total: int) -> str:
    if list(counts.values()) == [total]:
        return next(iter(counts))
    shown = [f"{name} {format_share(count / total)}" for name, count in list(counts.items())[:_MAX_LISTED]]
    return ", ".join([*shown, *([f"{len(counts) - _MAX_LISTED} more"] if len(counts) > _MAX_LISTED else [])])


def _extent(one: PictureDescription) -> str:
    if one.num_sizes == 1:
        return one.sizes[0][0]
    low, high = (f"{int(one.widths[at])} x {int(one.heights[at])}" for at in (0, 2))
    return f"{low} to {high}"


def _sizes(one: PictureDescription) -> str:
    if one.num_sizes == 1:
        return one.sizes[0][0]
    name, count = one.sizes[0]
    often = (
        f", most often {name} ({format_share(count / one.num_sampled)})"
        if 2 * count > one.num_sampled
        else ""
    )
    return f"{_extent(one)}, {one.num_sizes:,} sizes{often}"
