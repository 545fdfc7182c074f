"""The taxi CSV of the `tfx` wheel, as long as a benchmark wants it."""

from __future__ import annotations

import importlib.util
import os
import random


def source_path() -> str:
    """Return the path of the 15,002-row CSV in the wheel, without importing `tfx`."""
    spec = importlib.util.find_spec("tfx")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("tfx is not installed here: make set-up.")
    home = spec.submodule_search_locations[0]
    return os.path.join(home, "examples", "chicago_taxi_pipeline", "data", "simple", "data.csv")


def write_csv(folder: str, num_rows: int, seed: int = 1) -> None:
    """Write `data.csv` into a folder: the rows of the wheel, then the same rows shuffled anew, and so on."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "data.csv")
    if os.path.exists(path):
        return
    with open(source_path(), encoding="utf-8") as file:
        header, *rows = file.read().splitlines()
    shuffle = random.Random(seed).shuffle
    with open(f"{path}.unfinished", "w", encoding="utf-8") as out:
        print(header, file=out)
        left = num_rows
        while left:
            taken = rows[:left]
            out.write("\n".join(taken) + "\n")
            left -= len(taken)
            shuffle(rows)
    os.replace(f"{path}.unfinished", path)


def write_wide_csv(folder: str, num_columns: int, num_rows: int, seed: int = 1) -> None:
    """Write `data.csv` with columns of integers, floats and words in turn; one cell in fifty is empty."""
    os.makedirs(folder, exist_ok=True)
    if os.path.exists(os.path.join(folder, "data.csv")):
        return
    chooser = random.Random(seed)
    words = [f"word{number}" for number in range(100)]

    def cell(column: int) -> str:
        if chooser.random() < 0.02:
            return ""
        kind = column % 3
        if kind == 0:
            return str(chooser.randrange(1000))
        return f"{chooser.random():.6f}" if kind == 1 else chooser.choice(words)

    with open(os.path.join(folder, "data.csv"), "w", encoding="utf-8") as out:
        print(",".join(f"column{column}" for column in range(num_columns)), file=out)
        for _ in range(num_rows):
            print(",".join(cell(column) for column in range(num_columns)), file=out)
