"""A pipeline of pictures from folders to a model, with stock TFX's StatisticsGen and Transform in it."""

from __future__ import annotations

import os
from pathlib import Path

import nodes
import picture_functions
import pytest
from conftest_runs import in_process
from test_image_example_gen import encoded, picture
from tfx.components import StatisticsGen, Transform

import headrace
from headrace.authoring import Pipeline
from headrace.components import ImageFolderExampleGen, SchemaGen, Trainer
from headrace.formats import protos
from headrace.orchestration.engine import start as engine
from headrace.run_options import RunOptions

_ = (in_process, nodes)  # fixtures


@pytest.fixture(scope="module")
def made(tmp_path_factory, workers):
    """The run's store; folder, and how the run ended."""
    folder = tmp_path_factory.mktemp("pictures")
    for label in ("fist", "hand", "手"):
        os.makedirs(folder / "data" / label)
        for number in range(12):
            (folder / "data" / label / f"{number}.png").write_bytes(encoded(picture("RGB", (20 + number, 16))))
    pictures = ImageFolderExampleGen(str(folder / "data"))
    statistics = StatisticsGen(examples=pictures.outputs["examples"])
    schema = SchemaGen(statistics=statistics.outputs["statistics"])
    transform = Transform(
        examples=pictures.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="picture_functions.preprocessing_fn",
    )
    trainer = Trainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        build_model=picture_functions.build_model,
        label="class",
        batch_size=8,
        train_args={"num_steps": 4},
        eval_args={"num_steps": 1},
    )
    pipeline = Pipeline("pictures", components=[pictures, statistics, schema, transform, trainer])
    store = str(folder / "store")
    return folder, store, engine.run(pipeline, RunOptions(store=store, show=False), pool=workers)


def test_pictures_become_a_model(made):
    """Every node ran."""
    _, _, result = made

    assert [node.state for node in result.nodes.values()] == ["ran"] * 5


def test_stock_statistics_know_the_pictures(made):
    """Of all rows, and each feature in each."""
    _, store, result = made
    with headrace.open_store(store) as session:
        statistics = session.artifacts(type_name="ExampleStatistics")[0]
        assert statistics
