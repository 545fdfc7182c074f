"""What bad input gets: the whole message, an exit code, and a store that goes on working."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest
import stored
from stores import assert_intact

from headrace.pipelines.taxi.pipeline import taxi_data_root

HERE = Path(__file__).parent
_FARE = 'feature { name: "fare" type: FLOAT presence { min_fraction: 1.0 } shape { dim { size: 1 } } }\n'
_FILES = {
    "data/empty/data.csv": b"",
    "data/only_header/data.csv": b"x,y\n",
    "data/ragged/data.csv": b"x,y\n1,2\n3,4,5\n",
    "data/column_twice/data.csv": b"x,x\n1,2\n",
    "data/not_utf8/data.csv": b"x,y\n1,2\n3,caf\xe9\n",
    "data/late_type/data.csv": b"x\n" + b"".join(b"%d\n" % row for row in range(20_000)) + b"two\n",
    "schemas/feature_missing.pbtxt": (
        _FARE + 'feature { name: "surcharge" type: FLOAT presence { min_fraction: 1.0 } '
        "shape { dim { size: 1 } } }\n"
    ).encode(),
    "schemas/other_type.pbtxt": (
        _FARE
        + 'feature { name: "payment_type" type: INT presence { min_fraction: 1.0 } shape { dim { size: 1 } } }\n'
    ).encode(),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder of bad files, and of 1,000 good rows."""
    folder = tmp_path_factory.mktemp("project")
    with open(os.path.join(taxi_data_root(), "data.csv"), "rb") as source:
        files = {**_FILES, "data/taxi/data.csv": b"".join(source.readlines()[:1001])}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def headrace(folder, *arguments, **options):
    """Run the command line; the modules beside this file are the user's."""
    return subprocess.run(
        [sys.executable, "-m", "headrace", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HERE), "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def errors_of(folder):
    """Return the message of each node that failed in the latest run, as it is shown.

    Each ends with the command that resumes the run, which is left out here.
    """
    result = stored.read_run(str(folder / ".headrace"))
    resume = re.compile(rf"(?:, then|\. Then) run: headrace resume {result.run_id}$")
    messages = {}
    for node in result.failed:
        text = f"{type(node.error).__name__}: {node.error}".replace(str(folder), "{folder}")
        assert resume.search(text), text
        messages[node.node_id] = re.sub(r"/examples/\d+/", "/examples/N/", resume.sub("", text))
    return messages


def line_of(name, comment):
    """Return the number of the line that ends with a comment."""
    lines = (HERE / name).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {comment}"))


@pytest.fixture(scope="module")
def bad_files(project):
    """One run in which each reader meets another bad file."""
    return headrace(project, "run", "bad_runs:bad_files", "--plain")


_FILE_MESSAGES = {
    "missing": (
        "MissingFileError: missing: input_base 'data/missing' does not exist (looked in {folder}).\n"
        "  Fix: correct the path; a relative path starts at the folder where the command runs"
    ),
    "empty": (
        "EmptyDataError: empty: data/empty/data.csv is empty.\n"
        "  Fix: give a CSV file whose first line names the columns"
    ),
    "only_header": (
        "EmptyDataError: only_header: the files that match '*' in 'data/only_header' hold no rows.\n"
        "  Fix: give files with at least one row"
    ),
    "ragged": (
        "MalformedFileError: ragged: data/ragged/data.csv:3: expected 2 columns, as in the header, and found 3: "
        "3,4,5\n  Fix: correct that line; put a cell that holds a comma in double quotes"
    ),
    "column_twice": (
        "MalformedFileError: column_twice: data/column_twice/data.csv:1: the header names column 'x' twice "
        "(columns 1 and 2 of 2).\n"
        "  Fix: rename or remove one of them; each feature needs its own name"
    ),
    "not_utf8": (
        "MalformedFileError: not_utf8: data/not_utf8/data.csv:3: column 'y' holds byte 0xe9, which is not UTF-8.\n"
        "  Fix: save the file as UTF-8, for example: iconv -f latin1 -t utf-8; or say what it is: "
        'encoding="cp1252" or "latin-1"'
    ),
}


def test_each_bad_file_is_named_with_its_line(project, bad_files):
    """All of them in one run, which exits with 1; the good reader and what depends on it are done."""
    assert bad_files.returncode == 1, bad_files.stdout + bad_files.stderr
    assert bad_files.stderr == ""
    assert errors_of(project) == _FILE_MESSAGES
    result = stored.read_run(str(project / ".headrace"))
    assert result.node("late_type").state.value == "done"
    assert result.node("StatisticsGen").state.value == "done"
    assert result.node("below_ragged").reason == "upstream ragged failed"
    assert_intact(project / ".headrace")


def test_after_bad_files_a_good_run_uses_what_was_done(project, bad_files):
    """The late change of type made text of the whole column, and is served from the cache."""
    done = headrace(project, "run", "bad_runs:good_file", "--quiet")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(": 2 cached\n")


def keras_words():
    """What Keras says of a layer of the wrong rank: its versions have other words for it."""
    with pytest.raises(ValueError, match="expected min_ndim=4, found ndim=2") as caught:
        keras.layers.Conv2D(3, 3, name="conv2d")(keras.Input((1,), name="fare_xf"))
    return f"ValueError: {caught.value}"


def test_user_code_and_schemas_are_blamed_at_their_own_line(project):
    """Every mistake in one run; the good Transform and Trainer beside them are done, and reused afterwards."""
    failed = headrace(project, "run", "bad_runs:bad_code", "--plain")

    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert failed.stderr == ""
    errors = errors_of(project)
    messages = {**_CODE_MESSAGES, "build_mismatched": ("bad_models.py", "wrong rank", keras_words())}
    for node_id, (name, comment, words) in messages.items():
        place = f"{HERE / name}:{line_of(name, comment)}, {node_id}"
        assert re.sub(r"after [\d.]+ s", "after N s", errors.pop(node_id)) == (
            f"ExecutorError: {node_id} failed after N s in {place}:\n    {words}\n  Fix: correct {node_id}"
        )
    assert errors == _DATA_MESSAGES
    assert_intact(project / ".headrace")

    good = headrace(project, "run", "bad_runs:bad_code", "--set", "fix=all", "--quiet")
    assert good.returncode == 0, good.stdout + good.stderr
    assert good.stdout.endswith(": 5 cached\n")


_CODE_MESSAGES = {
    "raise_in_python": ("bad_features.py", "no such feature", "KeyError: 'fair'"),
    "raise_in_tensorflow": (
        "bad_features.py",
        "shapes do not fit",
        "ValueError: Dimensions must be equal, but are 3 and 2 for '{{node matmul}} = MatMul[T=DT_FLOAT, "
        "grad_a=false, grad_b=false, transpose_a=false, transpose_b=false](zeros, zeros_1)' with input shapes: "
        "[2,3], [2,3].",
    ),
    "build_raising": ("bad_models.py", "no such key", "KeyError: 'units'"),
}
_ANOMALIES_FIX = (
    "  Fix: correct the data; or, where the data is right, change the schema to allow it (relax presence, type, "
    "domain or comparator of the feature); or pass fail_on='never' to go on"
)
_NEW_COLUMNS = (
    *("company", "dropoff_census_tract", "dropoff_community_area", "dropoff_latitude", "dropoff_longitude"),
    *("payment_type", "pickup_census_tract", "pickup_community_area", "pickup_latitude"),
)


def _new(*names):
    return "".join(f"    train: {name}: New column (column in data but not in schema)\n" for name in names)


_DATA_MESSAGES = {
    "validate_feature_missing": (
        "AnomaliesError: validate_feature_missing: 36 anomalies stopped the pipeline (fail_on='error'):\n"
        "    train: surcharge: Column dropped (Column is completely missing)\n"
        "    eval: surcharge: Column dropped (Column is completely missing)\n"
        f"{_new(*_NEW_COLUMNS[:8])}    ... and 26 more\n{_ANOMALIES_FIX}"
    ),
    "validate_other_type": (
        "AnomaliesError: validate_other_type: 34 anomalies stopped the pipeline (fail_on='error'):\n"
        "    train: payment_type: Unexpected data type (Expected data of type: INT but got STRING)\n"
        "    eval: payment_type: Unexpected data type (Expected data of type: INT but got STRING)\n"
        f"{_new(*(name for name in _NEW_COLUMNS if name != 'payment_type'))}    ... and 24 more\n{_ANOMALIES_FIX}"
    ),
    "transform_feature_missing": (
        "SchemaMismatchError: transform_feature_missing: the data contradicts the schema: feature 'surcharge' is "
        "missing from 656 of 656 rows.\n  Fix: correct the data, or drop 'shape' of the feature in the schema so "
        "that it may be missing"
    ),
    "transform_other_type": (
        "SchemaMismatchError: transform_other_type: feature 'payment_type' is bytes_list in "
        "{folder}/.headrace/artifacts/code/CsvExampleGen/examples/N/Split-train/data_tfrecord-00000-of-00001.gz "
        "and int64_list in the schema.\n  Fix: run SchemaGen on this data, or correct the type in the schema"
    ),
    "build_exploding": (
        "TrainingError: build_exploding: the loss is NaN at step 1 (epoch 1, step 1).\n"
        "  Fix: look for NaN, infinite or very large inputs in the statistics, scale them in preprocessing_fn, or "
        "lower the learning rate"
    ),
}


_DEFINITIONS = {
    "missing_module": (
        "UserFunctionError: Transform: preprocessing_fn: there is no module 'bad_featurs' on the Python path.\n"
        "  Fix: correct its name, or run the command in the folder that holds it.\n"
    ),
    "missing_function": (
        f"UserFunctionError: Transform: preprocessing_fn: {HERE}/bad_features.py has no function "
        "'preprocesing_fn'. It has 'preprocessing_fn', 'raise_in_python', 'raise_in_tensorflow', 'use_payment', 'use_surcharge'.\n"
        "  Fix: did you mean 'preprocessing_fn'? Correct the name, or define the function.\n"
    ),
    "missing_module_file": (
        "UserFunctionError: Trainer: module_file: there is no file 'no_such_model.py' (looked in {folder}).\n"
        "  Fix: correct the path; a relative path starts at the folder where the command runs.\n"
    ),
    "wrong_type": (
        "ConnectionTypeError: SchemaGen: input 'statistics' takes ExampleStatistics, and "
        "CsvExampleGen.outputs['examples'] holds Examples.\n"
        "  Fix: connect an output of type ExampleStatistics.\n"
    ),
    "cycle": (
        "CycleError: pipeline 'bad': nodes wait for each other in a cycle: "
        "CsvExampleGen -> StatisticsGen -> SchemaGen -> CsvExampleGen.\n"
        "  Fix: remove one of these connections, or the add_upstream_node that closes the cycle.\n"
    ),
    "one_id_twice": (
        "DuplicateNodeError: pipeline 'bad': 2 nodes have the id 'StatisticsGen'.\n"
        "  Fix: give each its own id, such as .with_id('StatisticsGen_2').\n"
    ),
    "no_components": (
        "DefinitionError: pipeline 'bad' has no components.\n"
        "  Fix: list its components in Pipeline(..., components=[...]).\n"
    ),
}


@pytest.mark.parametrize("name", _DEFINITIONS)
def test_a_wrong_definition_is_refused_before_anything_starts(tmp_path, name):
    """Exit code 2, the message alone on standard error, and no store."""
    done = headrace(tmp_path, "run", f"bad_definitions:{name}", "--quiet")

    assert done.returncode == 2
    assert done.stderr == _DEFINITIONS[name].replace("{folder}", str(tmp_path))
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_key_of_the_configuration_is_refused(tmp_path):
    """With its line, the keys that exist, and the likely typo."""
    (tmp_path / "run.yaml").write_text("pipeline: taxi\nparamters:\n  train_steps: 5\n")

    done = headrace(tmp_path, "run", "--config", "run.yaml", "--quiet")

    assert done.returncode == 2
    assert done.stderr == (
        "ConfigError: run.yaml:2: unknown key 'paramters'. Keys are 'beam_pipeline_args', 'cache', 'fail', "
        "'from', 'only', 'parameters', 'pipeline', 'server', 'store', 'to', 'workers'.\n"
        "  Fix: did you mean 'parameters'? Correct or remove it.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"]
