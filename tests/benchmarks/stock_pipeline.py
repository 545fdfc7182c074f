"""TFX's own taxi example on TFX's own LocalDagRunner, as the installed wheel carries it.

::

    python tests/benchmarks/stock_pipeline.py FOLDER

FOLDER holds `data/` with the CSV. Run it again and TFX takes every node from its cache.
"""

from __future__ import annotations

import os
import shutil
import sys


def main(folder: str) -> None:
    """Run the pipeline to its end."""
    # The example is written for Keras 2.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    from tfx.examples.chicago_taxi_pipeline import taxi_pipeline_native_keras as example
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    # Alone in its folder: TFX's cache key covers all Python files beside the module.
    module = os.path.join(folder, "module", "taxi_utils_native_keras.py")
    if not os.path.exists(module):
        os.makedirs(os.path.dirname(module))
        shutil.copy(os.path.join(os.path.dirname(example.__file__), os.path.basename(module)), module)
    LocalDagRunner().run(
        example._create_pipeline(
            pipeline_name="taxi",
            pipeline_root=os.path.join(folder, "stock", "pipeline", "artifacts"),
            data_root=os.path.join(folder, "data"),
            module_file=module,
            serving_model_dir=os.path.join(folder, "stock", "pipeline", "serving"),
            metadata_path=os.path.join(folder, "stock", "pipeline", "metadata.db"),
            # Named, because Beam's bare default tries to download another runner at every run.
            beam_pipeline_args=["--runner=FnApiRunner"],
        )
    )
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
