"""TFX's own taxi example, run by TFX alone, in a process of its own: what Headrace's results are held against.

As a script: `python stock_taxi.py FOLDER` leaves `root/`, `metadata.db` and `module/` in FOLDER.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

# After the example's own 1,000 steps its accuracy is anything from 0.775 to 0.815, by the random seed; after these
# it stays within 0.004.
TRAIN_STEPS = 3000
EVAL_STEPS = 150
MODULE_NAME = "taxi_utils_native_keras.py"
PIPELINE_NAME = "stock_taxi"


def run_in_its_own_process(folder: Path) -> None:
    """Run the pipeline on all 15,002 rows; raise with the log's end where it fails."""
    # The example's model is Keras 2; TensorFlow Transform asks for it too late for TensorFlow's own imports.
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        [sys.executable, os.path.abspath(__file__), str(folder)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-5000:])


def use_beam_in_process(patch: Any = None) -> None:
    """Give stock components, with no Beam arguments, Beam's runner in this process.

    Beam's default downloads a binary at each run. A name in the pipeline's Beam arguments would make TFX
    package its own source tree for each Beam component.

    Args:
        patch: Pytest's monkeypatch, to undo it.
    """
    from apache_beam.options.pipeline_options import StandardOptions

    set_attribute = patch.setattr if patch is not None else setattr
    set_attribute(StandardOptions, "DEFAULT_RUNNER", "FnApiRunner")


def copy_module(folder: Path) -> str:
    """Copy the example's module alone into a folder: TFX's cache key covers every `.py` file beside it."""
    from tfx.examples import chicago_taxi_pipeline

    path = folder / "module" / MODULE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        shutil.copy(os.path.join(os.path.dirname(chicago_taxi_pipeline.__file__), MODULE_NAME), path)
    return str(path)


def connection(folder: Path) -> Any:
    """Return the connection to the store of the stock run."""
    from tfx.orchestration import metadata

    return metadata.sqlite_metadata_connection_config(str(folder / "metadata.db"))


def payload(folder: Path, node_id: str, key: str) -> str:
    """Return the folder of the only artifact that a node of the stock run made under an output key."""
    [path] = (folder / "root" / node_id / key).iterdir()
    return str(path)


def main(folder: Path) -> None:
    """Run the example up to the trained model."""
    import tfx.v1 as tfx

    from headrace.pipelines.taxi.pipeline import taxi_data_root

    use_beam_in_process()
    module = copy_module(folder)
    example_gen = tfx.components.CsvExampleGen(input_base=taxi_data_root())
    examples = example_gen.outputs["examples"]
    statistics_gen = tfx.components.StatisticsGen(examples=examples)
    schema_gen = tfx.components.SchemaGen(
        statistics=statistics_gen.outputs["statistics"], infer_feature_shape=True
    )
    schema = schema_gen.outputs["schema"]
    validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema
    )
    transform = tfx.components.Transform(examples=examples, schema=schema, module_file=module)
    trainer = tfx.components.Trainer(
        module_file=module,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema,
        train_args=tfx.proto.TrainArgs(num_steps=TRAIN_STEPS),
        eval_args=tfx.proto.EvalArgs(num_steps=EVAL_STEPS),
    )
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            PIPELINE_NAME,
            pipeline_root=str(folder / "root"),
            components=[example_gen, statistics_gen, schema_gen, validator, transform, trainer],
            metadata_connection_config=connection(folder),
            enable_cache=True,
        )
    )
    # Beam's and TensorFlow's threads take seconds to end.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
