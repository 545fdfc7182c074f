"""Texts counted by their words as TensorFlow operations."""

from __future__ import annotations

import functools
import unicodedata
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.errors import ModelError
from headrace.models.exporters.estimators.converter import Transformer, constant, enter, first, option
from headrace.models.exporters.estimators.encoding import find_text
from headrace.models.exporters.estimators.registry import Store
from headrace.models.exporters.estimators.scaling import normalize
from headrace.models.missing import MISSING_TEXT

# The patterns whose words are runs of Unicode letters, digits and underscores, and the fewest characters of a word.
_PATTERNS = {
    r"(?u)\b\w\w+\b": 2,
    r"\b\w\w+\b": 2,
    r"(?u)\w\w+": 2,
    r"\w\w+": 2,
    r"(?u)\b\w+\b": 1,
    r"\b\w+\b": 1,
    r"(?u)\w+": 1,
    r"\w+": 1,
}
# Python's str.isspace, which its \s follows; RE2's \s is ASCII alone.
_SPACES = "[\\t-\\r\\x{1c}-\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}]"
_UNICODE_SIZE = 0x110000


def _check_words(estimator: Any) -> str | None:
    for name in ("tokenizer", "preprocessor"):
        if getattr(estimator, name, None) is not None:
            return f"{name} is a function of Python, which cannot become TensorFlow operations; leave it out"
    if not isinstance(estimator.analyzer, str):
        return "analyzer is a function of Python, which cannot become TensorFlow operations; take 'word' or 'char'"
    patterns = option(estimator, "token_pattern", *_PATTERNS) if estimator.analyzer == "word" else None
    return first(
        option(estimator, "analyzer", "word", "char"),
        option(estimator, "input", "content"),
        option(estimator, "encoding", "utf-8", "utf8", "UTF-8"),
        option(estimator, "strip_accents", None, "unicode", "ascii"),
        patterns,
    )


@functools.cache
def _changed_characters(ascii_only: bool) -> tuple[list[int], list[str]]:
    """Return the code points that `strip_accents` changes and what each becomes."""
    codes, texts = [], []
    for code in range(0x80, _UNICODE_SIZE):
        if 0xD800 <= code < 0xE000:
            continue
        letter = chr(code)
        if ascii_only:
            text = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii")
        else:
            normal = unicodedata.normalize("NFKD", letter)
            text = "".join(part for part in normal if not unicodedata.combining(part))
        # With "ascii" what is in no table is left out, so a table of what stays is enough.
        if text != ("" if ascii_only else letter):
            codes.append(code)
            texts.append(text)
    return codes, texts


def strip_accents(texts: tf.Tensor, ascii_only: bool) -> tf.Tensor:
    """Return texts as scikit-learn's `strip_accents_unicode` or `strip_accents_ascii` makes them.

    Characters are decomposed one by one: to decompose a whole text would only change the order of combining marks,
    and those are left out.
    """
    codes, replacements = _changed_characters(ascii_only)
    letters = tf.strings.unicode_split(texts, "UTF-8")
    flat = letters.flat_values
    points = tf.strings.unicode_decode(flat, "UTF-8").to_tensor(shape=[None, 1])[:, 0]
    place = tf.minimum(tf.searchsorted(tf.constant(codes, tf.int32), points), len(codes) - 1)
    changed = tf.gather(tf.constant(codes, tf.int32), place) == points
    other = tf.where(points < 0x80, flat, tf.constant("")) if ascii_only else flat
    stripped = tf.where(changed, tf.gather(tf.constant(replacements), place), other)
    return tf.strings.reduce_join(letters.with_flat_values(stripped), axis=-1)


