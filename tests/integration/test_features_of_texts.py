"""Words, dates and pictures of `headrace.features` beside scikit-learn, Keras, pandas and pillow on the same data."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest_transform import Run, transform, vocabularies
from feature_functions import SIZE
from PIL import Image
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from headrace.testing import make_examples, make_schema

DENSE = "feature {{ name: '{}' type: {} shape {{ {} }} presence {{ min_fraction: 1 }} }}\n"
SPARSE = "feature {{ name: '{}' type: {} }}\n"

TEXTS = (
    "The cat sat on the mat",
    "the dog, and THE cat: cat!",
    "ÁRBOL árbol Ñandú",
    "电影很好看 很好",
    "great film 😀👍🏽 5 stars",
    "",
    "a b a_b  c3po\tnaïve\nfilm",
    "the film the film the end",
)
TIMES = (
    "2013-01-31T05:07:09Z",
    "2000/2/29",
    "1969-12-31 23:59",
    "2023-02-30",
    "",
    "noon",
    "2024.12.31 00:00",
)


def column(run: Run, name: str, split: str = "train") -> np.ndarray[Any, Any]:
    """A transformed feature, a row for each record."""
    batch = run.rows(split)
    return np.array(batch.column(batch.schema.get_field_index(name)).to_pylist())


def close(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def png(width: int, height: int, mode: str = "RGB", kind: str = "PNG") -> bytes:
    """A picture with a gradient."""
    ramp = np.linspace(0, 255, width * height).reshape(height, width).astype(np.uint8)
    picture = Image.fromarray(ramp).convert(mode)
    written = io.BytesIO()
    picture.save(written, kind)
    return written.getvalue()


PICTURES = (
    png(8, 6),
    png(16, 12),
    png(30, 7, "L"),
    png(8, 6, "RGBA"),
    png(20, 20, "RGB", "JPEG"),
    None,
    png(1, 1),
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`feature_functions.texts_dates_images` of texts, times and pictures."""
    rows = [
        {
            "text": text,
            "when": TIMES[place % len(TIMES)],
            "written": ["31/12/99 23 h", "1/2/05  7 h", "31/2/05 7 h", None][place % 4],
            "counted": [0, -1, 1_700_000_000, None][place % 4],
            "maybe": [3.0, None][place % 2],
            "image": PICTURES[place % len(PICTURES)],
        }
        for place, text in enumerate(TEXTS)
    ]
    schema = (
        DENSE.format("text", "BYTES", "") + SPARSE.format("when", "BYTES") + SPARSE.format("image", "BYTES")
    )
    schema += (
        SPARSE.format("written", "BYTES") + SPARSE.format("counted", "INT") + SPARSE.format("maybe", "FLOAT")
    )
    folder = tmp_path_factory.mktemp("texts")
    examples = make_examples(folder / "rows", {"train": rows})
    function = "feature_functions:texts_dates_images"
    return transform(folder / "made", examples, make_schema(folder / "schema", schema), function)


@pytest.fixture(scope="module")
def words(told: Run) -> dict[str, list[str]]:
    """The vocabularies, by file."""
    return {name: text.decode().splitlines() for name, text in vocabularies(told).items()}


# What scikit-learn's own pattern takes for a word, and each Chinese character and emoji by itself.
PATTERN = r"(?u)[\u4e00-\u9fff]|[\U0001f600]|\U0001f44d\U0001f3fd|[^\W\u4e00-\u9fff]+"


