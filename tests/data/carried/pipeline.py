"""A small pipeline whose last node fails until there is a file `ready`: its store is carried to the other TFX.

TFX reads the annotations of `Check` when it is defined, so this module postpones none.
"""

import os

from headrace.authoring import Pipeline, standard_artifacts
from headrace.authoring.light import authoring
from headrace.components import (
    CsvExampleGen,
    ExampleValidator,
    Pusher,
    SchemaGen,
    StatisticsGen,
    Trainer,
    Transform,
)

with authoring():
    from tfx.dsl.component.experimental.annotations import InputArtifact
    from tfx.dsl.component.experimental.decorators import component


def preprocessing_fn(inputs):
    """A number scaled, a word numbered, the label as it is."""
    import tensorflow_transform as tft

    return {
        "size_xf": tft.scale_to_z_score(inputs["size"]),
        "colour_xf": tft.compute_and_apply_vocabulary(inputs["colour"]),
        "sweet": inputs["sweet"],
    }


def build_model(features, hyperparameters):
    """A few weights."""
    import keras

    inputs = features.only(["size_xf", "colour_xf"]).inputs()
    colour = keras.layers.CategoryEncoding(features["colour_xf"].num_values, output_mode="one_hot")
    together = keras.layers.concatenate([inputs["size_xf"], colour(inputs["colour_xf"])])
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(together))


@component
def Check(model: InputArtifact[standard_artifacts.PushedModel]):
    """Fail until somebody says that all is ready."""
    if not os.path.exists("ready"):
        raise LookupError("not ready")


def create_pipeline():
    """From CSV to a pushed model."""
    rows = CsvExampleGen(input_base="data")
    examples = rows.outputs["examples"]
    statistics = StatisticsGen(examples=examples)
    schema = SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=True)
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"], fail_on="never"
    )
    transform = Transform(
        examples=examples, schema=schema.outputs["schema"], preprocessing_fn=preprocessing_fn
    )
    trainer = Trainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        build_model=build_model,
        label="sweet",
        epochs=1,
    )
    pusher = Pusher(
        model=trainer.outputs["model"],
        push_destination={"filesystem": {"base_directory": os.path.abspath("serving")}},
    )
    check = Check(model=pusher.outputs["pushed_model"])
    return Pipeline(
        "carried", components=[rows, statistics, schema, validator, transform, trainer, pusher, check]
    )
