"""Augmentation and class balance: they change what a model is trained on, in a way that can be repeated, and no more."""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.utils.class_weight import compute_class_weight

from headrace import augment
from headrace.errors import TrainingError
from headrace.models.keras_inputs import ModelInputs
from headrace.runtime.progress import Progress
from headrace.training import fitting, short_form
from headrace.training.augmentation import Augmenter, Batch
from headrace.training.datasets import Rows
from headrace.training.parsing import LabelRange

NUM_ROWS, HEIGHT, WIDTH = 60, 9, 7


def rows(label: Any, *, is_streamed: bool = False, block: int = 16) -> Rows:
    """Pictures and numbers with a label; the number is the row's."""
    label = np.asarray(label).reshape(len(label), -1)
    number = len(label)
    pictures = np.random.default_rng(0).uniform(size=(number, HEIGHT, WIDTH, 1)).astype("float32")
    columns = {
        "image": tf.constant(pictures),
        "x": tf.constant(np.arange(number, dtype="float32")[:, None]),
        "count": tf.constant(np.arange(number)[:, None]),
        "y": tf.constant(label),
    }
    signature = {
        name: tf.TensorSpec([None, *value.shape[1:]], value.dtype) for name, value in columns.items()
    }

    def blocks() -> Any:
        for start in range(0, number, block):
            yield {name: value[start : start + block] for name, value in columns.items()}

    known = LabelRange(
        columns["y"].dtype.name,
        label.min(),
        label.max(),
        is_whole=bool((label == np.floor(label)).all()),
        width=label.shape[1] if label.ndim > 1 else 1,
    )
    return Rows(number, "y", known, None if is_streamed else columns, blocks, signature)


# What the model takes of the columns.
INPUTS = ModelInputs(("image", "x"), lambda columns: {name: columns[name] for name in ("image", "x")})


def settings(**values: Any) -> short_form.Settings:
    known: dict[str, Any] = {"train_steps": None, "eval_steps": None, "batch_size": 8, "epochs": 2}
    known |= {"patience": 5, "seed": 1, "train_splits": ("train",), "eval_splits": ("eval",)}
    return short_form.Settings(node_id="Trainer", **(known | values))


def model(width: int = 2) -> keras.Model:
    """Takes the number and the picture."""
    keras.utils.set_random_seed(0)
    inputs = {"image": keras.Input((HEIGHT, WIDTH, 1), name="image"), "x": keras.Input((1,), name="x")}
    hidden = keras.layers.concatenate([keras.layers.Flatten()(inputs["image"]), inputs["x"]])
    made = keras.Model(inputs, keras.layers.Dense(width, "softmax" if width > 1 else None)(hidden))
    made.compile("sgd", "sparse_categorical_crossentropy" if width > 1 else "mse")
    return made


def batches(data: Rows, count: int, width: int = 2, batch_size: int = 8, **values: Any) -> list[Any]:
    """The first batches that a model would be trained on."""
    made = fitting.training_batches(
        model(width), data, settings(**values), batch_size, lambda columns: columns
    )
    return [tf.nest.map_structure(lambda tensor: tensor.numpy(), one) for one in made.take(count)]


CLASSES = np.array([0] * 40 + [1] * 15 + [2] * 5)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_weights_are_scikit_learns_and_every_row_is_in_every_pass(is_streamed: bool):
    """Each class counts as much as another, and no row is left out or seen twice."""
    expected = compute_class_weight("balanced", classes=np.unique(CLASSES), y=CLASSES)
    data = rows(CLASSES, is_streamed=is_streamed)
    for _ in range(2):
        made = batches(data, data.steps(8), 3, class_balance="weights")
        assert len(made) == 8
        seen = np.concatenate([inputs["x"].ravel() for inputs, *_ in made])
        assert sorted(seen) == list(range(NUM_ROWS))
        for _, label, weights in made:
            np.testing.assert_allclose(weights, expected[label.ravel()], rtol=1e-6)


