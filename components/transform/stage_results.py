"""How a Beam stage hands what it found to the process that started it.

Each element leaves one file in a folder that workers and that process share. A combining step in Beam would
merge in an order that differs from run to run, and so do the last digits of sums.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StageResults:
    """The results of one stage.

    Attributes:
        folder: Where they lie.
    """

    folder: str

    def keep(self, index: int, result: Any) -> None:
        """Keep the result of element `index`; a worker that repeats an element replaces it."""
        # Pickles of this execution: nobody else may put one here.
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        unfinished = os.path.join(self.folder, f"{index}.unfinished-{os.getpid()}")
        with open(unfinished, "wb") as file:
            pickle.dump(result, file)
        os.replace(unfinished, os.path.join(self.folder, f"{index}.pickle"))

    def read(self) -> Iterator[Any]:
        """Yield the results in the order of their elements."""
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        indices = sorted(int(name.removesuffix(".pickle")) for name in names if name.endswith(".pickle"))
        for index in indices:
            with open(os.path.join(self.folder, f"{index}.pickle"), "rb") as file:
                yield pickle.load(file)
