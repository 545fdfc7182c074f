"""Folders of pictures or texts, with a folder for each label."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from headrace.errors import DataError, listed
from headrace.projects.look.labels import Label
from headrace.projects.look.roles import short
from headrace.projects.look.sources import Source

_NUM_OPENED = 300
_MOST_CHARACTERS = 1 << 16
_FEW = 10


@dataclass(frozen=True)
class Found:
    """What is in such a folder.

    Attributes:
        what: `"image"` or `"text"`: the feature that holds it.
        num_files: How many there are.
        is_whole: Whether each was opened.
        label: The names of the folders.
        reason: What the files are, for the table.
        notes: What stands out.
    """

    what: Literal["image", "text"]
    num_files: int
    is_whole: bool
    label: Label
    reason: str
    notes: tuple[str, ...]


def look_at(source: Source) -> Found:
    """Look at a folder of pictures or texts.

    Raises:
        DataError: If there are not two labels.
    """
    counts = Counter(map(source.label_of, source.files))
    classes = tuple(sorted(counts))
    what: Literal["image", "text"] = "image" if source.kind == "images" else "text"
    if len(classes) < 2:
        raise DataError(
            f"all {len(source.files):,} {what}s of {source.given} lie in one folder, '{classes[0]}': there is one label, "
            "and nothing to predict.",
            "put them into a folder for each label.",
        )
    # Spread over all folders, so that each kind of file is seen.
    step = max(1, len(source.files) // _NUM_OPENED)
    opened = source.files[::step]
    reason, notes = (_pictures if what == "image" else _texts)(source, opened)
    if source.empty_folders:
        notes.append(f"nothing is in {listed(source.empty_folders)}: no class is made of it.")
    if source.left_out:
        notes.append(
            f"{len(source.left_out):,} other files are not read: {', '.join(map(short, source.left_out[:3]))}."
        )
    if source.splits:
        shown = ", ".join(f"'{name}' as {split}" for name, split in source.splits.items())
        notes.append(f"folders are taken for splits, and stay apart: {shown}.")
        notes += _unlike(source, what)
    few = [name for name in classes if counts[name] < _FEW]
    if few:
        notes.append(f"with fewer than {_FEW} {what}s, {listed(few[:8])} will hardly be learned.")
    label = Label(
        ("label",),
        "binary" if len(classes) == 2 else "classes",
        f"the names of {len(classes)} folders",
        classes,
        tuple(counts[name] for name in classes),
        is_text=True,
    )
    return Found(what, len(source.files), step == 1, label, reason, tuple(notes))


def _unlike(source: Source, what: str) -> list[str]:
    """Say which labels only some of the splits have."""
    labels: dict[str, set[str]] = {folder: set() for folder in source.splits}
    for name in source.files:
        labels[name.split("/", 1)[0]].add(source.label_of(name))
    every = set().union(*labels.values())
    return [
        f"{folder} has no {what}s of {listed(sorted(every - own)[:8])}."
        for folder, own in labels.items()
        if own != every
    ]


def _pictures(source: Source, names: tuple[str, ...]) -> tuple[str, list[str]]:
    from PIL import Image, UnidentifiedImageError

    sizes: Counter[tuple[int, int]] = Counter()
    modes: Counter[str] = Counter()
    broken = []
    with source.opener() as opened, warnings.catch_warnings():
        # A picture of many pixels is only measured here.
        warnings.simplefilter("ignore")
        for name in names:
            try:
                with opened(name) as file, Image.open(file) as picture:
                    sizes[picture.size] += 1
                    modes[picture.mode] += 1
            except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
                broken.append(name)
    if not sizes:
        raise DataError(
            f"none of the files in {source.given} is a picture: {names[0]} ...", "correct --data."
        )
    (width, height), _ = sizes.most_common(1)[0]
    notes = []
    if broken:
        notes.append(
            f"{len(broken)} of {len(names)} files that were opened are no pictures: {', '.join(map(short, broken[:3]))}. "
            "They are put aside, and counted."
        )
    alike = (
        f"{width} x {height} pixels"
        if len(sizes) == 1
        else f"{len(sizes)} sizes, most often {width} x {height}"
    )
    shown = ", ".join(mode for mode, _ in modes.most_common(3))
    return f"{len(source.files):,} pictures, {alike}, {shown}", notes


def _texts(source: Source, names: tuple[str, ...]) -> tuple[str, list[str]]:
    num_words, empty, undecodable = 0, 0, 0
    with source.opener() as opened:
        for name in names:
            with opened(name) as file:
                data = file.read(_MOST_CHARACTERS)
            try:
                text = data.decode("utf-8", "strict" if len(data) < _MOST_CHARACTERS else "ignore")
            except UnicodeDecodeError:
                undecodable += 1
                continue
            empty += not text.strip()
            num_words += len(text.split())
    notes = []
    if undecodable:
        notes.append(
            f"{undecodable} of {len(names)} texts that were opened are not UTF-8: they are put aside, and counted."
        )
    if empty:
        notes.append(f"{empty} of {len(names)} texts that were opened are empty.")
    average = num_words / max(1, len(names) - undecodable)
    return f"{len(source.files):,} texts of {average:.0f} words on average", notes


def picture_size(source: Source) -> tuple[int, int, int]:
    """Return height, width and channels that these pictures are brought to: theirs, at most 128 pixels."""
    from PIL import Image

    sizes: Counter[tuple[int, int]] = Counter()
    grey = 0
    names = source.files[:: max(1, len(source.files) // 50)]
    with source.opener() as opened:
        for name in names:
            try:
                with opened(name) as file, Image.open(file) as picture:
                    sizes[picture.size] += 1
                    grey += picture.mode in ("L", "1", "I;16")
            except (OSError, ValueError, Image.DecompressionBombError):
                continue
    (width, height), _ = sizes.most_common(1)[0]
    scale = min(1.0, 128 / max(width, height))
    channels = 1 if grey == sum(sizes.values()) else 3
    return max(8, round(height * scale)), max(8, round(width * scale)), channels
