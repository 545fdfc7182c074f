"""Pictures in folders to Examples, beside what a person would write: pictures a second, and ratios.

::

    python tests/benchmarks/sources_images.py FOLDER [--pictures 20000] [--kinds signs,photos]

FOLDER gets the pictures, made here: `signs` are PNG of 64 x 64, `photos` JPEG of 320 x 240. Each way runs in a process of
its own, after its imports, `--repeats` times in turn; the best time of each counts. `keras` iterates over
`tf.keras.utils.image_dataset_from_directory` to its end, which decodes and resizes and keeps nothing; `loop` reads each
file in Python, decodes it with Pillow to see that it can be, and writes a `tf.train.Example` into gzipped TFRecords; `raw`
is that loop without the decoding, so without a word on what is broken.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import time
from typing import Any

WAYS = ("ours", "keras", "loop", "raw")
_SIZES = {"signs": (64, 64), "photos": (240, 320)}
_CLASSES = 20


def make(folder: str, kind: str, num_pictures: int) -> None:
    """Write the pictures, unless they are there."""
    import numpy as np
    from PIL import Image

    if os.path.isdir(folder):
        return
    chooser = np.random.default_rng(7)
    height, width = _SIZES[kind]
    encoded = []
    for _ in range(50):
        small = chooser.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
        out = io.BytesIO()
        picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        picture.save(out, "PNG" if kind == "signs" else "JPEG", quality=90)
        encoded.append(out.getvalue())
    suffix = "png" if kind == "signs" else "jpg"
    for index in range(num_pictures):
        place = os.path.join(folder, f"class-{index % _CLASSES:02d}")
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, f"{index:06d}.{suffix}"), "wb") as file:
            file.write(encoded[index % len(encoded)])


def ours(folder: str, out: str, kind: str) -> float:
    """The executor of ImageFolderExampleGen, with the side processes that a worker lends it."""
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import standard_artifacts

    from headrace.components import ImageFolderExampleGen
    from headrace.components.example_gen.source_executor import Executor
    from headrace.runtime import services
    from headrace.runtime.processes.side_processes import SideProcesses, num_processors

    declared = ImageFolderExampleGen(folder).exec_properties
    examples = standard_artifacts.Examples()
    examples.uri = out
    os.makedirs(out)
    context = BaseBeamExecutor.Context(tmp_dir=f"{out}.tmp", unique_id="1")
    started = time.perf_counter()
    with services.lent(services.Services(side_processes=SideProcesses(num_processors()))):
        Executor(context).Do(
            {}, {"examples": [examples]}, {k: v for k, v in declared.items() if v is not None}
        )
    return time.perf_counter() - started


def keras(folder: str, out: str, kind: str) -> float:
    """Keras' own reading, to its end."""
    import tensorflow as tf

    started = time.perf_counter()
    dataset = tf.keras.utils.image_dataset_from_directory(folder, image_size=_SIZES[kind], shuffle=False)
    for _ in dataset.prefetch(tf.data.AUTOTUNE):
        pass
    return time.perf_counter() - started


def loop(folder: str, out: str, kind: str, *, decodes: bool = True) -> float:
    """What one writes by hand."""
    import tensorflow as tf
    from PIL import Image

    def feature(value: Any) -> Any:
        if isinstance(value, int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    started = time.perf_counter()
    with tf.io.TFRecordWriter(out, "GZIP") as writer:
        for label in sorted(os.listdir(folder)):
            for name in sorted(os.listdir(os.path.join(folder, label))):
                with open(os.path.join(folder, label, name), "rb") as file:
                    data = file.read()
                values: dict[str, Any] = {"image": data, "label": label.encode(), "path": name.encode()}
                if decodes:
                    with Image.open(io.BytesIO(data)) as picture:
                        picture.load()
                        values.update(height=picture.height, width=picture.width)
                features = tf.train.Features(feature={key: feature(value) for key, value in values.items()})
                writer.write(tf.train.Example(features=features).SerializeToString())
    return time.perf_counter() - started


def raw(folder: str, out: str, kind: str) -> float:
    """The same without decoding."""
    return loop(folder, out, kind, decodes=False)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--kinds", default="signs,photos")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        out = os.path.join(given.folder, f"out-{given.way}-{time.time_ns()}")
        data = os.path.join(given.folder, given.kinds)
        print(json.dumps(globals()[given.way](data, out, given.kinds)), flush=True)
        # TensorFlow's teardown is no part of it.
        os._exit(0)
    for kind in given.kinds.split(","):
        make(os.path.join(given.folder, kind), kind, given.pictures)
        best: dict[str, float] = {}
        for _ in range(given.repeats):
            for way in WAYS:
                command = [sys.executable, __file__, given.folder, "--kinds", kind, "--way", way]
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
                seconds = float(done.stdout.split()[-1])
                best[way] = min(seconds, best.get(way, seconds))
        for way, seconds in best.items():
            rate = given.pictures / seconds
            print(
                f"{kind:7s} {way:6s} {seconds:7.2f} s {rate:8.0f} a second  {best['ours'] / seconds:5.2f} of ours"
            )


if __name__ == "__main__":
    _main()