@pytest.mark.parametrize(
    ("feature", "vectorizer"),
    [
        ("bag", CountVectorizer(token_pattern=PATTERN)),
        ("bag_two", CountVectorizer(ngram_range=(1, 2), token_pattern=PATTERN.replace("+", "{2,}"))),
        ("bag_chars", CountVectorizer(analyzer="char", ngram_range=(1, 2))),
        ("tf_idf", TfidfVectorizer(token_pattern=PATTERN.replace("+", "{2,}"))),
    ],
)
def test_words_are_counted_as_scikit_learn_does(
    told: Run, words: dict[str, list[str]], feature: str, vectorizer: Any
):
    """Which words are kept of those as frequent as each other is chosen otherwise; the rest is equal."""
    texts = list(TEXTS)
    if feature in ("bag_two", "tf_idf"):  # one sign is a word of one letter, which both leave out
        vectorizer.set_params(token_pattern=r"(?u)[^\W\u4e00-\u9fff]{2,}")
    expected = vectorizer.fit_transform(texts).toarray()
    columns = vectorizer.vocabulary_
    file = {"bag": "text_4", "bag_two": "text_5", "bag_chars": "text_6", "tf_idf": "text_7"}[feature]
    kept = [word for word in words[file] if word in columns]
    assert len(kept) == min(len(words[file]), SIZE) == min(len(columns), SIZE)
    ours = column(told, feature)
    assert ours.shape == (len(TEXTS), SIZE)
    theirs = expected[:, [columns[word] for word in kept]]
    if feature == "tf_idf" and len(columns) > SIZE:  # scikit-learn's rows hold the other words too
        pytest.fail("choose texts with fewer words")
    close(ours[:, : len(kept)], theirs)


def test_tokens_are_those_of_keras(told: Run, words: dict[str, list[str]]):
    """Of texts without signs, which Keras takes out, and with the words as frequent as each other in one order."""
    import keras

    plain = [text for text in TEXTS if text.isascii() and text.replace(" ", "").isalpha()]
    assert len(plain) == 2
    layer = keras.layers.TextVectorization(max_tokens=12, output_sequence_length=8, vocabulary=words["text"])
    ours = column(told, "tokens")[[TEXTS.index(text) for text in plain]]
    assert ours.tolist() == np.array(layer(np.array(plain))).tolist()
    pairs = keras.layers.TextVectorization(
        max_tokens=SIZE, output_sequence_length=12, ngrams=2, vocabulary=words["text_2"]
    )
    ours = column(told, "tokens_two")[[TEXTS.index(text) for text in plain]]
    assert ours.tolist() == np.array(pairs(np.array(plain))).tolist()


def test_nothing_is_padding_and_unknown_words_are_one(told: Run, words: dict[str, list[str]]):
    """0 stands for no word at all, 1 for a word out of the vocabulary: neither is a word's number."""
    ours = column(told, "tokens")
    assert not ours[TEXTS.index("")].any()
    numbers = {word: place + 2 for place, word in enumerate(words["text"])}
    spoken = ["the", "dog", "and", "the", "cat", "cat"]
    assert ours[1].tolist() == [*(numbers.get(word, 1) for word in spoken), 0, 0]
    assert "dog" not in numbers
    assert ours.max() == 11


def test_words_of_all_scripts_are_found(told: Run, words: dict[str, list[str]]):
    """Accents in lower case, each Chinese character, emoji with their skin; names with digits whole."""
    found = {*words["text_4"]}
    assert {
        "árbol",
        "ñandú",
        "naïve",
        "电",
        "影",
        "很",
        "好",
        "看",
        "😀",
        "👍🏽",
        "a_b",
        "c3po",
        "5",
    } <= found
    assert "ÁRBOL" not in found
    assert column(told, "bag")[2].max() == 2


def test_parts_of_dates_are_those_of_pandas(told: Run):
    """-1 where there is none: a day that no month has, a word, nothing."""
    ours = column(told, "parts")[: len(TIMES)]
    for text, parts in zip(TIMES, ours.tolist()):
        if text in ("2023-02-30", "", "noon"):
            assert parts == [-1] * 9
            continue
        when = pd.Timestamp(text.replace(".", "-")).tz_localize(None)
        days = (when.normalize() - pd.Timestamp(0)).days
        expected = [when.year, when.month, when.day, when.weekday(), when.hour, when.minute, when.second]
        assert parts == [*expected, when.dayofyear, days]