def test_weights_of_ones_own_are_taken():
    """By the number of the class, which JSON holds as text."""
    made = batches(rows(CLASSES), 8, 3, class_balance={"0": 1.0, "1": 2.0, "2": 6.0})
    for _, label, weights in made:
        np.testing.assert_allclose(weights, np.array([1.0, 2.0, 6.0])[label.ravel()])


def test_a_weighted_loss_is_that_of_the_classes(tmp_path: Any):
    """Keras gets the weights: the loss of a model that does not learn is the mean of the classes' own."""
    data = rows(CLASSES)
    still = model(3)
    still.optimizer = keras.optimizers.SGD(0.0)
    still.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    outcome = fitting.fit(
        still,
        (data, data),
        settings(class_balance="weights", epochs=1, batch_size=60),
        {},
        INPUTS,
        progress=Progress(),
        is_row_wise=True,
    )
    columns = data.columns or {}
    probabilities = still.predict({name: columns[name] for name in ("image", "x")}, verbose=0)
    losses = -np.log(probabilities[np.arange(NUM_ROWS), CLASSES])
    by_class = [losses[one == CLASSES].mean() for one in range(3)]
    np.testing.assert_allclose(outcome.history["loss"][0], np.mean(by_class), rtol=1e-4)
    # The evaluation is of the rows as they are.
    np.testing.assert_allclose(outcome.history["val_loss"][0], losses.mean(), rtol=1e-4)


def test_resampling_draws_as_many_of_each_class():
    """An epoch stays as long as it is; of the large class other rows come in the next."""
    data = rows(CLASSES)
    made = batches(data, 16, 3, class_balance="resample")
    for epoch in (made[:8], made[8:]):
        counts = Counter(int(one) for _, label in epoch for one in label.ravel())
        assert counts == {0: 20, 1: 20, 2: 20}
        seen = Counter(float(x) for inputs, _ in epoch for x in inputs["x"].ravel())
        assert max(seen[float(row)] for row in range(40)) == 1
        assert all(seen[float(row)] == 4 for row in range(55, 60))
    first, second = (
        {float(x) for inputs, _ in epoch for x in inputs["x"].ravel()} for epoch in (made[:8], made[8:])
    )
    assert first != second


def test_resampled_rows_that_stream_are_balanced_too():
    """On average: how often a row comes is drawn for each block."""
    labels = np.array([0] * 900 + [1] * 100)
    data = rows(np.random.default_rng(0).permutation(labels), is_streamed=True, block=100)
    made = batches(data, 40, class_balance="resample", batch_size=50)
    share = np.mean([label.mean() for _, label in made])
    assert 0.45 < share < 0.55


@pytest.mark.parametrize("is_streamed", [False, True])
def test_the_same_seed_gives_the_same_batches(is_streamed: bool):
    """Augmented and balanced, however many threads work; another seed gives others."""
    everything = (
        augment.flip(vertical=True), augment.rotate(20), augment.shift(0.2), augment.zoom(0.2),
        augment.contrast(0.3), augment.noise(0.1), augment.mixup(0.4),
    )  # fmt: skip
    given = {"augment": everything, "class_balance": "resample"}
    data = rows(CLASSES, is_streamed=is_streamed)
    first, again = batches(data, 6, 3, **given), batches(data, 6, 3, **given)
    tf.nest.map_structure(np.testing.assert_array_equal, first, again)
    other = batches(data, 6, 3, **given, seed=2)
    assert not np.array_equal(first[0][0]["image"], other[0][0]["image"])


def changed(change: augment.Augmentation, pictures: Any, number: int = 0) -> Any:
    signature = {"image": tf.TensorSpec([None, *pictures.shape[1:]], tf.float32)}
    augmenter = Augmenter([change], signature, 1, is_label_mixed=False, where="Trainer")
    batch = Batch({"image": tf.constant(pictures)}, tf.zeros([len(pictures), 1]))
    return augmenter.apply(batch, tf.constant(number, tf.int64)).columns["image"].numpy()


