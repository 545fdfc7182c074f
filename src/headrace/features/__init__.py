"""Features for `preprocessing_fn`, each one call: scikit-learn's and Keras's transformations as TensorFlow graphs.

Each function takes a feature as `preprocessing_fn` gets it, dense or sparse, and returns a dense tensor of which the
first dimension is the rows. What it learns of the data (means, vocabularies) tf.Transform's analyzers learn in full,
and it goes into the graph that training and serving share. Importing this package is light: TensorFlow loads with the
first call.

    from headrace.features import label, one_hot, z_score

    def preprocessing_fn(inputs):
        return {
            "age": z_score(inputs["age"]),
            "colour": one_hot(inputs["colour"], size=20),
            "kind": label(inputs["kind"]),
        }

`default_preprocessing` chooses for each feature of a schema.
"""

from __future__ import annotations

from headrace.features.categories import label, many_hot, one_hot, vocabulary
from headrace.features.dates import cyclic, date_parts
from headrace.features.defaults import DefaultPreprocessing, default_preprocessing
from headrace.features.images import image
from headrace.features.roles import explain
from headrace.features.scaling import buckets, log, min_max, pca, z_score
from headrace.features.series import windows
from headrace.features.texts import bag_of_words, tf_idf, tokens
from headrace.features.values import dense, impute, is_missing, number

__all__ = [
    "DefaultPreprocessing",
    "bag_of_words",
    "buckets",
    "cyclic",
    "date_parts",
    "default_preprocessing",
    "dense",
    "explain",
    "image",
    "impute",
    "is_missing",
    "label",
    "log",
    "many_hot",
    "min_max",
    "number",
    "one_hot",
    "pca",
    "tf_idf",
    "tokens",
    "vocabulary",
    "windows",
    "z_score",
]
