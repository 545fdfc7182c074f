"""Projects that `headrace new` wrote, used as a person would: run, and tested."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from headrace.pipelines.penguin.pipeline import penguin_data_root


def _headrace(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "headrace", *words]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HEADRACE_SERVER": "0"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _accuracy(result: dict[str, Any]) -> float:
    evaluation = next(node for node in result["nodes"] if node["node_id"] == "Evaluator")
    summary = next(one["summary"] for one in evaluation["outputs"] if one["key"] == "evaluation")
    return float(re.search(r"sparse_categorical_accuracy ([\d.]+)", summary)[1])


@pytest.mark.long
def test_penguins_are_told_apart_without_an_edit(tmp_path: Path):
    """From a file to a pushed model by two commands, as good as the reference: scikit-learn's network has 0.948."""
    data = os.path.join(penguin_data_root(), "penguins.csv")

    _headrace(tmp_path, "new", "penguins", "--data", data, "--label", "species")
    made = tmp_path / "penguins"
    result = json.loads(_headrace(made, "run", "--json"))

    assert {node["state"] for node in result["nodes"]} == {"done"}
    assert _accuracy(result) >= 0.94
    assert list((made / "serving").iterdir())


def _draw_corners(folder: Path) -> None:
    """Pictures told apart by where a spot is alone: train/ and test/, and in each a folder for each corner."""
    for split, count in (("train", 24), ("test", 8)):
        for corner, (x, y) in {"left": (6, 6), "right": (22, 6), "below": (14, 22)}.items():
            (folder / split / corner).mkdir(parents=True)
            for number in range(count):
                picture = Image.new("RGB", (32, 32), (number * 5, 40, 90 - number * 3))
                left, top = x + number % 3 - 1, y + number // 3 % 3 - 1
                colour = (255, 255 - number * 4, 120 + number * 5)
                ImageDraw.Draw(picture).ellipse((left - 4, top - 4, left + 4, top + 4), fill=colour)
                picture.save(folder / split / corner / f"{number}.png")


def test_pictures_are_told_apart_and_a_second_run_does_nothing(tmp_path: Path):
    """A mean over the picture knows no place; folders of splits stay apart."""
    _draw_corners(tmp_path / "spots")

    _headrace(tmp_path, "new", "made", "--data", "spots", "--yes")
    result = json.loads(_headrace(tmp_path / "made", "run", "--json", "--set", "epochs=20"))
    again = json.loads(_headrace(tmp_path / "made", "run", "--json", "--set", "epochs=20"))

    rows = next(node for node in result["nodes"] if node["node_id"] == "ImageFolderExampleGen")
    summary = rows["outputs"][0]["summary"]
    assert summary == "eval 24 rows, train 72 rows; files found: 96; folders(names={'test': 'eval'})"
    assert _accuracy(result) >= 0.9
    # There is a baseline now, with which the Evaluator compares.
    ran = {node["node_id"] for node in again["nodes"] if node["state"] != "cached"}
    assert ran == {"LatestBlessedModel", "Evaluator"}


@pytest.fixture
def odd_rows(tmp_path: Path) -> Path:
    """A table with columns of each kind, and names that need care."""
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "size, cm", 'col "x"', "when", "note/text", "gr\u00f6\u00dfe", "y"])
        for number in range(60):
            size = "NA" if number % 9 == 0 else number * 1.37 % 11
            colour, day = "rgb"[number % 3], f"{13 + number % 9}/01/2025"
            writer.writerow(
                [number, size, colour, day, f"some words about {number}", number * 0.7 % 5, number % 4 // 3]
            )
    return path


def test_the_tests_of_a_project_pass_as_they_are_written(tmp_path: Path, odd_rows: Path):
    """Features are made of columns of each kind, and a network learns from them."""
    _headrace(tmp_path, "new", "odd", "--data", str(odd_rows), "--label", "y")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "odd",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