def pictures(number: int = 64, size: int = 15) -> Any:
    """A bright block off the middle of each."""
    made = np.zeros((number, size, size, 1), "float32")
    made[:, 3:6, 4:9] = 1.0
    return made


def test_flipping_mirrors_about_half_of_the_pictures():
    """The others stay as they are."""
    x = pictures()
    made = changed(augment.flip(), x)
    mirrored = [np.array_equal(one, other[:, ::-1]) for one, other in zip(made, x)]
    same = [np.array_equal(one, other) for one, other in zip(made, x)]
    assert all(a or b for a, b in zip(mirrored, same))
    assert 16 < sum(mirrored) < 48


@pytest.mark.parametrize(
    ("change", "least", "most"),
    [
        (augment.rotate(20, fill="constant"), 0.5, 4.0),
        (augment.shift(0.2, fill="constant"), 0.5, 4.4),
        (augment.zoom(0.3, fill="constant"), 0.2, 2.5),
    ],
)
def test_pictures_are_moved_within_bounds(change: augment.Augmentation, least: float, most: float):
    """Each in its own way, and no farther than is said; another batch in others."""
    x = pictures()
    made = changed(change, x)
    places = np.arange(15)

    def middle(pictures: Any) -> Any:
        mass = pictures[..., 0].sum((1, 2))
        return np.stack(
            [
                (pictures[..., 0].sum(2) * places).sum(1) / mass,
                (pictures[..., 0].sum(1) * places).sum(1) / mass,
            ],
            1,
        )

    moved = np.linalg.norm(middle(made) - middle(x), axis=1)
    assert moved.max() <= most
    assert moved.max() >= least
    assert len(np.unique(moved.round(4))) > 50
    assert not np.array_equal(made, changed(change, x, number=1))


def test_rotation_is_about_the_middle_and_zoom_keeps_it():
    """A single bright pixel in the middle stays there."""
    x = np.zeros((16, 15, 15, 1), "float32")
    x[:, 7, 7] = 1.0
    for change in (augment.rotate(180), augment.zoom(0.5)):
        np.testing.assert_allclose(changed(change, x)[:, 7, 7, 0], 1.0, atol=1e-4)


def test_contrast_keeps_the_mean_and_noise_has_the_deviation():
    """Channel by channel."""
    x = np.random.default_rng(0).uniform(size=(64, 8, 8, 3)).astype("float32")
    made = changed(augment.contrast(0.5), x)
    np.testing.assert_allclose(made.mean((1, 2)), x.mean((1, 2)), atol=1e-5)
    factors = made.std((1, 2)) / x.std((1, 2))
    np.testing.assert_allclose(factors[:, :1], factors[:, 1:2], rtol=1e-3)
    assert 0.5 <= factors.min() < 0.6
    assert 1.4 < factors.max() <= 1.5
    difference = changed(augment.noise(0.1), x) - x
    assert abs(difference.std() - 0.1) < 0.002


def test_mixed_classes_count_with_their_shares():
    """Both labels of two rows stand in the batch, with weights of 2 together: the loss is a mean over twice the rows."""
    made = batches(rows(CLASSES), 8, 3, augment=(augment.mixup(0.4),))
    for inputs, label, weights in made:
        half = len(label) // 2
        np.testing.assert_array_equal(inputs["image"][:half], inputs["image"][half:])
        np.testing.assert_allclose(weights[:half] + weights[half:], 2.0, rtol=1e-5)
    total = Counter()
    for _, label, weights in made:
        for one, weight in zip(label.ravel(), weights):
            total[int(one)] += weight / 2
    np.testing.assert_allclose([total[0], total[1], total[2]], [40, 15, 5], rtol=0.35)


def test_a_mixed_number_lies_between_two():
    """A regression's label as its features; integers stay as they are."""
    label = np.arange(NUM_ROWS, dtype="float32") * 2 + 0.5
    for inputs, mixed in batches(rows(label), 8, 1, augment=(augment.mixup(1.0),)):
        np.testing.assert_allclose(mixed, inputs["x"] * 2 + 0.5, rtol=1e-4)
        assert inputs["count"].dtype == np.int64
    assert len(mixed) == 4


