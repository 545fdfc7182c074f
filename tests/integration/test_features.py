"""`headrace.features` beside scikit-learn, Keras, pandas and pillow on the same data; what differs is asserted too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest_transform import Run, transform, vocabularies
from feature_functions import COLOURS
from sklearn.decomposition import PCA
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from headrace.formats import transform_graphs
from headrace.testing import make_examples, make_schema

NUM_TRAIN, NUM_ROWS = 150, 200
DENSE = "feature {{ name: '{}' type: {} shape {{ {} }} presence {{ min_fraction: 1 }} }}\n"
SPARSE = "feature {{ name: '{}' type: {} }}\n"


def column(run: Run, name: str, split: str = "train") -> np.ndarray[Any, Any]:
    """A transformed feature, a row for each record."""
    batch = run.rows(split)
    return np.array(batch.column(batch.schema.get_field_index(name)).to_pylist())


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = NUM_ROWS
    frame = pd.DataFrame(
        {
            "price": random.normal(1e4, 3, rows).astype(np.float32),
            "count": random.integers(0, 9, rows),
            "constant": np.full(rows, 3.0),
            "word": random.choice(COLOURS, rows, p=[0.5, 0.2, 0.3]),
            "code": random.integers(0, 4, rows) ** 2,
            "maybe": random.exponential(50, rows).astype(np.float32).round(0),
            "colour": random.choice(COLOURS, rows, p=[0.2, 0.3, 0.5]),
        }
    )
    frame.loc[::4, "maybe"] = np.nan
    frame.loc[::5, "colour"] = None
    frame["matrix"] = list(random.normal(5, [1, 5, 3, 0.1], (rows, 4)).astype(np.float32))
    return frame


@pytest.fixture(scope="module")
def made(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`feature_functions.numbers_and_categories` of the table."""
    rows = [
        {
            name: list(value) if name == "matrix" else [value]
            for name, value in row.items()
            if isinstance(value, np.ndarray) or not pd.isna(value)
        }
        for row in table.to_dict("records")
    ]
    kinds = {"price": "FLOAT", "count": "INT", "constant": "FLOAT", "word": "BYTES", "code": "INT"}
    schema = "".join(DENSE.format(name, kind, "") for name, kind in kinds.items())
    schema += DENSE.format("matrix", "FLOAT", "dim { size: 4 }")
    schema += SPARSE.format("maybe", "FLOAT") + SPARSE.format("colour", "BYTES")
    folder = tmp_path_factory.mktemp("features")
    examples = make_examples(folder / "rows", {"train": rows[:NUM_TRAIN], "eval": rows[NUM_TRAIN:]})
    return transform(
        folder / "made",
        examples,
        make_schema(folder / "schema", schema),
        "feature_functions:numbers_and_categories",
    )


def fitted(estimator: Any, table: pd.DataFrame, name: str) -> np.ndarray[Any, Any]:
    """What an estimator of scikit-learn, fitted to the training rows, makes of the evaluation's."""
    values = np.stack(table[name]) if name == "matrix" else table[[name]].to_numpy()
    return np.asarray(estimator.fit(values[:NUM_TRAIN]).transform(values[NUM_TRAIN:]))


