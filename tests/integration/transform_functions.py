"""Preprocessing functions that the tests of Transform run, under Headrace and under stock TFX."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft


def one_of_each(inputs: dict[str, Any]) -> dict[str, Any]:
    """Moments, ranges, quantiles, per-key analyzers, vocabularies of several kinds, matrices."""
    x, key, tags, number = inputs["x"], inputs["key"], inputs["tags"], inputs["number"]
    pairs = tf.stack([x, tf.cast(number, tf.float32)], axis=1)
    rare = tft.vocabulary(key, frequency_threshold=30, vocab_filename="frequent_keys")
    tft.vocabulary(key, weights=tf.abs(x) + 1.0, vocab_filename="weighted_keys", store_frequency=True)
    tft.vocabulary(tags, vocab_filename="shuffled_tags", fingerprint_shuffle=True)
    index = tft.compute_and_apply_vocabulary(tags, top_k=4, num_oov_buckets=2, vocab_filename="tags")
    return {
        "z": tft.scale_to_z_score(x),
        "unit": tft.scale_to_0_1(x),
        "z_by_key": tft.scale_to_z_score_per_key(x, key),
        "bucket": tft.bucketize(x, 5),
        "bucket_by_key": tft.bucketize_per_key(x, key, 3),
        # Named: TensorFlow shares tables by name, and stock TFX gives these the same in each function.
        "number_word": tft.compute_and_apply_vocabulary(number, name="number_words"),
        "frequent": tft.apply_vocabulary(key, rare),
        "tag_index": index,
        "rotated": tf.matmul(pairs, tft.pca(pairs, 2, tf.float32)),
        "shifted": x - tf.cast(tft.covariance(pairs, tf.float32)[0, 1], tf.float32),
        "hashed": tft.hash_strings(key, 10),
        "maybe": inputs["maybe"],
        "text": key,
    }


def one_pass(inputs: dict[str, Any]) -> dict[str, Any]:
    """Analyzers that all work on the input itself, as a cache can cover them."""
    return {
        "z": tft.scale_to_z_score(inputs["x"]),
        "bucket": tft.bucketize(inputs["x"], 4),
        "key": tft.compute_and_apply_vocabulary(inputs["key"], vocab_filename="keys"),
        "z_by_key": tft.scale_to_z_score_per_key(inputs["x"], inputs["key"]),
    }


def two_passes(inputs: dict[str, Any]) -> dict[str, Any]:
    """Analyzers over what other analyzers found: arithmetic, and a vocabulary's table."""
    centred = inputs["x"] - tft.mean(inputs["x"])
    index = tft.compute_and_apply_vocabulary(inputs["key"])
    return {
        "centred_unit": centred / tft.max(tf.abs(centred)),
        "index_z": tft.scale_to_z_score(tf.cast(index, tf.float32)),
    }


def mutual_information(inputs: dict[str, Any]) -> dict[str, Any]:
    """A vocabulary by mutual information with a label, which TFX's own implementation runs."""
    index = tft.compute_and_apply_vocabulary(inputs["key"], labels=inputs["number"] % 2, top_k=2)
    return {"index": index}


def no_analyzer(inputs: dict[str, Any]) -> dict[str, Any]:
    """Arithmetic only."""
    return {"doubled": inputs["x"] * 2.0}


def configured(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, Any]:
    """A factor that the pipeline sets."""
    return {"scaled": inputs["x"] * float(custom_config["factor"])}


def raises(inputs: dict[str, Any]) -> dict[str, Any]:
    """Fails in plain Python."""
    raise ZeroDivisionError(f"no feature to divide {len(inputs)} by")


def missing_key(inputs: dict[str, Any]) -> dict[str, Any]:
    """Asks for a feature that the schema does not have."""
    return {"z": tft.scale_to_z_score(inputs["no_such"])}


def wrong_shape(inputs: dict[str, Any]) -> dict[str, Any]:
    """Fails while TensorFlow builds the graph."""
    return {"sum": tf.reshape(inputs["x"], [-1, 1]) @ tf.ones([3, 2])}


def returns_nothing(inputs: dict[str, Any]) -> dict[str, Any]:
    """Makes no feature."""
    return {}


def fails_on_data(inputs: dict[str, Any]) -> dict[str, Any]:
    """Fails when rows arrive."""
    with tf.control_dependencies([tf.debugging.assert_less(inputs["x"], 0.0, message="x must be negative")]):
        return {"x": tf.identity(inputs["x"])}


def drops_rows(inputs: dict[str, Any]) -> dict[str, Any]:
    """Makes fewer rows of one feature than go in."""
    return {"x": tf.identity(inputs["x"]), "short": inputs["x"][:-2]}


