"""Encoders of categories, imputers of mixed columns and counts of words equal scikit-learn's."""

import unicodedata

import fitted_estimators
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from sklearn import impute, preprocessing
from sklearn.feature_extraction import text

from headrace.errors import ModelError
from headrace.models.exporters.estimators import encoding, registry, texts

_SETTINGS = fitted_estimators.drawn(6)
_TOWNS = st.sampled_from(["Rom", "Oslo", "", "Åre", "東京", "ROM", "x\ty"])


def _objects(*columns):
    return np.array(list(zip(*columns)), object)


@st.composite
def _mixed(draw, with_missing):
    """Draw training rows and queries of a column of texts and one of numbers, and some values that the fit has not seen."""
    town = st.one_of(_TOWNS, st.none()) if with_missing else _TOWNS
    number = st.sampled_from([0.0, 1.0, 2.5, -3.0, *([float("nan")] if with_missing else [])])
    size = draw(st.integers(6, 25))
    fitted = _objects(
        draw(st.lists(town, min_size=size, max_size=size)),
        draw(st.lists(number, min_size=size, max_size=size)),
    )
    return fitted, draw(st.integers(0, 3))


@_SETTINGS
@given(
    _mixed(True),
    st.sampled_from([None, "first", "if_binary"]),
    st.sampled_from(["ignore", "infrequent_if_exist"]),
    st.sampled_from(
        [{}, {"min_frequency": 3}, {"max_categories": 2}, {"max_categories": 3, "min_frequency": 2}]
    ),
)
def test_one_hot_equals_scikit_learn(rows, drop, unknown, rare):
    """Texts and numbers, missing ones as a category, dropped and infrequent categories, and categories not seen."""
    fitted, _ = rows
    encoder = preprocessing.OneHotEncoder(drop=drop, handle_unknown=unknown, **rare)
    encoder = fitted_estimators.fit(encoder, fitted)
    asked = np.vstack([fitted, _objects(["Lima", "rom", None], [7.0, float("nan"), 0.5])])
    fitted_estimators.assert_equal(encoder, asked)


@_SETTINGS
@given(
    _mixed(True),
    st.sampled_from([-1, 99, float("nan")]),
    st.sampled_from([-2, float("nan")]),
    st.sampled_from([{}, {"min_frequency": 3}, {"max_categories": 3}]),
)
def test_ordinal_equals_scikit_learn(rows, unknown, missing, rare):
    """The numbers of categories, of a missing one and of one not seen."""
    fitted, _ = rows
    encoder = preprocessing.OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=unknown, encoded_missing_value=missing, **rare
    )
    encoder = fitted_estimators.fit(encoder, fitted)
    asked = np.vstack([fitted, _objects(["Lima", None], [7.0, float("nan")])])
    fitted_estimators.assert_equal(encoder, asked)


@_SETTINGS
@given(_mixed(True), st.sampled_from(["continuous", "binary", "multiclass"]), st.sampled_from(["auto", 2.0]))
def test_target_encoder_equals_scikit_learn(rows, kind, smooth):
    """The means of the target for each category and class; that of all rows for a category not seen."""
    fitted, seed = rows
    numbers = np.random.default_rng(seed)
    targets = {
        "continuous": numbers.normal(size=len(fitted)),
        "binary": np.arange(len(fitted)) % 2,
        "multiclass": np.arange(len(fitted)) % 3,
    }[kind]
    encoder = fitted_estimators.fit(preprocessing.TargetEncoder(smooth=smooth), fitted, targets)
    asked = np.vstack([fitted, _objects(["Lima", None], [7.0, float("nan")])])
    fitted_estimators.assert_equal(encoder, asked)


def test_a_category_not_seen_is_nan_where_scikit_learn_raises():
    """No other category answers for it."""
    encoder = preprocessing.OneHotEncoder().fit(_objects(["a", "b"]))
    with pytest.raises(ValueError, match="Found unknown categories"):
        encoder.transform(_objects(["c"]))
    np.testing.assert_array_equal(
        fitted_estimators.ours(encoder, _objects(["c", "b"])), [[np.nan] * 2, [0, 1]]
    )
    ordinal = preprocessing.OrdinalEncoder().fit([[10], [20]])
    np.testing.assert_array_equal(fitted_estimators.ours(ordinal, np.array([[20], [15]])), [[1], [np.nan]])