def test_an_evaluation_sees_the_rows_as_they_are():
    """Neither changed, weighted nor drawn: in training the same model sees others."""
    seen: dict[bool, list[Any]] = {True: [], False: []}

    class Watched(keras.Model):
        def call(self, inputs: Any, training: bool = False) -> Any:
            tf.py_function(lambda image: seen[training].append(image.numpy()), [inputs["image"]], [])
            return keras.ops.mean(inputs["image"], axis=(1, 2)) * self.scale

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(shape=(1,), name="scale", initializer="ones")

    data = rows(CLASSES % 2)
    watched = Watched()
    watched.build(None)
    watched.compile("sgd", "mse", run_eagerly=True)
    given = settings(augment=(augment.noise(0.5), augment.flip()), class_balance="resample", epochs=1)
    place = dict(data.columns or {})
    train = fitting.training_batches(watched, data, given, 8, lambda columns: {"image": columns["image"]})
    watched.fit(
        train,
        steps_per_epoch=8,
        epochs=1,
        # The newer Keras warns where it is left out.
        shuffle=False,
        validation_data=data.batches_once(8, lambda columns: {"image": columns["image"]}),
        verbose=0,
    )
    np.testing.assert_array_equal(np.concatenate(seen[False]), place["image"].numpy())
    assert not np.isin(np.concatenate(seen[True]), place["image"].numpy()).any()


def test_fit_evaluates_on_rows_as_they_are():
    """The loss in evaluation is that of the model that was kept, on the data."""
    data = rows(CLASSES)
    trained = model(3)
    given = settings(augment=(augment.noise(5.0), augment.mixup(1.0)), class_balance="weights", epochs=1)
    outcome = fitting.fit(trained, (data, data), given, {}, INPUTS, progress=Progress(), is_row_wise=True)
    columns = dict(data.columns or {})
    label = columns.pop("y")
    loss = trained.evaluate(INPUTS.arrange(columns), label, batch_size=NUM_ROWS, verbose=0)
    np.testing.assert_allclose(outcome.history["val_loss"][0], loss, rtol=1e-4)


@pytest.mark.parametrize(
    ("label", "width", "told"),
    [
        (np.linspace(0.5, 9.3, 60).astype("float32"), 1, "this is a regression: the label 'y' has fractions"),
        (np.arange(60) % 6, 1, "a regression: the model has one output, and its label 6 different values"),
        (np.zeros(60, int), 2, "all rows to train on are of class 0"),
        (np.eye(3)[CLASSES].astype(int), 3, "a row of the label 'y' has 3 labels of 0 and 1"),
    ],
)
def test_what_cannot_be_balanced_is_said(label: Any, width: int, told: str):
    """Before anything is trained."""
    with pytest.raises(TrainingError) as caught:
        batches(rows(label), 1, width, class_balance="weights")
    assert told in caught.value.problem


def test_a_class_without_a_weight_is_named():
    with pytest.raises(TrainingError, match="no weight for class '2', which training rows have"):
        batches(rows(CLASSES), 1, 3, class_balance={"0": 1.0, "1": 2.0})


def test_a_change_that_fits_no_feature_is_said():
    """With the features that it would fit."""
    data = rows(CLASSES)
    with pytest.raises(TrainingError) as caught:
        batches(data, 1, 3, augment=(augment.flip(feature="imag"),))
    assert str(caught.value) == (
        "Trainer: augment.flip is to change 'imag', which the model does not take. Of the model's features these do: "
        "'image'.\n  Fix: did you mean 'image'? Correct feature."
    )
    with pytest.raises(TrainingError, match=r"changes pictures.*none of the model's features is one"):
        Augmenter(
            [augment.flip()],
            {"x": tf.TensorSpec([None, 1], tf.float32)},
            1,
            is_label_mixed=False,
            where="Trainer",
        )