def fewer_buckets(stats_type: Any, stats_options: Any) -> Any:
    """A `stats_options_updater_fn`."""
    stats_options.num_histogram_buckets = 3
    return stats_options


def by_key(stats_type: Any, stats_options: Any) -> Any:
    """A `stats_options_updater_fn` that asks for what Headrace leaves to TFX."""
    stats_options.sample_rate = 1.0
    return stats_options


def composites(inputs: dict[str, Any]) -> dict[str, Any]:
    """Every form that an output can have, of every type that a tf.Example holds."""
    words = tf.strings.split(
        tf.strings.join(["a b ", inputs["key"], " ", tf.strings.as_string(inputs["number"])])
    )
    characters = tf.strings.unicode_split(words, "UTF-8")
    number, x = inputs["number"], inputs["x"]
    repeated = tf.RaggedTensor.from_row_lengths(
        tf.repeat(tf.stack([x, x + 1.0], axis=1), number % 3, axis=0), number % 3
    )
    rows = tf.range(tf.size(number, out_type=tf.int64))
    places = tf.stack([rows, number % 3], axis=1)
    corners = tf.stack([rows, number % 2, (number + 1) % 2], axis=1)
    size = tf.size(number, out_type=tf.int64)
    return {
        "dense": tf.stack([x, -x], axis=1),
        "cube": tf.reshape(tf.stack([number] * 4, axis=1), [-1, 2, 2]),
        "tags": inputs["tags"],
        "flat": tf.sparse.reorder(tf.SparseTensor(places, x, [size, 3])),
        "corners": tf.sparse.reshape(tf.SparseTensor(corners, number, [size, 2, 2]), [-1, 2, 2]),
        "words": words,
        "lengths": tf.cast(tf.strings.length(words), tf.int64),
        "z_lengths": tft.scale_to_z_score(tf.cast(tf.strings.length(words), tf.float32)),
        "characters": characters,
        "nested": tf.stack([characters, characters], axis=1),
        "pairs": repeated,
        # Two ragged dimensions and two of fixed size.
        "squares": characters.with_flat_values(tf.reshape(tf.repeat(characters.flat_values, 4), [-1, 2, 2])),
    }


def python_functions(inputs: dict[str, Any]) -> dict[str, Any]:
    """Python in what is analyzed and in what is transformed, by each way into it."""

    def doubled(values: Any) -> Any:
        return values * 2

    x = inputs["x"]
    twice = tf.ensure_shape(tf.numpy_function(doubled, [x], tf.float32), [None])
    again = tf.ensure_shape(tf.py_function(doubled, [twice], tf.float32), [None])
    pure = tft.apply_pyfunc(doubled, tf.float32, False, "pure", x)
    pure.set_shape(x.shape)
    return {"x": x, "twice": twice, "four": again, "pure": pure, "centred": twice - tft.mean(again) / 2}


def int32_output(inputs: dict[str, Any]) -> dict[str, Any]:
    """A number of letters, which TensorFlow counts in 32 bits."""
    return {"x": inputs["x"], "letters": tf.strings.length(inputs["key"])}


def unknown_width(inputs: dict[str, Any]) -> dict[str, Any]:
    """As dense as the longest row of the batch."""
    return {"tags": tf.sparse.to_dense(inputs["tags"])}


def compares_sparse(inputs: dict[str, Any]) -> dict[str, Any]:
    """Takes a feature with gaps for a dense one."""
    return {"high": tf.cast(inputs["maybe"] >= 1, tf.int64)}


def boundaries(inputs: dict[str, Any]) -> dict[str, Any]:
    """Vocabularies cut exactly at a count and at a tie, buckets whose borders are values of the data."""
    key, number = inputs["key"], inputs["number"]
    for threshold in (29, 30, 31):
        tft.vocabulary(key, frequency_threshold=threshold, vocab_filename=f"at_{threshold}")
    for top_k in (1, 2, 3, 9):
        tft.vocabulary(key, top_k=top_k, vocab_filename=f"top_{top_k}", store_frequency=True)
    tft.vocabulary(key, top_k=2, frequency_threshold=30, vocab_filename="top_2_at_30")
    weight = tf.cast(number, tf.float32)
    for threshold in (4, 5):
        tft.vocabulary(
            key, weights=weight, frequency_threshold=threshold, vocab_filename=f"heavy_{threshold}"
        )
    return {
        "number": number,
        "halves": tft.bucketize(number, 2),
        "fifths": tft.bucketize(number, 5),
        "by_border": tft.apply_buckets(number, tf.constant([[2.0, 5.0]])),
        "oov": tft.compute_and_apply_vocabulary(key, top_k=2, num_oov_buckets=1, vocab_filename="with_oov"),
        "default": tft.compute_and_apply_vocabulary(key, frequency_threshold=30, default_value=-7),
    }
