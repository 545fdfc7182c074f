"""What a server that stays spares: the taxi pipeline with another learning rate, until its first training step.

    python tests/benchmarks/warm.py --repeats 3

Each run is a process of its own, on a store that has all but the model: with a server of its own, and with one that
stayed from the run before. Printed: the least seconds from the command to what the run says, and a chain of ten trivial
function components in the same two ways. The last line is what no server can spare: the same model built, compiled and
trained for one step by Keras alone, in a fork of a process that has it loaded.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from start import ways

from headrace.orchestration.runners.servers import stop_servers

_TAXI = """
import json, sys, time

import headrace
from headrace.pipelines.taxi import pipeline as taxi

started, rate, server = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "warm"
seen = set()


def tell(name):
    if name not in seen:
        seen.add(name)
        print(name, time.time() - started, sep="\\t", flush=True)


def listen(event):
    kind = type(event).__name__
    if kind == "RunStarted":
        tell("run started")
    elif getattr(event, "node_id", "") == "Trainer":
        doing = getattr(event, "doing", "Trainer started")
        tell("first step" if " step " in doing else doing)


pipeline = taxi.create_pipeline(train_steps=100, eval_steps=10)
trainer = next(node for node in pipeline.components if node.id == "Trainer")
trainer.exec_properties["custom_config"] = json.dumps({"learning_rate": rate})
result = headrace.run(pipeline, to_nodes=["Trainer"], listener=listen, show=False, server=server)
tell("run ended")
"""


_KERAS = """
import os, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf
from headrace.pipelines.taxi import model as taxi

if os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))


class Feature:
    def __init__(self, name):
        self.name, self.dtype = name, "int64" if name in wide else "float32"

    def input(self):
        return keras.Input((1,), name=self.name, dtype=self.dtype)


class Tell(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if not batch:
            print("first step", time.perf_counter() - started, "processor", time.process_time() - used, sep="\\t")


wide = {taxi.transformed(name) for name in taxi._wide_sizes()}
names = [*map(taxi.transformed, taxi.taxi.DENSE_FLOATS), *wide]
columns = {name: np.zeros((10_000, 1), "int64" if name in wide else "float32") for name in names}
started, used = time.perf_counter(), time.process_time()
model = taxi.build_model({name: Feature(name) for name in names}, {})
model.compile("adam", "binary_crossentropy", metrics=["binary_accuracy"])
data = tf.data.Dataset.from_tensor_slices((columns, np.zeros((10_000, 1)))).repeat().batch(128)
model.fit(data, steps_per_epoch=1, verbose=0, callbacks=[Tell()])
"""


def plain(folder: Path) -> str:
    """Take the first step with Keras alone; return what it says: seconds, and seconds of the processors."""
    (folder / "plain.py").write_text(_KERAS)
    command = [sys.executable, "plain.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def timeline(folder: Path, rate: float, server: str) -> dict[str, float]:
    """Run the taxi pipeline with a learning rate; return when it said what, in seconds from the command."""
    command = [sys.executable, "taxi.py", repr(time.time()), repr(rate), server]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    lines = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 1]
    return {name: float(seconds) for name, seconds in lines}


def chain(folder: Path, server: str) -> float:
    """Run a chain of ten components with nothing in its store; return its seconds."""
    way = ways(10)[0]
    for name, text in way.files.items():
        (folder / name).write_text(text)
    time.sleep(0.5)
    command = [*way.command, "--no-cache", "--server" if server == "warm" else "--no-server"]
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Entry of the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_RUNTIME_DIR"] = name
        folder = Path(name)
        (folder / "taxi.py").write_text(_TAXI)
        # All upstream nodes, and the server.
        timeline(folder, 1.0, "warm")
        rate = 0.001
        try:
            for server in ("own", "warm"):
                found: list[dict[str, float]] = []
                for _ in range(repeats):
                    rate += 0.0001
                    found.append(timeline(folder, rate, server))
                best = min(found, key=lambda one: one["first step"])
                told = "   ".join(f"{what} {seconds:.2f}" for what, seconds in best.items())
                print(f"taxi, {server:5} {told}", flush=True)
                seconds = min(chain(folder, server) for _ in range(repeats))
                print(f"chain, {server:5} {seconds:.2f}", flush=True)
            said = min((plain(folder).split("\t") for _ in range(repeats)), key=lambda one: float(one[1]))
            print(f"Keras alone  first step {float(said[1]):.2f}, of the processors {float(said[3]):.2f}")
        finally:
            stop_servers()


if __name__ == "__main__":
    main()
