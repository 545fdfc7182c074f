"""What is told of the texts and pictures of a split."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence

import pyarrow as pa
import pytest
from PIL import Image

from headrace.formats.contents import Contents
from headrace.quality import contents
from headrace.quality.contents import ContentsByFeature, ContentsKeeper

_REVIEWS = [
    "The film was a joy from the first minute to the last one.",
    "I would not see this film again, not even for free.",
    "La película es muy bonita y la volvería a ver con mis amigos.",
    "这部电影非常好看我很喜欢",
]


def _batch(**features: Sequence[Sequence[bytes] | None]) -> pa.RecordBatch:
    kind = pa.large_list(pa.large_binary())
    return pa.RecordBatch.from_arrays([pa.array(rows, kind) for rows in features.values()], list(features))


def _kept(batch: pa.RecordBatch, step: int = 3, first: int = 0) -> ContentsByFeature:
    kept: ContentsByFeature = {}
    keeper = ContentsKeeper(first=first)
    for start in range(0, batch.num_rows, step):
        keeper.add(kept, batch.slice(start, step))
    return kept


def _told(batch: pa.RecordBatch) -> Contents:
    return contents.described(_kept(batch))


def _picture(kind: str, mode: str, width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, kind)
    return file.getvalue()


def test_texts_have_lengths_languages_and_words():
    """Characters and not bytes; the signs of Chinese are words; the same letters in capitals are one word."""
    told = _told(
        _batch(text=[[text.encode()] for text in _REVIEWS], kind=[[b"good"], [b"bad"], [b"good"], [b"good"]])
    )

    assert (list(told.texts), told.pictures) == (["text"], {})
    one = told.texts["text"]
    assert (one.count, one.num_sampled, one.num_told) == (4, 4, 4)
    assert (one.characters[0], one.characters[2]) == (len(_REVIEWS[3]), len(_REVIEWS[2]))
    assert one.words == (11, 12.5, 13)
    assert one.languages == {"en": 2, "es": 1, "zh": 1}
    assert dict(one.frequent)["the"] == 3
    assert one.frequent[0] == ("the", 3)
    assert one.vocabulary == len({word for text in _REVIEWS for word in contents.texts.words(text)})


def test_pictures_have_formats_sizes_and_channels():
    """Of those that Pillow can read; the others are counted apart."""
    files = [_picture("PNG", "RGB", 20, 10), _picture("PNG", "RGB", 20, 10), _picture("JPEG", "L", 64, 32)]

    told = _told(_batch(image=[[one] for one in [*files, b"\xff\xd8\xff broken", b"\x00\xff"]]))

    one = told.pictures["image"]
    assert (one.count, one.num_sampled, one.num_other) == (5, 5, 2)
    assert (one.formats, one.channels) == ({"PNG": 2, "JPEG": 1}, {"3": 2, "1": 1})
    assert (one.widths, one.heights) == ((20, 20, 64), (10, 10, 32))
    assert (one.sizes, one.num_sizes) == ((("20 x 10", 2), ("64 x 32", 1)), 2)


@pytest.mark.parametrize("rows", [[], [None, None], [[]], [[b""], [b""]], [[b"\xff\x00"]], [[b"1"], [b"2"]]])
def test_what_is_neither_is_not_told_of(rows: Sequence[Sequence[bytes] | None]):
    """No rows, none with a value, empty texts, other bytes, and words of a category."""
    assert _told(_batch(x=rows)) == Contents({}, {})


def test_texts_among_bytes_keep_their_lengths():
    """One value that is no UTF-8 does not hide the others."""
    told = _told(_batch(text=[[_REVIEWS[0].encode()], [b"\xff\xfe"], [_REVIEWS[1].encode()]])).texts["text"]

    assert (told.count, told.num_sampled) == (2, 2)
    assert (told.characters[0], told.characters[2]) == (len(_REVIEWS[1]), len(_REVIEWS[0]))


def test_parts_tell_what_the_whole_tells():
    """Where all are sampled: however the rows are divided, and after a state has travelled."""
    rows = [[f"{text} {number}".encode()] for number in range(40) for text in _REVIEWS]
    batch = _batch(text=rows, image=[[_picture("PNG", "RGB", 1 + n % 7, 5)] for n in range(160)])

    merged: ContentsByFeature = {}
    keeper = ContentsKeeper()
    for start in range(0, 160, 50):
        part = _kept(batch.slice(start, 50), first=start << 8)
        keeper.merge(merged, pickle.loads(pickle.dumps(part)))

    parts, whole = contents.described(merged), _told(batch)
    assert parts.pictures == whole.pictures
    assert parts.texts["text"].characters == whole.texts["text"].characters
    assert parts.texts["text"].frequent == whole.texts["text"].frequent


def test_what_is_kept_is_bounded():
    """Of 50,000 texts no more are kept than are looked at, and the longest is known all the same."""
    batch = _batch(text=[[f"{_REVIEWS[0]} {n}".encode()] for n in range(50_000)] + [[b"a " * 3_000]])

    kept = _kept(batch, step=10_000)

    assert len(kept["text"].sample.values) <= 2 * contents.MAX_SAMPLED
    one = contents.described(kept).texts["text"]
    assert (one.count, one.num_sampled, one.characters[2]) == (50_001, contents.MAX_SAMPLED, 6_000)


def test_only_features_that_are_asked_for_are_looked_at():
    """As the statistics beside them."""
    kept: ContentsByFeature = {}
    ContentsKeeper(["a"]).add(kept, _batch(a=[[b"x"]], b=[[b"y"]]))

    assert list(kept) == ["a"]
