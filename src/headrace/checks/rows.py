"""The checks, as plain mappings: what is looked for in the rows of examples, and from where on it is an anomaly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headrace.checks import near as near_specs
from headrace.checks import values
from headrace.checks.values import FAIL_ON, Spec
from headrace.errors import DefinitionError

_CHECK = "check"
_SHARE = (0, 1)
Near = Sequence[Spec] | Spec | bool | None


def images(
    feature: str | None = None,
    *,
    formats: Sequence[str] | None = None,
    min_size: tuple[int, int] | int = 16,
    max_size: tuple[int, int] | int = 10_000,
    channels: int | None = None,
    blank: float = 1.0,
    blurred: float = 20.0,
    grey: bool = True,
    max_share: float = 0.0,
    fail_on: str | None = None,
) -> Spec:
    """Pictures: undecodable, of another format, size, number of channels or colour model, blank, blurred or grey.

    Args:
        feature: The feature of encoded pictures; the only one there is where it is left out.
        formats: The formats allowed, as Pillow names them (`"PNG"`, `"JPEG"`); all that TensorFlow decodes where it is
            left out.
        min_size: Least width and height in pixels.
        max_size: Greatest width and height in pixels.
        channels: The number of channels of each picture; where it is left out, the one that most have.
        blank: A picture whose grey values, 0 to 255, have no larger standard deviation is blank.
        blurred: One whose Laplacian has a variance below this is blurred, measured at no more than 256 pixels.
        grey: Whether pictures without colour are found among those of which more than half have some.
        max_share: Up to this share of a split, a finding is none; undecodable pictures always are.
        fail_on: What stops the pipeline. Undecodable pictures and wrong formats, sizes and channels are errors, others
            are warnings.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "images"
    return values.given(
        _CHECK,
        where,
        {
            "feature": values.text(where, "feature", feature),
            "formats": _upper(values.names(where, "formats", formats)),
            "min_size": values.pair(where, "min_size", min_size, 1),
            "max_size": values.pair(where, "max_size", max_size, 1),
            "channels": None if channels is None else values.whole(where, "channels", channels, 1, 4),
            "blank": values.number(where, "blank", blank, 0, 128),
            "blurred": values.number(where, "blurred", blurred, 0),
            "grey": values.flag(where, "grey", grey),
            "max_share": values.number(where, "max_share", max_share, *_SHARE),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def texts(
    feature: str | None = None,
    *,
    min_length: int = 1,
    max_length: int | None = 10_000,
    language: Sequence[str] | str | None = None,
    out_of_vocabulary: float | None = 0.5,
    baseline: str = "train",
    max_share: float = 0.0,
    fail_on: str | None = None,
) -> Spec:
    """Texts: empty, too short or long, no UTF-8 or decoded wrongly, in another language, of unknown words.

    Args:
        feature: The feature of texts; the only one there is where it is left out.
        min_length: Least number of characters; a text without any but spaces is empty.
        max_length: Greatest number of characters.
        language: The codes of the languages allowed, such as `{"es", "zh"}`. Texts are told by py3langid where they
            have 4 words and 20 letters or more (8 signs of Chinese or Japanese) and it is sure by 0.9.
        out_of_vocabulary: The greatest share of words of a split that the baseline split does not have. Each sign of
            Chinese and Japanese is a word.
        baseline: The split whose words are known; without it these are not looked at.
        max_share: Up to this share of a split, a finding is none; what is no UTF-8 always is.
        fail_on: What stops the pipeline. What is no UTF-8 is an error, others are warnings.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "texts"
    if max_length is not None and max_length < min_length:
        raise DefinitionError(
            f"{where}: max_length is {max_length!r}, less than min_length, {min_length!r}.",
            "correct one of them.",
        )
    return values.given(
        _CHECK,
        where,
        {
            "feature": values.text(where, "feature", feature),
            "min_length": values.whole(where, "min_length", min_length, 0),
            "max_length": None if max_length is None else values.whole(where, "max_length", max_length, 1),
            "language": values.names(where, "language", language),
            "out_of_vocabulary": values.optional_number(
                where, "out_of_vocabulary", out_of_vocabulary, *_SHARE
            ),
            "baseline": values.text(where, "baseline", baseline),
            "max_share": values.number(where, "max_share", max_share, *_SHARE),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def sounds(
    feature: str | None = None,
    *,
    rate: str | int | None = None,
    seconds: tuple[float, float] | None = None,
    silence_db: float = -60.0,
    clipped: float = 0.01,
    max_share: float = 0.0,
    fail_on: str | None = None,
) -> Spec:
    """Sounds: undecodable, of another rate or length, silent, or clipped.

    Args:
        feature: A feature of encoded sounds (WAV, FLAC, Ogg), or of samples as floats from -1 to 1; where it is left
            out, the only encoded one there is, else `audio`.
        rate: The number of samples in a second that each sound has; or the feature that says it, for samples: `"rate"`
            where it is left out and exists. What most have is expected where no number is given.
        seconds: Least and greatest length.
        silence_db: A sound whose root mean square is below this, in decibels of full scale, is silent.
        clipped: The greatest share of samples at the ends of their range.
        max_share: Up to this share of a split, a finding is none; undecodable sounds always are.
        fail_on: What stops the pipeline. Undecodable sounds and other rates and lengths are errors, others are
            warnings.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "sounds"
    checked_rate = rate if rate is None or isinstance(rate, str) else values.whole(where, "rate", rate, 1)
    return values.given(
        _CHECK,
        where,
        {
            "feature": values.text(where, "feature", feature),
            "rate": checked_rate,
            "seconds": values.rising(where, "seconds", seconds),
            "silence_db": values.number(where, "silence_db", silence_db, -200, 0),
            "clipped": values.number(where, "clipped", clipped, *_SHARE),
            "max_share": values.number(where, "max_share", max_share, *_SHARE),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def numbers(
    features: Sequence[str] | None = None,
    *,
    outliers: float | None = 50.0,
    not_finite: bool = True,
    text_among_numbers: float = 0.9,
    required: Sequence[str] | str | None = None,
    max_share: float = 0.0,
    fail_on: str | None = None,
) -> Spec:
    """Numbers: text among them, NaN and infinity, far outliers, and values that are missing.

    Args:
        features: What is looked at; all features of numbers, and of texts that are mostly numbers, where it is left out.
        outliers: A number is an outlier from so many times the distance of the quartiles beyond these. The quartiles
            are those of a sample of 20,000 values; `None` looks for none.
        not_finite: Whether NaN and infinity are found.
        text_among_numbers: From this share of numbers on, a feature of texts is one of numbers, and its other texts are
            findings.
        required: Features that each row is to have a value of, such as the label.
        max_share: Up to this share of a split, a finding is none.
        fail_on: What stops the pipeline. Outliers are warnings, others are errors.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "numbers"
    return values.given(
        _CHECK,
        where,
        {
            "features": values.names(where, "features", features),
            "outliers": values.optional_number(where, "outliers", outliers, 0),
            "not_finite": values.flag(where, "not_finite", not_finite),
            "text_among_numbers": values.number(where, "text_among_numbers", text_among_numbers, 0.5, 1),
            "required": values.names(where, "required", required),
            "max_share": values.number(where, "max_share", max_share, *_SHARE),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def balance(
    label: str,
    *,
    min_count: int = 2,
    min_share: float = 0.01,
    one_split: bool = True,
    fail_on: str | None = None,
) -> Spec:
    """Classes: of few rows, of a small share, or in one split alone.

    Args:
        label: The feature that holds the class: text or integers, or whole numbers as floats.
        min_count: Least number of rows of a class in each split that has it.
        min_share: Least share of a class among the rows of all splits.
        one_split: Whether a class that is in one split alone is found, where there are several.
        fail_on: What stops the pipeline. A class that the first split lacks is an error, others are warnings.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "balance"
    if not isinstance(label, str) or not label:
        raise DefinitionError(f"{where}: label is {label!r}, no name.", "name the feature of the class.")
    return values.given(
        _CHECK,
        where,
        {
            "label": label,
            "min_count": values.whole(where, "min_count", min_count, 1),
            "min_share": values.number(where, "min_share", min_share, *_SHARE),
            "one_split": values.flag(where, "one_split", one_split),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def duplicates(
    max_share: float = 0.01,
    *,
    keys: Sequence[str] | str | None = None,
    ignore: Sequence[str] = ("path", "line"),
    label: str | None = None,
    near: Near = False,
    fail_on: str | None = None,
) -> Spec:
    """Rows of a split that are copies of an earlier one; with a label, rows that contradict each other.

    Args:
        max_share: The greatest share of copies in a split that is no anomaly.
        keys: The features that are compared; all where it is left out.
        ignore: Features that are not compared: by default those that say where a row comes from.
        label: Its feature. Rows that are equal but for their label contradict each other, whatever their share.
        near: Whether near copies count as well: `True` for a measure that fits the data, or what `near_texts`,
            `near_images` or `near_numbers` returns.
        fail_on: What stops the pipeline. Contradictions are errors, copies are warnings.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "duplicates"
    return values.given(
        _CHECK,
        where,
        {
            "max_share": values.number(where, "max_share", max_share, *_SHARE),
            "keys": values.names(where, "keys", keys),
            "ignore": values.names(where, "ignore", ignore),
            "label": values.text(where, "label", label),
            "near": _near(near, where),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def leaks(
    *,
    keys: Sequence[str] | str | None = None,
    ignore: Sequence[str] = ("path", "line"),
    label: str | None = None,
    near: Near = False,
    group: str | None = None,
    time: str | None = None,
    max_share: float = 0.0,
    fail_on: str | None = None,
) -> Spec:
    """What one split tells of another: copies, near copies, rows of one group, overlapping times.

    Args:
        keys: The features that are compared; all but the label where it is left out.
        ignore: Features that are not compared.
        label: Its feature, which is not compared either: a row with another label is a copy all the same.
        near: As in `duplicates`.
        group: A feature whose values have to be in one split each, such as the patient.
        time: A feature of times, numbers or ISO 8601. Each split has to begin after the end of the one before.
        max_share: The greatest share of a split that may be copies of rows of others.
        fail_on: What stops the pipeline. All are errors.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "leaks"
    return values.given(
        _CHECK,
        where,
        {
            "keys": values.names(where, "keys", keys),
            "ignore": values.names(where, "ignore", ignore),
            "label": values.text(where, "label", label),
            "near": _near(near, where),
            "group": values.text(where, "group", group),
            "time": values.text(where, "time", time),
            "max_share": values.number(where, "max_share", max_share, *_SHARE),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def series(
    time: str,
    *,
    group: str | None = None,
    gap: float | None = None,
    order: bool = True,
    fail_on: str | None = None,
) -> Spec:
    """Rows in time: gaps, rows out of order, and several rows of one time, by group.

    Gaps and repeated times are looked for in all splits together, as splits may take turns; order in each file.

    Args:
        time: The feature of times: numbers, or text in ISO 8601.
        group: The feature that tells series apart, such as the sensor.
        gap: From how much time on between two rows there is a gap, in the unit of the numbers, seconds for text. Where
            it is left out, more than 3 times the most usual step of all groups.
        order: Whether times have to rise from row to row.
        fail_on: What stops the pipeline. Repeated times are errors, others are warnings.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "series"
    if not isinstance(time, str) or not time:
        raise DefinitionError(f"{where}: time is {time!r}, no name.", "name the feature of times.")
    return values.given(
        _CHECK,
        where,
        {
            "time": time,
            "group": values.text(where, "group", group),
            "gap": values.optional_number(where, "gap", gap, 0),
            "order": values.flag(where, "order", order),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def checked(given: Any, where: str) -> list[Spec]:
    """Return checks with all their defaults.

    Raises:
        DefinitionError: If the list is none, is empty, or one of its members is no check.
    """
    if not isinstance(given, (list, tuple)) or not given:
        raise DefinitionError(
            f"{where}: checks is {given!r}, no list of checks.",
            "give what functions of headrace.checks return: checks=[headrace.checks.duplicates()].",
        )
    return [values.called(_FUNCTIONS, _CHECK, one, f"{where}: checks", "a check") for one in given]


def _near(near: Near, where: str) -> list[Spec] | bool | None:
    if near is None or near is False:
        return None
    return True if near is True else near_specs.checked(near, where)


def _upper(found: list[str] | None) -> list[str] | None:
    return None if found is None else [name.upper() for name in found]


_FUNCTIONS: dict[str, Callable[..., Spec]] = {
    function.__name__: function
    for function in (images, texts, sounds, numbers, balance, duplicates, leaks, series)
}
