"""A pipeline with an estimator on raw features, from a CSV file to the push."""

from __future__ import annotations

import glob

import estimator_functions
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import headrace
from headrace.authoring import Pipeline
from headrace.components import (
    CsvExampleGen,
    Evaluator,
    InfraValidator,
    Pusher,
    SchemaGen,
    StatisticsGen,
    Trainer,
)
from headrace.formats import model_inputs
from headrace.orchestration.engine import start as engine
from headrace.orchestration.runners.in_process import InProcess
from headrace.run_options import RunOptions
from headrace.store.results import NodeState


def _rows():
    numbers = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "payment": numbers.choice(["Cash", "Card", "Prcard", None], 300, p=[0.4, 0.4, 0.1, 0.1]),
            "fare": numbers.gamma(2, 6, 300).round(2),
            "miles": numbers.integers(0, 20, 300).astype(float),
        }
    )
    frame["tipped"] = ((frame["payment"] == "Card") & (frame["fare"] + numbers.normal(0, 3, 300) > 5)).astype(
        int
    )
    frame.loc[numbers.random(300) < 0.2, "miles"] = np.nan
    frame.loc[numbers.random(300) < 0.1, "fare"] = np.nan
    return frame


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder, and how the run ended."""
    folder = tmp_path_factory.mktemp("estimator")
    (folder / "data").mkdir()
    _rows().to_csv(folder / "data" / "rows.csv", index=False)
    rows = CsvExampleGen(input_base=str(folder / "data"))
    examples = rows.outputs["examples"]
    statistics = StatisticsGen(examples=examples)
    schema = SchemaGen(statistics=statistics.outputs["statistics"])
    trainer = Trainer(
        examples,
        schema=schema.outputs["schema"],
        build_model=estimator_functions.build_model,
        label="tipped",
    )
    model = trainer.outputs["model"]
    evaluator = Evaluator(examples=examples, model=model, label="tipped", require={"AUC": 0.7})
    infra = InfraValidator(model=model, examples=examples)
    pusher = Pusher(
        model=model,
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=infra.outputs["blessing"],
        push_destination={"filesystem": {"base_directory": str(folder / "pushed")}},
    )
    pipeline = Pipeline("estimator", components=[rows, statistics, schema, trainer, evaluator, infra, pusher])
    options = RunOptions(store=str(folder / "store"), show=False)
    return folder, engine.run(pipeline, options, pool=InProcess())


def test_every_node_ran(made):
    _, result = made
    assert [node.error for node in result.nodes] == [None] * 7
    assert {node.state for node in result.nodes} == {NodeState.DONE}


def test_what_was_pushed_answers_as_scikit_learn_on_the_same_rows(made):
    """Records of both splits: the model is fitted anew on the first, and asked about the second."""
    folder, _ = made
    frames, records = {}, {}
    for split in ("train", "eval"):
        files = glob.glob(f"{folder}/store/**/CsvExampleGen/examples/*/Split-{split}/*", recursive=True)
        records[split] = [one.numpy() for one in tf.data.TFRecordDataset(files, compression_type="GZIP")]
        frames[split] = pd.DataFrame([_values(record) for record in records[split]])
    names = ["fare", "miles", "payment"]
    model = estimator_functions.build_model(None, {})
    model.fit(_as_frame(frames["train"])[names], frames["train"]["tipped"].astype(int))
    (pushed,) = glob.glob(f"{folder}/pushed/*")
    signature = tf.saved_model.load(pushed).signatures["serving_default"]
    found = signature(examples=tf.constant(records["eval"]))["probabilities"].numpy()[:, 0]
    expected = model.predict_proba(_as_frame(frames["eval"])[names])[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert frames["eval"][names].isna().any().all()


def test_the_order_of_the_features_is_kept_with_the_model(made):
    """The page of a model shows it."""
    (pushed,) = glob.glob(f"{made[0]}/pushed/*")
    assert model_inputs.read(pushed) == (("fare", 1), ("miles", 1), ("payment", 1))


def test_a_loaded_model_predicts_of_a_frame(made):
    """Missing values stay missing on this way, too."""
    folder, _ = made
    model = headrace.load("latest/Trainer.model", store=str(folder / "store"))
    whole = pd.DataFrame({"payment": ["Card", None], "fare": [20.0, np.nan], "miles": [np.nan, 3.0]})
    alone = pd.concat([model.predict(whole.iloc[[row]]) for row in range(2)])
    assert model.predict(whole)["probabilities"].tolist() == alone["probabilities"].tolist()


def _values(record):
    found = {}
    for name, feature in tf.train.Example.FromString(record).features.feature.items():
        texts = [text.decode() for text in feature.bytes_list.value]
        values = [*feature.float_list.value, *feature.int64_list.value, *texts]
        found[name] = values[0] if values else None
    return found


def _as_frame(frame):
    payment = frame["payment"].astype(object)
    numbers = frame[["fare", "miles"]].astype(float)
    return numbers.assign(payment=payment.where(payment.notna(), None))
