"""Checks of each row by itself, as plain mappings: pictures, texts, sounds, numbers."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.checks import values
from headrace.checks.values import CHECK, FAIL_ON, SHARE, Spec
from headrace.errors import DefinitionError


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
        CHECK,
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
            "max_share": values.number(where, "max_share", max_share, *SHARE),
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
        CHECK,
        where,
        {
            "feature": values.text(where, "feature", feature),
            "min_length": values.whole(where, "min_length", min_length, 0),
            "max_length": None if max_length is None else values.whole(where, "max_length", max_length, 1),
            "language": values.names(where, "language", language),
            "out_of_vocabulary": values.optional_number(
                where, "out_of_vocabulary", out_of_vocabulary, *SHARE
            ),
            "baseline": values.text(where, "baseline", baseline),
            "max_share": values.number(where, "max_share", max_share, *SHARE),
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
        CHECK,
        where,
        {
            "feature": values.text(where, "feature", feature),
            "rate": checked_rate,
            "seconds": values.rising(where, "seconds", seconds),
            "silence_db": values.number(where, "silence_db", silence_db, -200, 0),
            "clipped": values.number(where, "clipped", clipped, *SHARE),
            "max_share": values.number(where, "max_share", max_share, *SHARE),
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
        CHECK,
        where,
        {
            "features": values.names(where, "features", features),
            "outliers": values.optional_number(where, "outliers", outliers, 0),
            "not_finite": values.flag(where, "not_finite", not_finite),
            "text_among_numbers": values.number(where, "text_among_numbers", text_among_numbers, 0.5, 1),
            "required": values.names(where, "required", required),
            "max_share": values.number(where, "max_share", max_share, *SHARE),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def _upper(found: list[str] | None) -> list[str] | None:
    return None if found is None else [name.upper() for name in found]