def terms(estimator: Any, texts: tf.Tensor) -> tf.RaggedTensor:
    """Return the n-grams of each text, as the analyzer that `build_analyzer` makes.

    Args:
        estimator: A vectorizer that `check` covers.
        texts: UTF-8 of shape (rows,).
    """
    if estimator.lowercase:
        texts = tf.strings.lower(texts, encoding="utf-8")
    if estimator.strip_accents:
        texts = strip_accents(texts, estimator.strip_accents == "ascii")
    low, high = estimator.ngram_range
    widths = list(range(low, high + 1))
    if estimator.analyzer == "char":
        spaced = tf.strings.regex_replace(texts, _SPACES + _SPACES + "+", " ")
        return tf.strings.ngrams(tf.strings.unicode_split(spaced, "UTF-8"), widths, separator="")
    words = tf.strings.split(tf.strings.regex_replace(texts, r"[^\pL\pN_]+", " "), " ")
    words = tf.ragged.boolean_mask(words, _is_word(words, _PATTERNS[estimator.token_pattern]))
    stop_words = sorted(estimator.get_stop_words() or [])
    if stop_words:
        kept = words.with_flat_values(find_text(words.flat_values, stop_words) < 0)
        words = tf.ragged.boolean_mask(words, kept)
    return words if widths == [1] else tf.strings.ngrams(words, widths, separator=" ")


def _is_word(words: tf.RaggedTensor, fewest: int) -> tf.RaggedTensor:
    return words.with_flat_values(tf.strings.length(words.flat_values, unit="UTF8_CHAR") >= fewest)


def counts(estimator: Any, columns: list[tf.Tensor], store: Store) -> tf.Tensor:
    """Return `transform` of CountVectorizer as a dense matrix: (rows, size of the vocabulary)."""
    texts = _only_text(estimator, columns)
    missing = texts == MISSING_TEXT
    found = terms(estimator, tf.where(missing, tf.constant(""), texts))
    vocabulary = estimator.vocabulary_
    ordered = sorted(vocabulary, key=lambda term: int(vocabulary[term]))
    place = find_text(found.flat_values, ordered)
    row = tf.cast(found.value_rowids(), tf.int64)
    known = place >= 0
    where = tf.stack([tf.boolean_mask(row, known), tf.boolean_mask(place, known)], 1)
    shape = tf.stack([tf.cast(found.nrows(), tf.int64), tf.constant(len(ordered), tf.int64)])
    total = tf.scatter_nd(where, tf.ones([tf.shape(where)[0]], tf.float64), shape)
    total = tf.ensure_shape(total, [None, len(ordered)])
    total = tf.cast(total > 0, tf.float64) if estimator.binary else total
    # scikit-learn takes no missing text.
    return tf.where(missing[:, tf.newaxis], constant(float("nan")), total)


def _only_text(estimator: Any, columns: list[tf.Tensor]) -> tf.Tensor:
    if len(columns) != 1 or columns[0].dtype != tf.string:
        kinds = ", ".join("text" if column.dtype == tf.string else "numbers" for column in columns)
        raise ModelError(
            f"{type(estimator).__name__} takes one column of text, and was given {len(columns)}: {kinds}.",
            "choose the column by its name in a ColumnTransformer, such as (vectorizer, 'review').",
        )
    return columns[0]


def weigh(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of TfidfTransformer."""
    if estimator.sublinear_tf:
        rows = tf.where(rows == 0, rows, tf.math.log(tf.where(rows == 0, tf.ones_like(rows), rows)) + 1.0)
    if estimator.use_idf:
        rows = rows * constant(np.asarray(estimator.idf_))
    return rows if estimator.norm is None else normalize(rows, estimator.norm)


def weighed_counts(estimator: Any, columns: list[tf.Tensor], store: Store) -> tf.Tensor:
    """Return `transform` of TfidfVectorizer."""
    return weigh(estimator, counts(estimator, columns, store), store)


def _hashed(estimator: Any) -> str:
    return (
        "its hash (MurmurHash3) is not among TensorFlow's operations; take CountVectorizer or TfidfVectorizer"
    )


def _never(estimator: Any, columns: Any, store: Store) -> tf.Tensor:
    raise NotImplementedError(_hashed(estimator))


_TEXT = "sklearn.feature_extraction.text."
enter(
    Transformer((_TEXT + "CountVectorizer",), counts, _check_words, by_column=True),
    Transformer((_TEXT + "TfidfVectorizer",), weighed_counts, _check_words, by_column=True),
    Transformer((_TEXT + "TfidfTransformer",), weigh),
    Transformer(
        (_TEXT + "HashingVectorizer", "sklearn.feature_extraction._hash.FeatureHasher"),
        _never,
        _hashed,
        by_column=True,
    ),
)
