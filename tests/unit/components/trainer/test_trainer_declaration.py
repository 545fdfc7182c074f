"""Trainer's declaration: what it records, and what it refuses."""

from __future__ import annotations

import json

import pytest

from headrace.authoring import Channel, standard_artifacts
from headrace.authoring.light import authoring
from headrace.components.trainer.component import Trainer
from headrace.errors import ConnectionTypeError, DefinitionError, UserFunctionError

with authoring():
    from tfx.proto import trainer_pb2


def run_fn(fn_args):
    """A function at the top level of a module."""


@pytest.fixture
def examples():
    return Channel(type=standard_artifacts.Examples)


@pytest.fixture
def module_file(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("def run_fn(fn_args):\n    pass\n")
    return str(path)


def test_properties_are_those_of_stock(examples, module_file):
    """The encodings that TFX's own executor reads."""
    trainer = Trainer(
        examples,
        module_file=module_file,
        train_args=trainer_pb2.TrainArgs(splits=["train"], num_steps=100),
        custom_config={"units": 10},
    )
    assert trainer.exec_properties == {
        "train_args": '{\n  "num_steps": 100,\n  "splits": [\n    "train"\n  ]\n}',
        "eval_args": "{}",
        "module_file": module_file,
        "run_fn": None,
        "custom_config": '{"units": 10}',
        "build_model": None,
        "label": None,
        "batch_size": None,
        "epochs": None,
        "patience": None,
        "seed": None,
        "augment": None,
        "class_balance": None,
        "features": None,
        "callbacks": None,
        "monitor": None,
        "min_delta": None,
        "keep": None,
        "tensorboard": None,
    }
    assert Trainer.get_class_type() == "tfx.components.trainer.component.Trainer"
    assert sorted(trainer.outputs) == ["model", "model_run"]


def test_a_function_object_becomes_a_dotted_path(examples):
    """Stock TFX's executor reads no other form."""
    trainer = Trainer(examples, run_fn=run_fn)
    assert trainer.exec_properties["run_fn"] == f"{run_fn.__module__}.run_fn"


def test_short_form_parameters_are_recorded(examples, tmp_path):
    """Each under its own name, so that a configuration can change one."""
    (tmp_path / "m.py").write_text("def build_model(features, hyperparameters):\n    pass\n")
    trainer = Trainer(
        examples,
        build_model=f"{tmp_path}/m.py:build_model",
        label="tips",
        batch_size=40,
        epochs=2,
        patience=0,
    )
    recorded = {key: value for key, value in trainer.exec_properties.items() if value is not None}
    assert recorded["build_model"] == f"{tmp_path}/m.py:build_model"
    assert (recorded["label"], recorded["batch_size"], recorded["epochs"], recorded["patience"]) == (
        "tips",
        40,
        2,
        0,
    )


def test_module_file_may_define_build_model_only(examples, tmp_path):
    """A file without run_fn means the short form."""
    (tmp_path / "m.py").write_text("def build_model(features, hyperparameters):\n    pass\n")
    Trainer(examples, module_file=f"{tmp_path}/m.py", label="tips")


def test_module_file_without_either(examples, tmp_path):
    """The reader sees which functions are looked for."""
    path = tmp_path / "m.py"
    path.write_text("def train():\n    pass\n")
    with pytest.raises(UserFunctionError) as caught:
        Trainer(examples, module_file=str(path))
    assert str(caught.value) == (
        f"Trainer: module_file: {path} has neither of the functions 'build_model', 'run_fn'.\n"
        "  Fix: define run_fn or build_model at the top level of the file."
    )


def test_missing_module_file(examples):
    """The reader sees the path."""
    with pytest.raises(UserFunctionError, match=r"^Trainer: module_file: there is no file 'no/model.py' "):
        Trainer(examples, module_file="no/model.py")


def test_syntax_error_in_the_module_file(examples, tmp_path):
    """The reader sees the line."""
    (tmp_path / "m.py").write_text("x = 1\ndef run_fn(:\n")
    with pytest.raises(UserFunctionError, match=r"m.py:2: "):
        Trainer(examples, module_file=f"{tmp_path}/m.py")


def test_two_functions(examples, module_file):
    """The reader sees the ways there are, and the two that were used."""
    with pytest.raises(DefinitionError) as caught:
        Trainer(examples, module_file=module_file, run_fn=run_fn)
    assert str(caught.value) == (
        "Trainer: exactly one of 'build_model', 'module_file', 'run_fn' is needed. Given: 'module_file', 'run_fn'.\n"
        "  Fix: name the user function in one way."
    )


def test_no_function(examples):
    """A ValueError, as in stock TFX."""
    with pytest.raises(ValueError, match="Given: none"):
        Trainer(examples)


def test_examples_given_twice_or_never(examples, module_file):
    """Exactly one set of examples."""
    with pytest.raises(DefinitionError, match="both of examples and transformed_examples given"):
        Trainer(examples, examples, module_file=module_file)
    with pytest.raises(DefinitionError, match="neither of examples and transformed_examples given"):
        Trainer(module_file=module_file)
    with pytest.raises(DefinitionError, match="transformed_examples is given without transform_graph"):
        Trainer(transformed_examples=examples, module_file=module_file)


def test_short_form_parameters_need_the_short_form(examples):
    """run_fn would ignore them in silence."""
    with pytest.raises(DefinitionError, match="'batch_size', 'label' belongs to the short form"):
        Trainer(examples, run_fn=run_fn, label="tips", batch_size=3)


def test_numbers_are_checked(examples, tmp_path):
    """The reader sees the bound."""
    (tmp_path / "m.py").write_text("def build_model(features, hyperparameters):\n    pass\n")
    with pytest.raises(DefinitionError, match="Trainer: batch_size is 0; it must be 1 or more"):
        Trainer(examples, module_file=f"{tmp_path}/m.py", batch_size=0)


def test_wrong_channel(module_file):
    """An input of another type is refused."""
    with pytest.raises(ConnectionTypeError):
        Trainer(Channel(type=standard_artifacts.Schema), module_file=module_file)


@pytest.mark.parametrize(
    ("given", "train", "evaluate"),
    [
        ({"eval_split": "valid"}, {}, {"splits": ["valid"]}),
        (
            {"train_split": ["train", "more"], "train_args": {"num_steps": 5}},
            {"num_steps": 5, "splits": ["train", "more"]},
            {},
        ),
        (
            {"eval_split": "valid", "eval_args": trainer_pb2.EvalArgs(num_steps=3)},
            {},
            {"num_steps": 3, "splits": ["valid"]},
        ),
        ({"eval_split": "valid", "eval_args": '{"num_steps": 3}'}, {}, {"num_steps": 3, "splits": ["valid"]}),
    ],
)
def test_splits_in_short_are_those_of_the_arguments(examples, module_file, given, train, evaluate):
    """Recorded as TFX records them: there is nothing new in the cache key."""
    properties = Trainer(examples, module_file=module_file, **given).exec_properties
    assert json.loads(properties["train_args"]) == train
    assert json.loads(properties["eval_args"]) == evaluate


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"eval_split": "valid", "eval_args": {"splits": ["eval"]}},
            "Trainer: eval_split is ['valid'], and eval_args names splits too: ['eval'].",
        ),
        ({"train_split": "no name"}, "Trainer: train_split: 'no name' cannot be the name of a split."),
    ],
)
def test_splits_in_short_that_cannot_be(examples, module_file, given, problem):
    """Named twice, or with no name of a folder."""
    with pytest.raises(DefinitionError) as caught:
        Trainer(examples, module_file=module_file, **given)
    assert caught.value.problem == problem
