"""User code in TFX's own form, which stock components and Headrace's run alike. Keras 3."""

from __future__ import annotations

import os

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.tuner.component import TunerFnResult
from tfx_bsl.tfxio import dataset_options

from headrace.models.exporters import export_model

FEATURES = ("trip_miles", "fare", "trip_seconds")
LABEL = "big_tip"
BATCH_SIZE = 50


def preprocessing_fn(inputs):
    """Scale three numbers, number a word, and make the label."""
    outputs = {name: tft.scale_to_z_score(_dense(inputs[name], 0)) for name in FEATURES}
    outputs["payment"] = tft.compute_and_apply_vocabulary(
        _dense(inputs["payment_type"], ""), num_oov_buckets=1
    )
    outputs[LABEL] = tf.cast(_dense(inputs["tips"], 0) > 0.2 * _dense(inputs["fare"], 0), tf.int64)
    return outputs


def _dense(values, default):
    if not isinstance(values, tf.SparseTensor):
        return tf.cast(values, tf.float32) if values.dtype != tf.string else values
    shape = [values.dense_shape[0], 1]
    values = tf.sparse.to_dense(tf.SparseTensor(values.indices, values.values, shape), default)
    return tf.cast(values, tf.float32) if values.dtype != tf.string else values


def run_fn(fn_args):
    """Train on the transformed rows and save with the two signatures that the other components call."""
    units = (fn_args.hyperparameters or {}).get("values", {}).get("units", 8)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    keras.utils.set_random_seed(1)
    model = _model(units)
    model.fit(
        _rows(fn_args, fn_args.train_files, transform_output),
        steps_per_epoch=fn_args.train_steps,
        validation_data=_rows(fn_args, fn_args.eval_files, transform_output),
        validation_steps=fn_args.eval_steps,
        callbacks=[keras.callbacks.CSVLogger(os.path.join(fn_args.model_run_dir, "epochs.csv"))],
        verbose=0,
    )
    export_model(model, fn_args.serving_model_dir, transform_graph_path=fn_args.transform_graph_path)


def tuner_fn(fn_args):
    """Two trials over the width of the hidden layer."""
    import keras_tuner

    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    tuner = keras_tuner.RandomSearch(
        lambda values: _model(values.Choice("units", [4, 8])),
        objective="val_loss",
        max_trials=2,
        seed=1,
        directory=fn_args.working_dir,
        project_name="swap",
    )
    rows = {
        "x": _rows(fn_args, fn_args.train_files, transform_output),
        "validation_data": _rows(fn_args, fn_args.eval_files, transform_output),
        "steps_per_epoch": fn_args.train_steps,
        "validation_steps": fn_args.eval_steps,
    }
    return TunerFnResult(tuner=tuner, fit_kwargs=rows)


def _model(units):
    inputs = {name: keras.Input((1,), name=name) for name in FEATURES}
    hidden = keras.layers.Dense(units, activation="relu")(keras.layers.concatenate(list(inputs.values())))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(loss="binary_crossentropy", metrics=["binary_accuracy"])
    return model


def _rows(fn_args, files, transform_output):
    options = dataset_options.TensorFlowDatasetOptions(batch_size=BATCH_SIZE, label_key=LABEL)
    schema = transform_output.transformed_metadata.schema
    rows = fn_args.data_accessor.tf_dataset_factory(files, options, schema)
    return rows.map(lambda features, label: ({name: features[name] for name in FEATURES}, label)).repeat()
