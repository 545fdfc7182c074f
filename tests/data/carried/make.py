"""Make the store that is carried from the installed TFX to the other one: `python tests/data/carried/make.py`.

It runs `pipeline.py` on rows made here, up to the node that fails, and packs into `tfx-1.16.tar.gz`, or
whichever TFX it is, the folder of that run, and beside the pushed model what it answered.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
NUM_ROWS = 120
COLOURS = ("red", "green", "yellow")


def main() -> None:
    """Write the archive."""
    version = ".".join(importlib.metadata.version("tfx").split(".")[:2])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_rows(place / "data")
        shutil.copy(HERE / "pipeline.py", place)
        done = subprocess.run([sys.executable, "-m", "headrace", "run", "pipeline.py", "--plain"], cwd=place)
        if done.returncode != 1:
            sys.exit("The run was to fail at its last node.")
        (place / "answers.json").write_text(json.dumps(answers(place)))
        with tarfile.open(HERE / f"tfx-{version}.tar.gz", "w:gz") as archive:
            for name in (".headrace", "answers.json", "data", "serving"):
                archive.add(place / name, name)


def write_rows(folder: Path) -> None:
    """Write fruits: small, red ones are sweet."""
    lines = ["size,colour,sweet\n"]
    for row in range(NUM_ROWS):
        size, colour = row * 7 % 50 / 10, COLOURS[row * 5 % 7 % 3]
        lines.append(f"{size},{colour},{int(size < 3 and colour == 'red')}\n")
    folder.mkdir()
    (folder / "data.csv").write_text("".join(lines))


def requests() -> list[bytes]:
    """Return serialized `tf.Example`s: what the pushed model is asked."""
    import tensorflow as tf

    return [
        tf.train.Example(
            features=tf.train.Features(
                feature={
                    "size": tf.train.Feature(float_list=tf.train.FloatList(value=[size])),
                    "colour": tf.train.Feature(bytes_list=tf.train.BytesList(value=[colour.encode()])),
                }
            )
        ).SerializeToString()
        for size in (0.5, 4.5)
        for colour in COLOURS
    ]


def answers(place: Path) -> list[float]:
    """Return what the pushed model in a folder answers to `requests`."""
    import tensorflow as tf

    [version] = (place / "serving").iterdir()
    model = tf.saved_model.load(str(version))
    answered = model.signatures["serving_default"](examples=tf.constant(requests()))
    return [float(value) for value in answered["probabilities"].numpy().ravel()]


if __name__ == "__main__":
    main()
