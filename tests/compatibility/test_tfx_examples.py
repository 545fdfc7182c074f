"""TFX's own examples run with `headrace run FILE`, unchanged: those whose data come with TFX or are small.

The examples look for their data below the home folder, which is a temporary one here.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import stored

EXAMPLES_PATH = Path(__import__("tfx").__file__).parent / "examples"
TAXI_PATH = EXAMPLES_PATH / "chicago_taxi_pipeline"
_MEASURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
_NAMES = ("culmen_length_mm", "culmen_depth_mm", "flipper_length_mm", "body_mass_g")
_SPECIES = ("Adelie", "Chinstrap", "Gentoo")


def headrace_run(home: Path, script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "headrace", "run", str(script), "--plain"],
        cwd=home,
        env={**os.environ, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=900,
    )


def states(home: Path) -> dict[str, str]:
    """How each node of the latest run ended: the store remembers where the example keeps its metadata."""
    return {node.node_id: node.state.value for node in stored.read_run(str(home / ".headrace")).nodes}


def write_penguins(folder: Path, with_species: bool = True) -> None:
    """Write the penguins as the example wants them: measures between 0 and 1, species by number."""
    import palmerpenguins

    source = Path(palmerpenguins.__file__).parent / "data" / "penguins.csv"
    with open(source, encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if all(row[name] not in ("", "NA") for name in _MEASURES)]
    columns = [[float(row[name]) for row in rows] for name in _MEASURES]
    scaled = [[(value - min(column)) / (max(column) - min(column)) for value in column] for column in columns]
    folder.mkdir(parents=True)
    with open(folder / "penguins_processed.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("species", *_NAMES) if with_species else _NAMES)
        for index, row in enumerate(rows):
            species = [_SPECIES.index(row["species"])] if with_species else []
            writer.writerow((*species, *(column[index] for column in scaled)))


def test_the_hello_world_component_runs(tmp_path: Path):
    script = tmp_path / "taxi_pipeline_hello.py"
    shutil.copy(EXAMPLES_PATH / "custom_components/hello_world/example/taxi_pipeline_hello.py", script)
    shutil.copytree(TAXI_PATH / "data", tmp_path / "data")
    # What it shows does not depend on how many rows there are.
    rows = tmp_path / "data" / "simple" / "data.csv"
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:501]))

    done = headrace_run(tmp_path, script)
    again = headrace_run(tmp_path, script)

    assert done.returncode == 0, done.stdout + done.stderr
    assert again.returncode == 0, again.stdout + again.stderr
    assert states(tmp_path) == {
        "CsvExampleGen": "cached",
        "HelloComponent": "cached",
        "StatisticsGen": "cached",
    }


def test_the_container_components_are_refused(tmp_path: Path):
    script = EXAMPLES_PATH / "custom_components/container_components/download_grep_print_pipeline.py"
    copied = tmp_path / "pipeline.py"
    shutil.copy(script, copied)
    with open(copied, "a", encoding="utf-8") as file:
        file.write(
            "\nfrom tfx import v1 as tfx\nfrom tfx.orchestration.local.local_dag_runner import LocalDagRunner\n"
            "LocalDagRunner().run(tfx.dsl.Pipeline('grep', 'root', components=create_pipeline_component_instances("
            "text_url='a', pattern='b')))\n"
        )

    done = headrace_run(tmp_path, copied)

    assert done.returncode == 2
    assert "is a container component" in done.stderr


@pytest.mark.long
def test_the_taxi_example_runs(tmp_path: Path):
    taxi = tmp_path / "taxi"
    shutil.copytree(TAXI_PATH / "data", taxi / "data")
    for file in TAXI_PATH.glob("taxi_utils*.py"):
        shutil.copy(file, taxi)

    done = headrace_run(tmp_path, TAXI_PATH / "taxi_pipeline_native_keras.py", TF_USE_LEGACY_KERAS="1")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = states(tmp_path)
    assert set(found.values()) == {"done"}, found


def test_an_example_for_airflow_names_what_it_lacks(tmp_path: Path):
    done = headrace_run(tmp_path, TAXI_PATH / "taxi_pipeline_simple.py")

    assert done.returncode == 2
    assert (
        "taxi_pipeline_simple.py:34, <module>:\n    ModuleNotFoundError: No module named 'airflow'"
        in done.stderr
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "script", ["penguin_pipeline_local.py", "experimental/penguin_pipeline_sklearn_local.py"]
)
def test_the_penguin_examples_run(script: str, tmp_path: Path):
    penguin = tmp_path / "penguin"
    shutil.copytree(EXAMPLES_PATH / "penguin", penguin)
    write_penguins(penguin / "data" / "labelled")
    write_penguins(penguin / "data" / "unlabelled", with_species=False)
    # Its tuner makes a Keras 2 model, and KerasTuner takes Keras 3 alone, under TFX's runners too.
    text = (penguin / script).read_text()
    (penguin / script).write_text(
        text.replace("enable_tuning=(flags.FLAGS.model_framework == 'keras')", "enable_tuning=False")
    )

    done = headrace_run(tmp_path, penguin / script, TF_USE_LEGACY_KERAS="1")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = states(tmp_path)
    # Nobody made a cache for Transform before.
    assert found.pop("transform_cache_resolver", "skipped") == "skipped"
    assert set(found.values()) == {"done"}
