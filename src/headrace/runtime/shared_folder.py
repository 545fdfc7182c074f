"""How a Beam stage hands what it found to the process that started it.

Each element leaves one file in a folder that Beam's workers and that process share. The process knows how many elements
there are: one whose result is lost is an error, not fewer rows, and one that a worker did twice counts once. A combining
step in Beam would merge in an order that differs from run to run, and so do the last digits of sums.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from headrace.errors import ExecutorError, listed
from headrace.files import open_file, whole_files

Result = TypeVar("Result")

_MAX_NAMED = 3


@dataclass(frozen=True)
class SharedFolder(Generic[Result]):
    """The results of one stage, those of its elements 0, 1, 2 ...

    Attributes:
        path: The folder.
        stage: What the stage is called in messages, such as `"Transform: Beam stage 'apply'"`.
        num_results: How many elements there are.
    """

    path: str
    stage: str
    num_results: int

    @classmethod
    def make(cls, parent: str, stage: str, num_results: int) -> SharedFolder[Result]:
        """Make a folder for a stage in another one, such as the execution's temporary folder."""
        os.makedirs(parent, exist_ok=True)
        # Pickles of this execution: nobody else may read them or put one here.
        return cls(tempfile.mkdtemp(prefix="results-", dir=parent), stage, num_results)

    def keep(self, index: int, result: Result) -> None:
        """Keep the result of element `index`; it takes the place of one that is there.

        Raises:
            ExecutorError: If there is no such element, or this process does not see the folder.
        """
        if not 0 <= index < self.num_results:
            raise ExecutorError(
                f"{self.stage} has {self.num_results} elements, and one numbered {index} has a result.",
                "this is a fault of the component.",
            )
        try:
            with whole_files.written(self._file(index)) as file:
                pickle.dump(result, file)
        except FileNotFoundError as error:
            raise ExecutorError(
                f"{self.stage}: a worker of Beam does not see the folder {self.path}.", self._fix
            ) from error

    def check(self) -> None:
        """See that each element has left its result.

        Raises:
            ExecutorError: If one has not.
        """
        lost = [index for index in range(self.num_results) if not os.path.isfile(self._file(index))]
        if lost:
            named = listed([str(index) for index in lost[:_MAX_NAMED]])
            more = f" and {len(lost) - _MAX_NAMED} more" if len(lost) > _MAX_NAMED else ""
            raise ExecutorError(
                f"{self.stage}: the results of {len(lost)} of {self.num_results} elements are lost, of those numbered "
                f"{named}{more}.",
                self._fix,
            )

    def read(self) -> Iterator[Result]:
        """Yield the results in the order of their elements.

        Raises:
            ExecutorError: If one is lost or damaged.
        """
        self.check()
        for index in range(self.num_results):
            yield self.result(index)

    def result(self, index: int) -> Result:
        """Return the result of element `index`.

        Raises:
            ExecutorError: If it is lost or damaged.
        """
        try:
            with open_file(self._file(index)) as file:
                result: Result = pickle.load(file)
        except (EOFError, pickle.UnpicklingError) as error:
            raise ExecutorError(
                f"{self.stage}: the result of the element numbered {index} is damaged: {error}.",
                self._fix,
            ) from error
        except FileNotFoundError as error:
            raise ExecutorError(
                f"{self.stage}: the result of the element numbered {index} is lost.", self._fix
            ) from error
        return result

    def _file(self, index: int) -> str:
        return os.path.join(self.path, f"{index}.pickle")

    @property
    def _fix(self) -> str:
        return (
            "run the node again. If Beam's workers run on other machines, give these the file system of this one: "
            f"the folder {os.path.dirname(self.path)} and the pipeline root."
        )
