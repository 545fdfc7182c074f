"""Arrays with something for each row, which a stage leaves on the disk batch by batch, so that no file's rows pile up."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace import files


class RowArrays:
    """Arrays in a folder.

    Args:
        folder: The folder, which the workers of the stage share.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def save(self, name: str, part: int, batch: int, array: NDArray[Any]) -> None:
        """Leave what there is of the rows of a batch, by its number in the part and that of the part."""
        np.save(os.path.join(self._folder, f"{name}-{part:06}-{batch:09}.npy"), array)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array over all rows, in the order of parts and batches; it stays on the disk."""
        target = os.path.join(self._folder, f"{name}.npy")
        if not os.path.exists(target):
            pattern = re.compile(rf"{re.escape(name)}-\d{{6}}-\d{{9}}\.npy")
            own = sorted(entry for entry in files.names_in(self._folder) if pattern.fullmatch(entry))
            _join([os.path.join(self._folder, entry) for entry in own], target)
        found: NDArray[Any] = np.load(target, mmap_mode="r")
        return found


def _join(paths: list[str], target: str) -> None:
    """Write the arrays of files one behind another, one at a time, and remove the files."""
    shapes = []
    for path in paths:
        piece = np.load(path, mmap_mode="r")
        shapes.append((piece.shape, piece.dtype))
    num_rows = sum(shape[0] for shape, _ in shapes)
    if not num_rows:
        np.save(target, np.zeros((0, 2), np.uint64))
        return
    (_, *tail), dtype = shapes[0]
    whole: NDArray[Any] = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
        target, "w+", dtype, (num_rows, *tail)
    )
    at = 0
    for path in paths:
        piece = np.load(path)
        whole[at : at + len(piece)] = piece
        at += len(piece)
        os.remove(path)