def test_dates_are_read_as_they_are_written_or_counted(told: Run):
    """A format of one's own, and seconds since 1970, before it too."""
    assert column(told, "written")[:4].tolist() == [[1999, 12, 31, 23], [2005, 2, 1, 7], [-1] * 4, [-1] * 4]
    for seconds, parts in zip((0, -1, 1_700_000_000), column(told, "counted").tolist()):
        when = pd.Timestamp(seconds, unit="s")
        assert parts[:5] == [when.year, when.month, when.day, when.weekday(), when.hour]
    assert column(told, "counted")[3].tolist() == [-1] * 9


def test_what_comes_round_is_laid_on_a_circle(told: Run):
    """A missing number lies in its middle."""
    angle = 2 * np.pi * 5 / 24
    close(column(told, "hour")[0], [np.sin(angle), np.cos(angle)])
    close(column(told, "maybe_cyclic")[:2], [[1.0, 0.0], [0.0, 0.0]])


def test_pictures_of_all_kinds_have_one_size(told: Run):
    """Grey, transparent, JPEG, small ones; a missing one is black."""
    ours = column(told, "image").reshape(-1, 6, 8, 3)
    assert column(told, "grey").reshape(-1, 5, 5, 1).shape[0] == len(TEXTS)
    for place, encoded in enumerate(PICTURES):
        if encoded is None:
            assert not ours[place].any()
            continue
        picture = Image.open(io.BytesIO(encoded)).convert("RGB")
        expected = np.asarray(picture.resize((8, 6), Image.Resampling.BILINEAR)) / 255
        assert np.abs(ours[place] - expected).max() <= (0.02 if place != 4 else 0.04)


def test_features_without_any_value_are_no_error(tmp_path: Path):
    """Numbers that a model can take, in the rows that have none and in a later one that has."""
    schema = SPARSE.format("x", "FLOAT") + SPARSE.format("y", "FLOAT") + SPARSE.format("word", "BYTES")
    later = {"x": 2.0, "word": "new", "y": 1.0}
    examples = make_examples(tmp_path / "rows", {"train": [{"y": 1.0}, {"y": 3.0}], "eval": [later, {}]})
    run = transform(
        tmp_path / "made", examples, make_schema(tmp_path / "schema", schema), "feature_functions:of_nothing"
    )
    for split in ("train", "eval"):
        batch = run.rows(split)
        for name in batch.schema.names:
            assert np.isfinite(column(run, name, split)).all(), name
    assert column(run, "ids", "eval").max() <= 1
    assert not column(run, "hot", "eval").any()


def test_one_long_text_among_many_costs_no_more_than_itself() -> None:
    """A table of as many places for each row as the longest has words would take 56 GB."""
    import tensorflow as tf

    from headrace.features import texts

    rows = tf.concat([tf.fill([20_000], "a text"), [" ".join(["word"] * 350_000)]], 0)
    words = texts.split(rows, min_letters=2)

    assert words.row_lengths()[:2].numpy().tolist() == [1, 1]
    assert texts._row_ids(words)[-1].numpy() == 20_000
    assert words.row_lengths()[-1].numpy() == 350_000


def test_features_of_any_script_have_vocabularies(tmp_path: Path):
    names = ["a b", "región", "城市", "النوع"]
    schema = "\n".join(
        f'feature {{ name: "{name}" type: BYTES presence {{ min_fraction: 1.0 }} shape {{ dim {{ size: 1 }} }} }}'
        for name in names
    )
    rows = [dict.fromkeys(names, "x"), dict.fromkeys(names, "y")]
    examples = make_examples(tmp_path / "rows", {"train": rows})

    made = transform(
        tmp_path,
        examples,
        make_schema(tmp_path / "schema", schema),
        "feature_functions:names_of_other_scripts",
    )

    assert len(vocabularies(made)) == len(names)
