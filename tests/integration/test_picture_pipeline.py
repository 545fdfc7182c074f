"""A pipeline of pictures from folders to a model, with stock TFX's StatisticsGen and Transform in it."""

from __future__ import annotations

import os
from pathlib import Path

import picture_functions
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2
from test_image_example_gen import encoded, picture
from tfx.components import StatisticsGen, Transform

from headrace.authoring import Pipeline
from headrace.components import ImageFolderExampleGen, SchemaGen, Trainer
from headrace.orchestration.engine import start as engine
from headrace.orchestration.runners.in_process import InProcess
from headrace.run_options import RunOptions
from headrace.store.results import NodeState

_NUM_PICTURES = 36


def _run(folder, *components):
    """Run components in the store of this file, in this process."""
    pipeline = Pipeline("pictures", components=list(components))
    return engine.run(pipeline, RunOptions(store=str(folder / "store"), show=False), pool=InProcess())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder, and how the run ended."""
    folder = tmp_path_factory.mktemp("pictures")
    for label in ("fist", "hand", "手"):
        os.makedirs(folder / "data" / label)
        for number in range(12):
            (folder / "data" / label / f"{number}.png").write_bytes(
                encoded(picture("RGB", (20 + number, 16)))
            )
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
    return folder, _run(folder, pictures, statistics, schema, transform, trainer)


def test_pictures_become_a_model(made):
    """Every node ran."""
    _, result = made

    assert [node.error for node in result.nodes] == [None] * 5
    assert {node.state for node in result.nodes} == {NodeState.DONE}


def test_stock_statistics_are_of_all_pictures(made):
    """Each feature is in each row, and sizes are those of the files."""
    _, result = made
    (uri,) = [output.uri for output in result.nodes[1].outputs]
    datasets = []
    for split in ("train", "eval"):
        content = Path(uri, f"Split-{split}", "FeatureStats.pb").read_bytes()
        datasets += statistics_pb2.DatasetFeatureStatisticsList.FromString(content).datasets

    assert sum(dataset.num_examples for dataset in datasets) == _NUM_PICTURES
    for dataset in datasets:
        features = {".".join(feature.path.step): feature for feature in dataset.features}
        assert sorted(features) == ["channels", "format", "height", "image", "label", "path", "width"]
        assert features["height"].num_stats.mean == 16
        assert features["label"].string_stats.common_stats.num_missing == 0


def test_the_same_pictures_are_not_read_again(made):
    """Under a new time; one picture in another folder is another input."""
    folder, _result = made
    path = folder / "data" / "hand" / "3.png"
    os.utime(path, (1, 1))

    again = _run(folder, ImageFolderExampleGen(str(folder / "data")))
    assert again.nodes[0].state is NodeState.CACHED

    path.rename(folder / "data" / "fist" / "33.png")
    moved = _run(folder, ImageFolderExampleGen(str(folder / "data")))
    assert moved.nodes[0].state is NodeState.DONE