def test_whole_numbers_beyond_float64_are_told_apart():
    """Identifiers of 64 bits keep all their digits, and unsorted categories their places."""
    ids = np.array([[2**60 + 1], [2**60], [5]])
    encoder = preprocessing.OrdinalEncoder().fit(ids)
    fitted_estimators.assert_equal(encoder, ids)
    unsorted = preprocessing.OrdinalEncoder(categories=[["z", "a", "m"]]).fit(_objects(["a", "m", "z"]))
    fitted_estimators.assert_equal(unsorted, _objects(["m", "z", "a"]))


def test_texts_for_categories_of_numbers_are_an_error():
    """The message has both."""
    encoder = preprocessing.OrdinalEncoder().fit([[1], [2]])
    with pytest.raises(ModelError) as caught:
        fitted_estimators.ours(encoder, _objects(["1"]))
    assert caught.value.problem == (
        "an encoder was fitted on categories that are numbers, such as 1, and its feature has texts."
    )


@_SETTINGS
@given(
    _mixed(True),
    st.sampled_from(["most_frequent", "constant"]),
    st.booleans(),
    st.sampled_from([np.nan, "Rom", None]),
)
def test_texts_are_imputed_as_by_scikit_learn(rows, strategy, indicator, marker):
    """The most frequent text or a constant, and the columns that say where one was missing."""
    fitted = rows[0][:, :1]
    if marker is not None and not isinstance(marker, str):
        fitted = np.where(fitted == None, np.nan, fitted)  # noqa: E711
    elif isinstance(marker, str):
        fitted = np.where(fitted == None, "Rom", fitted)  # noqa: E711
    if all(not isinstance(value, str) for value in fitted[:, 0]):
        return
    imputer = impute.SimpleImputer(
        missing_values=marker,
        strategy=strategy,
        add_indicator=indicator,
        fill_value="?" if strategy == "constant" else None,
    )
    imputer = fitted_estimators.fit(imputer, fitted)
    mine = fitted_estimators.ours(imputer, fitted)
    expected = imputer.transform(fitted)
    if expected.shape[1] == 0:
        return
    told = [
        [cell.decode() if isinstance(cell, bytes) else float(cell) for cell in row] for row in mine.tolist()
    ]
    assert told == [
        [cell if isinstance(cell, str) else float(cell) for cell in row] for row in expected.tolist()
    ]


_WORDS = st.lists(
    st.sampled_from(
        [
            "the",
            "The",
            "ÁRBOL",
            "árbol",
            "a",
            "año",
            "x_1",
            "東京",
            "don't",
            "co-op",
            "Straße",
            "ﬁn",
            "İx",
            "ΣΑΣ",
        ]
    ),
    max_size=8,
)


@fitted_estimators.drawn(8)
@given(
    st.lists(_WORDS, min_size=3, max_size=6),
    st.fixed_dictionaries(
        {
            "ngram_range": st.sampled_from([(1, 1), (1, 2), (2, 3)]),
            "lowercase": st.booleans(),
            "strip_accents": st.sampled_from([None, "unicode", "ascii"]),
            "analyzer": st.sampled_from(["word", "char"]),
            "stop_words": st.sampled_from([None, "english", ["año"]]),
            "token_pattern": st.sampled_from([r"(?u)\b\w\w+\b", r"(?u)\b\w+\b"]),
            "norm": st.sampled_from(["l1", "l2", None]),
            "sublinear_tf": st.booleans(),
            "use_idf": st.booleans(),
            "binary": st.booleans(),
            "max_features": st.sampled_from([None, 7]),
        }
    ),
    st.sampled_from([" ", "  ", ", ", "\u3000\n"]),
)
def test_words_are_weighed_as_by_scikit_learn(lines, options, between):
    """Unicode words, n-grams, accents, stop words; the text that is asked for may have words that the fit had not."""
    documents = [between.join(line) for line in lines]
    try:
        vectorizer = fitted_estimators.fit(text.TfidfVectorizer(**options), documents)
    except ValueError:
        # No words in any document.
        return
    asked = [*documents, "", "nuevo árbol", "THE the  the"]
    answer = registry.transform(vectorizer, fitted_estimators.table(_objects(asked)), registry.Store())
    np.testing.assert_allclose(answer.matrix().numpy(), vectorizer.transform(asked).toarray(), atol=1e-12)


