"""Transform's declaration: what it records, and what it refuses before anything runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headrace.authoring import Channel, RuntimeParameter, standard_artifacts
from headrace.authoring.light import authoring
from headrace.components.transform import Transform
from headrace.errors import ConnectionTypeError, DefinitionError, UserFunctionError

with authoring():
    from tfx.proto import transform_pb2

STATISTICS = {
    "pre_transform_schema": "Schema",
    "pre_transform_stats": "ExampleStatistics",
    "post_transform_schema": "Schema",
    "post_transform_stats": "ExampleStatistics",
    "post_transform_anomalies": "ExampleAnomalies",
}


def preprocessing_fn(inputs):
    """A function at the top level of a module."""


def stats_options_updater_fn(stats_type, stats_options):
    """Another one."""


@pytest.fixture
def inputs():
    return {
        "examples": Channel(type=standard_artifacts.Examples),
        "schema": Channel(type=standard_artifacts.Schema),
    }


@pytest.fixture
def module_file(tmp_path):
    path = tmp_path / "features.py"
    path.write_text("def preprocessing_fn(inputs):\n    return inputs\n")
    return str(path)


def types_of(transform):
    return {key: channel.type_name for key, channel in transform.outputs.items()}


def test_it_has_the_outputs_and_the_type_of_the_stock_component(inputs, module_file):
    """A store written by either is read by both."""
    transform = Transform(**inputs, module_file=module_file)

    assert types_of(transform) == {
        "transform_graph": "TransformGraph",
        "transformed_examples": "Examples",
        "updated_analyzer_cache": "TransformCache",
        **STATISTICS,
    }
    assert transform.type == "tfx.components.transform.component.Transform"
    assert transform.exec_properties["module_file"] == module_file


def test_options_leave_outputs_out(inputs, module_file):
    """What is not made is not declared."""
    transform = Transform(
        **inputs,
        module_file=module_file,
        materialize=False,
        disable_analyzer_cache=True,
        disable_statistics=True,
    )

    assert types_of(transform) == {"transform_graph": "TransformGraph"}
    assert transform.exec_properties["disable_statistics"] == 1


def test_a_function_object_is_recorded_by_its_dotted_path(inputs):
    """The stock executor imports this form too."""
    transform = Transform(
        **inputs,
        preprocessing_fn=preprocessing_fn,
        stats_options_updater_fn=f"{__name__}:stats_options_updater_fn",
    )

    assert transform.exec_properties["preprocessing_fn"] == f"{__name__}.preprocessing_fn"
    assert transform.exec_properties["stats_options_updater_fn"] == f"{__name__}.stats_options_updater_fn"
    assert transform.exec_properties["module_file"] is None


def test_parameters_keep_the_stock_encodings(inputs, module_file):
    """Integers for flags, JSON text for the rest."""
    transform = Transform(
        **inputs,
        module_file=module_file,
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=["eval"]),
        force_tf_compat_v1=True,
        custom_config={"factor": 2},
    )

    assert transform.exec_properties["custom_config"] == '{"factor": 2}'
    assert transform.exec_properties["force_tf_compat_v1"] == 1
    assert transform.exec_properties["splits_config"] == (
        '{\n  "analyze": [\n    "train"\n  ],\n  "transform": [\n    "eval"\n  ]\n}'
    )


def test_a_runtime_parameter_is_taken_as_it_is(inputs):
    """Its value is known when the pipeline runs."""
    parameter = RuntimeParameter(name="module", ptype=str)
    transform = Transform(**inputs, module_file=parameter)

    assert transform.exec_properties["module_file"].name == "module"


@pytest.mark.parametrize(("given", "words"), [({}, "neither"), ({"both": True}, "both")])
def test_exactly_one_source_of_the_function(inputs, module_file, given, words):
    """The reader sees whether there are too many or too few."""
    functions = {"module_file": module_file, "preprocessing_fn": preprocessing_fn} if given else {}
    with pytest.raises(DefinitionError) as caught:
        Transform(**inputs, **functions)

    verb = "are" if given else "is"
    assert str(caught.value) == (
        f"Transform: {words} of module_file and preprocessing_fn {verb} given, and exactly one is needed.\n"
        "  Fix: give preprocessing_fn='module:function', or module_file='file.py' that defines "
        "preprocessing_fn."
    )


def test_a_missing_module_file_is_found_at_once(inputs):
    """Not when the node runs."""
    with pytest.raises(UserFunctionError) as caught:
        Transform(**inputs, module_file="no/such/features.py")

    assert caught.value.problem.startswith(
        "Transform: module_file: there is no file 'no/such/features.py' (looked in "
    )


def test_a_missing_function_is_found_with_what_there_is(inputs, module_file):
    """The likely typo is named."""
    with pytest.raises(UserFunctionError) as caught:
        Transform(**inputs, preprocessing_fn=f"{module_file}:preprocesing_fn")

    assert caught.value.problem.startswith(f"Transform: preprocessing_fn: {module_file} has no function")
    assert "did you mean 'preprocessing_fn'?" in caught.value.fix


def test_a_module_that_does_not_exist(inputs):
    """Named, with the Python path as the thing to look at."""
    with pytest.raises(UserFunctionError) as caught:
        Transform(**inputs, preprocessing_fn="no_such_module:preprocessing_fn")

    assert str(caught.value) == (
        "Transform: preprocessing_fn: there is no module 'no_such_module' on the Python path.\n"
        "  Fix: correct its name, or run the command in the folder that holds it."
    )


def test_options_that_contradict_each_other(inputs, module_file):
    """Each says which two."""
    with pytest.raises(DefinitionError, match="disable_analyzer_cache is True"):
        Transform(
            **inputs,
            module_file=module_file,
            disable_analyzer_cache=True,
            analyzer_cache=Channel(type=standard_artifacts.TransformCache),
        )
    with pytest.raises(DefinitionError, match="stats_options_updater_fn is given beside module_file"):
        Transform(**inputs, module_file=module_file, stats_options_updater_fn=stats_options_updater_fn)
    with pytest.raises(DefinitionError, match="splits_config names no split to analyze"):
        Transform(**inputs, module_file=module_file, splits_config=transform_pb2.SplitsConfig())


def test_an_input_of_another_type(inputs, module_file):
    """A schema where Examples belong."""
    with pytest.raises(ConnectionTypeError):
        Transform(inputs["schema"], inputs["schema"], module_file=module_file)


def test_the_declaration_loads_no_heavy_library():
    """`headrace --help` and a cached run never pay for TensorFlow."""
    code = (
        "import sys; import headrace.components.transform; "
        "print([m for m in ('tensorflow', 'apache_beam', 'pyarrow', 'numpy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