def close(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_no_function_needs_tfxs_own_implementation(made: Run):
    """Analyzers that Headrace's Transform does not know would send the node to the stock one."""
    assert not made.implementation.reason


@pytest.mark.parametrize("name", ["price", "count", "maybe", "matrix"])
def test_z_score_is_the_standard_scaler(made: Run, table: pd.DataFrame, name: str):
    """Also of numbers far from 0; a missing value, which scikit-learn leaves, is the mean."""
    # TFT adds means of float64 batches; scikit-learn those of float32 columns.
    expected = fitted(StandardScaler(), table.assign(price=table["price"].astype(float)), name)
    close(column(made, f"{name}_z", "eval"), np.nan_to_num(expected), 1e-4 if name == "price" else 1e-5)
    if name != "matrix":
        close(column(made, f"{name}_clipped", "eval"), np.clip(column(made, f"{name}_z", "eval"), -1.0, 1.0))


@pytest.mark.parametrize("name", ["price", "count", "maybe"])
def test_min_max_is_the_min_max_scaler(made: Run, table: pd.DataFrame, name: str):
    """A row of a later split may lie beyond; a missing value is the least."""
    expected = fitted(MinMaxScaler((-1, 1)), table, name)
    close(column(made, f"{name}_min_max", "eval"), np.nan_to_num(expected, nan=-1.0), 1e-4)


def test_a_matrix_is_scaled_column_by_column(made: Run, table: pd.DataFrame):
    """As scikit-learn does."""
    close(column(made, "matrix_min_max", "eval"), fitted(MinMaxScaler(), table, "matrix"))


def test_what_does_not_vary_becomes_zero(made: Run):
    """And no division by zero."""
    assert not column(made, "constant_z").any()
    assert not column(made, "constant_min_max").any()


@pytest.mark.parametrize("name", ["price", "maybe"])
def test_buckets_hold_as_many_rows_as_scikit_learns(made: Run, table: pd.DataFrame, name: str):
    """Edges are values of the data, and not between them: so a row at an edge may fall on the other side."""
    values = table[name][:NUM_TRAIN].dropna().to_numpy()[:, None]
    discretizer = KBinsDiscretizer(5, encode="ordinal", strategy="quantile", subsample=None).fit(values)
    ours = column(made, f"{name}_buckets").ravel()
    is_there = table[name][:NUM_TRAIN].notna().to_numpy()
    differ = (ours[is_there] != discretizer.transform(values).ravel()).mean()
    assert differ <= 0.04
    assert (ours[~is_there] == 5).all()


@pytest.mark.parametrize("name", ["count", "maybe"])
@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_impute_is_the_simple_imputer(made: Run, table: pd.DataFrame, name: str, strategy: str):
    """The median is a value of the data, which scikit-learn's need not be; of equally frequent ones any is right."""
    ours = column(made, f"{name}_{strategy}", "eval").ravel()
    theirs = fitted(SimpleImputer(strategy=strategy), table, name).ravel()
    is_there = table[name][NUM_TRAIN:].notna().to_numpy()
    close(ours[is_there], theirs[is_there])
    known = np.sort(table[name][:NUM_TRAIN].dropna())
    for filled in ours[~is_there]:
        if strategy == "mean":
            close(filled, known.mean())
        elif strategy == "median":
            assert known[(len(known) - 1) // 2] <= filled <= known[len(known) // 2]
        else:
            values, counts = np.unique(known, return_counts=True)
            assert filled in values[counts == counts.max()]


def test_impute_puts_in_a_value_of_ones_own(made: Run, table: pd.DataFrame):
    """As `SimpleImputer(strategy="constant")`; `dense` fills 0."""
    expected = table["maybe"][NUM_TRAIN:]
    close(column(made, "maybe_7.0", "eval").ravel(), expected.fillna(7.0))
    close(column(made, "maybe_dense", "eval").ravel(), expected.fillna(0.0))


def test_the_most_frequent_text_is_put_in(made: Run, table: pd.DataFrame):
    """What is there stays."""
    most = table["colour"][:NUM_TRAIN].mode()[0]
    ours = column(made, "colour_most_frequent", "eval").ravel()
    assert [text.decode() for text in ours] == list(table["colour"][NUM_TRAIN:].fillna(most))


@pytest.mark.parametrize("name", ["price", "maybe", "colour", "word"])
def test_missing_values_are_told(made: Run, table: pd.DataFrame, name: str):
    """scikit-learn's indicator, for features that always have a value too."""
    values = table[[name]].isna().to_numpy().astype(float)
    close(column(made, f"{name}_missing", "eval"), values[NUM_TRAIN:])
    if name == "maybe":
        indicator = fitted(MissingIndicator(features="all"), table, name)
        assert (column(made, "maybe_missing", "eval") == indicator).all()


@pytest.mark.parametrize("name", ["word", "colour"])
def test_one_hot_is_the_one_hot_encoder(made: Run, table: pd.DataFrame, name: str):
    """Columns in the order of frequency, or of the values given; a missing value is 0 in each."""
    frequent = list(table[name][:NUM_TRAIN].value_counts().index)
    for feature, order in ((f"{name}_hot", frequent), ("colour_sorted_hot", list(COLOURS))):
        if feature.startswith(name):
            encoder = OneHotEncoder(categories=[order], handle_unknown="ignore", sparse_output=False)
            expected = fitted(encoder, table, name)
            close(column(made, feature, "eval")[:, : len(order)], expected)
            assert not column(made, feature, "eval")[:, len(order) :].any()


def test_a_vocabulary_is_the_ordinal_encoder(made: Run, table: pd.DataFrame):
    """Numbers in the order of frequency, or of the values given; what is missing comes after them."""
    for feature, order in (
        ("colour_ids", list(table["colour"][:NUM_TRAIN].value_counts().index)),
        ("colour_sorted", sorted(COLOURS)),
    ):
        encoder = OrdinalEncoder(categories=[order], handle_unknown="use_encoded_value", unknown_value=3)
        expected = fitted(encoder, table, "colour")
        assert (column(made, feature, "eval") == expected).all()
    codes = table["code"][:NUM_TRAIN].value_counts()
    kept = vocabularies(made)["code"].decode().split()
    assert [codes[int(code)] for code in kept] == list(codes)


def test_other_values_are_shared_out_by_their_hash(made: Run, table: pd.DataFrame):
    """A vocabulary of two with three more numbers, of which one is the missing value's."""
    ours = pd.Series(column(made, "colour_two", "eval").ravel())
    by_value = ours.groupby(table["colour"][NUM_TRAIN:].fillna("none").to_numpy()).unique()
    assert sorted(len(numbers) for numbers in by_value) == [1, 1, 1, 1]
    assert by_value["red"][0] == 0
    assert {by_value["blue"][0], by_value["none"][0]} <= {2, 3, 4}


def test_the_schema_says_how_many_numbers_there_are(made: Run):
    """So that a model can make room for them."""
    schema = transform_graphs.read_transformed_schema(made.path("transform_graph"))
    highest = {feature.name: feature.int_domain.max for feature in schema.feature}
    assert highest["maybe_buckets"] == 5
    assert highest["colour_ids"] == 3
    assert highest["colour_two"] == 4


def test_pca_is_scikit_learns_up_to_signs(made: Run, table: pd.DataFrame):
    """Of a matrix; and of two features side by side, whose missing value is the mean."""
    expected = fitted(PCA(2), table, "matrix")
    ours = column(made, "matrix_pca", "eval")
    close(np.abs(ours), np.abs(expected), 1e-4)
    both = table[["price", "maybe"]].astype(float)
    both = both.fillna(both[:NUM_TRAIN].mean()).to_numpy()
    joined = PCA(1).fit(both[:NUM_TRAIN]).transform(both[NUM_TRAIN:])
    # A missing value is taken for the mean, by which the others are moved.
    close(np.abs(column(made, "joined_pca", "eval")), np.abs(joined), 1e-3)


def test_a_label_of_text_becomes_the_numbers_of_its_classes(made: Run, table: pd.DataFrame):
    """The names stay in a file of the graph, a line for each number."""
    names = vocabularies(made)["kinds"].decode().split()
    assert names == list(table["word"][:NUM_TRAIN].value_counts().index)
    ours = column(made, "colour_label", "eval").ravel()
    assert [names[number] for number in ours] == list(table["word"][NUM_TRAIN:])
    listed = column(made, "colour_listed", "eval").ravel()
    assert [COLOURS[number] for number in listed] == list(table["word"][NUM_TRAIN:])


def test_a_label_of_numbers_stays_as_it_is(made: Run, table: pd.DataFrame):
    """Unless classes are asked for. What rows lack is NaN, which the Trainer refuses."""
    assert (column(made, "count_label", "eval").ravel() == table["count"][NUM_TRAIN:]).all()
    close(column(made, "maybe_label", "eval").ravel(), table["maybe"][NUM_TRAIN:])
    assert (
        np.isnan(column(made, "missing_label", "eval").ravel()) == table["colour"][NUM_TRAIN:].isna()
    ).all()
    names = vocabularies(made)["code_4"].decode().split()
    ours = column(made, "code_label", "eval").ravel()
    assert [int(names[number]) for number in ours] == list(table["code"][NUM_TRAIN:])


def test_long_tails_are_brought_in(made: Run, table: pd.DataFrame):
    """The logarithm of 1 and the number."""
    close(column(made, "maybe_log", "eval").ravel(), np.log1p(table["maybe"][NUM_TRAIN:]))
