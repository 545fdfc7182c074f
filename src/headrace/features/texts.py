"""Texts as words, and words as numbers.

Words are runs of letters, digits and underscores of any script, in lower case, with their accents. A Chinese
character, a Japanese sign and an emoji is a word each, because nothing separates them; scripts of other kinds that
write without spaces, such as Thai, are best read with `level="char"`. A text whose accents are signs of their own
(Unicode's NFD) has other words than one whose letters hold them (NFC).
"""

from __future__ import annotations

from typing import Any

from headrace.errors import UserFunctionError
from headrace.features.libraries import tf, tft
from headrace.features.values import Tensor, annotate_range, file_name, text_values, told

LEVELS = ("word", "char")
PADDING, UNKNOWN = 0, 1
_RESERVED = 2

# Scripts without spaces between words, and emoji with what belongs to one: skin, joiners, flags of two letters.
_SIGN = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_PICTURE = r"(?:[\x{1F1E6}-\x{1F1FF}]{2}|\p{So}[\x{1F3FB}-\x{1F3FF}\x{FE0F}]*(?:\x{200D}\p{So}[\x{1F3FB}-\x{1F3FF}\x{FE0F}]*)*)"
_APART = rf"({_SIGN}|{_PICTURE})"
_NO_WORD = r"[^\p{L}\p{M}\p{N}_\p{So}\x{1F3FB}-\x{1F3FF}\x{200D}]+"


def tokens(
    x: Tensor, size: int, length: int, ngrams: int = 1, level: str = "word", name: str | None = None
) -> Tensor:
    """Return the numbers of the first words of each text; Keras's `TextVectorization(output_mode="int")`.

    Args:
        x: Texts, sparse or dense, one in each row.
        size: Of the vocabulary, the numbers 0 and 1 included (Keras's `max_tokens`).
        length: Words that are kept of each text; shorter ones are filled up.
        ngrams: Beside single words, groups of up to so many that follow each other.
        level: `"word"`, or `"char"` for single characters.
        name: Of the vocabulary's file in the transform graph; by default after the feature.

    Returns:
        Int64 of shape `(rows, length)`: 0 fills up, 1 is a word out of the vocabulary, 2 the most frequent word.
        Keras differs in what is a word: it takes out signs and joins what they separated ("don't" is "dont" there).

    Raises:
        UserFunctionError: If `x` holds numbers, or a number given is too small.
    """
    _check(x, "tokens", size - _RESERVED, ngrams, level)
    if length < 1:
        raise UserFunctionError(f"headrace.features.tokens: length is {length}.", "give 1 or more.")
    words = split(x, ngrams, level)
    path = learned(words, size - _RESERVED, name or file_name(x, "tokens"))
    numbers = tft.apply_vocabulary(words, path, default_value=UNKNOWN - _RESERVED) + _RESERVED
    found = numbers.to_tensor(default_value=PADDING, shape=[None, length])
    return annotate_range(tf.ensure_shape(found, [None, length]), size)


def bag_of_words(
    x: Tensor, size: int, ngrams: int = 1, level: str = "word", min_letters: int = 1, name: str | None = None
) -> Tensor:
    """Return how often each word of a vocabulary is in each text; scikit-learn's `CountVectorizer`.

    Args:
        x: Texts, sparse or dense, one in each row.
        size: Of the vocabulary, the most frequent words (`max_features`), the most frequent first; where
            scikit-learn puts them in the order of the alphabet.
        ngrams: Beside single words, groups of up to so many that follow each other (`ngram_range=(1, ngrams)`).
        level: `"word"`, or `"char"` for single characters (`analyzer`).
        min_letters: Shorter words do not count, nor emoji where it is above 1; scikit-learn's own default is 2.
        name: Of the vocabulary's file in the transform graph; by default after the feature.

    Returns:
        Float32 of shape `(rows, size)`; a text that is empty or missing is 0 in all columns.

    Raises:
        UserFunctionError: If `x` holds numbers, or a number given is too small.
    """
    _check(x, "bag_of_words", size, ngrams, level)
    words = split(x, ngrams, level, min_letters)
    path = learned(words, size, name or file_name(x, "bag_of_words"))
    return counted(words, size, path)