def _letters():
    return [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]


def test_every_letter_is_lowered_and_stripped_as_by_python():
    """All of Unicode; what this version of ICU knows and Python's does not is counted."""
    letters = [one for one in _letters() if unicodedata.category(one) not in ("Cn", "Co")]
    lowered = [one.decode() for one in tf.strings.lower(letters, encoding="utf-8").numpy()]
    assert [one for one, low in zip(letters, lowered) if one.lower() != low] == []
    for ascii_only, theirs in ((False, text.strip_accents_unicode), (True, text.strip_accents_ascii)):
        mine = [one.decode() for one in texts.strip_accents(tf.constant(letters), ascii_only).numpy()]
        assert [one for one, found in zip(letters, mine) if theirs(one) != found] == []


def test_every_letter_is_of_a_word_as_in_python():
    """Where \\w of Python's re has a letter."""
    letters = [one for one in _letters() if unicodedata.category(one) not in ("Cn", "Co")]
    kept = tf.strings.regex_full_match(letters, r"[\pL\pN_]").numpy()
    assert [
        hex(ord(one)) for one, is_kept in zip(letters, kept) if (one.isalnum() or one == "_") != is_kept
    ] == []
    spaces = tf.strings.regex_full_match(letters, texts._SPACES).numpy()
    assert [hex(ord(one)) for one, is_kept in zip(letters, spaces) if one.isspace() != is_kept] == []


def test_what_is_not_covered_is_named():
    """The parameter, its value and what there is instead."""
    check = registry.check
    assert check(text.HashingVectorizer()) == (
        "HashingVectorizer: its hash (MurmurHash3) is not among TensorFlow's operations; take CountVectorizer or "
        "TfidfVectorizer"
    )
    assert check(text.CountVectorizer(tokenizer=str.split)) == (
        "CountVectorizer: tokenizer is a function of Python, which cannot become TensorFlow operations; leave it out"
    )
    assert check(text.CountVectorizer(analyzer="char_wb")) == (
        "CountVectorizer: analyzer='char_wb' is not covered; analyzer may be 'word', 'char'"
    )
    assert "token_pattern='[a-z]+' is not covered" in check(text.TfidfVectorizer(token_pattern="[a-z]+"))


def test_words_of_a_saved_model(tmp_path):
    """A vocabulary is found in a SavedModel that was loaded, without a table that must be started."""
    documents = ["una casa", "el árbol", "la casa roja"]
    vectorizer = text.TfidfVectorizer(strip_accents="unicode").fit(documents)
    answer = fitted_estimators.saved(vectorizer, _objects(documents), "transform", str(tmp_path))
    np.testing.assert_allclose(answer, vectorizer.transform(documents).toarray(), atol=1e-12)


def test_a_place_in_a_vocabulary_is_found():
    """Each word has its own place, and -1 is of those that are not there."""
    words = [f"w{number}" for number in range(2000)]
    found = encoding.find_text(tf.constant([*words, "other", ""]), words).numpy()
    assert found.tolist() == [*range(2000), -1, -1]


def test_a_missing_text_is_nan_and_two_columns_are_an_error():
    """A text that is not there is not an empty one; of two columns neither is chosen silently."""
    vectorizer = text.CountVectorizer().fit(["una casa", "la casa"])
    answer = fitted_estimators.ours(vectorizer, _objects(["casa", None, ""]))
    np.testing.assert_array_equal(answer, [[1, 0, 0], [np.nan] * 3, [0, 0, 0]])
    with pytest.raises(ModelError) as caught:
        fitted_estimators.ours(vectorizer, _objects(["casa", "x"], [1.0, 2.0]))
    assert (
        str(caught.value.problem)
        == "CountVectorizer takes one column of text, and was given 2: text, numbers."
    )
