"""A whole pipeline in a folder whose path has signs of file patterns in it."""

import os
import subprocess
import sys

PIPELINE = """
import os

import tensorflow_model_analysis as tfma

from headrace.components import CsvExampleGen, Evaluator, SchemaGen, StatisticsGen, Trainer, Transform
from headrace.sdk import Pipeline


def preprocessing_fn(inputs):
    import tensorflow_transform as tft

    words = tft.compute_and_apply_vocabulary(inputs["w"])
    return {"x": tft.scale_to_z_score(inputs["x"]), "y": inputs["y"], "w": words}


def run_fn(fn_args):
    import tensorflow as tf

    assert [path for pattern in fn_args.train_files for path in tf.io.gfile.glob(pattern)]

    class Model(tf.Module):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serve(self, examples):
            parsed = tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([1], tf.float32)})
            return {"output": self.factor * parsed["x"]}

    model = Model()
    tf.saved_model.save(model, fn_args.serving_model_dir, signatures=model.serve)


def create_pipeline():
    rows = CsvExampleGen(input_base=os.path.abspath("data"))
    examples = rows.outputs["examples"]
    statistics = StatisticsGen(examples=examples)
    infer = SchemaGen(statistics=statistics.outputs["statistics"])
    schema = infer.outputs["schema"]
    transform = Transform(examples=examples, schema=schema, preprocessing_fn=preprocessing_fn)
    trainer = Trainer(examples, schema=schema, run_fn=run_fn)
    bound = tfma.MetricThreshold(value_threshold=tfma.GenericValueThreshold(upper_bound={"value": 1e9}))
    config = tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(label_key="y")],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=[
            tfma.MetricsSpec(metrics=[tfma.MetricConfig(class_name="MeanSquaredError", threshold=bound)])
        ],
    )
    evaluator = Evaluator(examples=examples, model=trainer.outputs["model"], eval_config=config)
    return Pipeline("odd", components=[rows, statistics, infer, transform, trainer, evaluator])
"""


def test_a_pipeline_runs_in_a_folder_with_signs_of_patterns(tmp_path):
    """[ ] * ? in the path of a project are part of its name, for the reading of data, models and evaluations."""
    folder = tmp_path / "proj [v1]*?"
    (folder / "data").mkdir(parents=True)
    rows = "".join(f"{row / 7},{row / 3},w{row % 5}\n" for row in range(90))
    (folder / "data" / "a.csv").write_text(f"x,y,w\n{rows}")
    (folder / "p.py").write_text(PIPELINE)
    headrace = os.path.join(os.path.dirname(sys.executable), "headrace")

    done = subprocess.run([headrace, "run", "p.py", "--plain"], cwd=folder, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Transform: done" in done.stdout
    assert "Evaluator: done" in done.stdout
    assert not [name for name in os.listdir(tmp_path) if name != folder.name]