def tf_idf(
    x: Tensor, size: int, ngrams: int = 1, level: str = "word", min_letters: int = 1, name: str | None = None
) -> Tensor:
    """Return how much each word of a vocabulary tells about each text; scikit-learn's `TfidfVectorizer`.

    The count of a word in the text times `log((1 + rows) / (1 + rows with the word)) + 1`; then each row is divided
    by its length (l2). These are scikit-learn's defaults (`smooth_idf=True, norm="l2"`); `tft.tfidf` divides by the
    number of words in the text instead of the row's length.

    Args:
        x: See `bag_of_words`, as all others.
        size: Of the vocabulary.
        ngrams: See `bag_of_words`.
        level: See `bag_of_words`.
        min_letters: See `bag_of_words`.
        name: See `bag_of_words`.

    Returns:
        Float32 of shape `(rows, size)`; a text without a known word is 0 in all columns.
    """
    counts = bag_of_words(x, size, ngrams, level, min_letters, name or file_name(x, "tf_idf"))
    num_rows = tft.sum(tf.ones_like(counts[:, :1], tf.int64))
    with_word = tft.sum(tf.cast(counts > 0, tf.int64), reduce_instance_dims=False)
    told_by_word = tf.math.log((1.0 + tf.cast(num_rows, tf.float64)) / (1.0 + tf.cast(with_word, tf.float64)))
    weights = counts * tf.cast(told_by_word + 1.0, tf.float32)
    return tf.math.divide_no_nan(weights, tf.norm(weights, axis=1, keepdims=True))


def counted(words: Any, size: int, path: Any) -> Tensor:
    """Return how often each word of a vocabulary file is in each row of a ragged tensor, `(rows, size)`."""
    numbers = tft.apply_vocabulary(words, path, default_value=-1)
    rows = numbers.nrows(tf.int64)
    places = _row_ids(numbers) * size + numbers.values
    places = tf.boolean_mask(places, numbers.values >= 0)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(places, tf.float32), places, rows * size)
    return tf.reshape(counts, [-1, size])


def split(x: Tensor, ngrams: int = 1, level: str = "word", min_letters: int = 1) -> Any:
    """Return the words of each text, or its characters, as a ragged tensor of text; see the module."""
    texts = tf.reshape(text_values(x), [-1])
    # Bytes that are no UTF-8 become Unicode's replacement character, which is no part of a word.
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.lower(texts, encoding="utf-8")
    if level == "char":
        pieces = tf.strings.unicode_split(tf.strings.regex_replace(texts, r"[\s\p{Z}]{2,}", " "), "UTF-8")
    else:
        texts = tf.strings.regex_replace(texts, _APART, r" \1 ")
        texts = tf.strings.regex_replace(texts, _NO_WORD, " ")
        pieces = tf.strings.split(texts)
        if min_letters > 1:
            is_long = tf.strings.regex_full_match(
                pieces.values, rf"[\p{{L}}\p{{M}}\p{{N}}_]{{{min_letters},}}"
            )
            num_long = tf.math.unsorted_segment_sum(
                tf.cast(is_long, tf.int64), _row_ids(pieces), pieces.nrows(tf.int64)
            )
            pieces = tf.RaggedTensor.from_row_lengths(tf.boolean_mask(pieces.values, is_long), num_long)
    if ngrams > 1:
        separator = " " if level == "word" else ""
        pieces = tf.strings.ngrams(pieces, tuple(range(1, ngrams + 1)), separator=separator)
    return pieces


def _row_ids(ragged: Any) -> Tensor:
    """Return the row of each value, int64.

    Not `value_rowids`, which lays out as many values for each row as the longest one has: with one text of ten
    megabytes among some thousand, tens of gigabytes.
    """
    places = tf.range(tf.size(ragged.values, tf.int64))
    return tf.searchsorted(tf.cast(ragged.row_splits[1:], tf.int64), places, side="right", out_type=tf.int64)


def learned(words: Any, size: int, name: str) -> Any:
    """Return the file with the most frequent words of a ragged tensor, a line each."""
    # A word's number is its line, so no word may hold the end of one; characters may.
    values = tf.where(tf.strings.regex_full_match(words.values, r"[\n\r]"), "", words.values)
    return tft.vocabulary(tf.boolean_mask(values, values != ""), top_k=size, vocab_filename=name)


def _check(x: Tensor, function: str, size: int, ngrams: int, level: str) -> None:
    if x.dtype != tf.string:
        raise UserFunctionError(
            f"headrace.features.{function} needs text, and {told(x)} holds numbers.",
            "use z_score or buckets for numbers, vocabulary or one_hot for codes.",
        )
    if size < 1 or ngrams < 1:
        raise UserFunctionError(
            f"headrace.features.{function}: size or ngrams is too small for any word.",
            "give ngrams of 1 or more, and a size of 3 or more.",
        )
    if level not in LEVELS:
        raise UserFunctionError(
            f"headrace.features.{function}: level is {level!r}.", "give 'word' or 'char'."
        )
