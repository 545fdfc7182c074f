"""Preprocessing functions made of `headrace.features`, beside which tests set scikit-learn, Keras and pandas."""

from __future__ import annotations

from typing import Any

from headrace import features as f

COLOURS = ("blue", "green", "red")
SIZE = 40


def numbers_and_categories(inputs: dict[str, Any]) -> dict[str, Any]:
    """What is made of numbers and categories, dense ones and ones that may be missing."""
    outputs = {}
    for name in ("price", "count", "maybe"):
        x = inputs[name]
        outputs[f"{name}_z"] = f.z_score(x)
        outputs[f"{name}_clipped"] = f.z_score(x, clip=1.0)
        outputs[f"{name}_log"] = f.log(x)
        outputs[f"{name}_min_max"] = f.min_max(x, -1.0, 1.0)
        outputs[f"{name}_buckets"] = f.buckets(x, 5)
        outputs[f"{name}_missing"] = f.is_missing(x)
        for strategy in ("mean", "median", "most_frequent", 7.0 if name == "maybe" else 7):
            outputs[f"{name}_{strategy}"] = f.impute(x, strategy)
        outputs[f"{name}_dense"] = f.dense(x)
    outputs["constant_z"] = f.z_score(inputs["constant"])
    outputs["constant_min_max"] = f.min_max(inputs["constant"])
    outputs["matrix_z"] = f.z_score(inputs["matrix"])
    outputs["matrix_min_max"] = f.min_max(inputs["matrix"])
    outputs["matrix_pca"] = f.pca(inputs["matrix"], 2)
    outputs["joined_pca"] = f.pca([inputs["price"], inputs["maybe"]], 1)
    for name in ("colour", "word", "code"):
        outputs[f"{name}_ids"] = f.vocabulary(inputs[name])
        outputs[f"{name}_hot"] = f.one_hot(inputs[name], 6)
        outputs[f"{name}_missing"] = f.is_missing(inputs[name])
        outputs[f"{name}_most_frequent"] = f.impute(inputs[name], "most_frequent")
    outputs["colour_sorted"] = f.vocabulary(inputs["colour"], values=COLOURS)
    outputs["colour_sorted_hot"] = f.one_hot(inputs["colour"], values=COLOURS)
    outputs["colour_two"] = f.vocabulary(inputs["colour"], 2, oov=3)
    outputs["colour_dense"] = f.dense(inputs["colour"], "none")
    outputs["colour_label"] = f.label(inputs["word"], name="kinds")
    outputs["colour_listed"] = f.label(inputs["word"], COLOURS)
    outputs["maybe_label"] = f.label(inputs["maybe"])
    outputs["missing_label"] = f.label(inputs["colour"])
    outputs["count_label"] = f.label(inputs["count"])
    outputs["code_label"] = f.label(inputs["code"], True)
    return outputs


def texts_dates_images(inputs: dict[str, Any]) -> dict[str, Any]:
    """What is made of texts, dates and pictures."""
    text, when = inputs["text"], inputs["when"]
    parts = ("year", "month", "day", "weekday", "hour", "minute", "second", "day_of_year", "days")
    return {
        "tokens": f.tokens(text, 12, 8),
        "tokens_two": f.tokens(text, SIZE, 12, ngrams=2),
        "chars": f.tokens(text, SIZE, 6, level="char"),
        "bag": f.bag_of_words(text, SIZE),
        "bag_two": f.bag_of_words(text, SIZE, ngrams=2, min_letters=2),
        "bag_chars": f.bag_of_words(text, SIZE, ngrams=2, level="char"),
        "tf_idf": f.tf_idf(text, SIZE, min_letters=2),
        "parts": f.date_parts(when, parts),
        "written": f.date_parts(inputs["written"], ("year", "month", "day", "hour"), "%d/%m/%y %H h"),
        "counted": f.date_parts(inputs["counted"], parts),
        "hour": f.cyclic(f.date_parts(when, ("hour",)), 24),
        "maybe_cyclic": f.cyclic(inputs["maybe"], 12),
        "image": f.image(inputs["image"], (6, 8)),
        "grey": f.image(inputs["image"], (5, 5), channels=1),
    }


def of_nothing(inputs: dict[str, Any]) -> dict[str, Any]:
    """What is made of features that no row to analyze has."""
    x, word = inputs["x"], inputs["word"]
    return {
        "z": f.z_score(x),
        "min_max": f.min_max(x),
        "buckets": f.buckets(x, 3),
        "mean": f.impute(x, "mean"),
        "median": f.impute(x, "median"),
        "most_frequent": f.impute(x, "most_frequent"),
        "ids": f.vocabulary(word),
        "hot": f.one_hot(word, 3),
        "tokens": f.tokens(word, 5, 3),
        "tf_idf": f.tf_idf(word, 5),
        "pca": f.pca([x, inputs["y"]], 1),
        "parts": f.date_parts(word),
        "many": f.many_hot(word, 3),
    }


def names_of_other_scripts(inputs: dict[str, Any]) -> dict[str, Any]:
    """TensorFlow takes no such letters in the names of its operations."""
    return {f"xf_{place}": f.vocabulary(inputs[name]) for place, name in enumerate(sorted(inputs))}
