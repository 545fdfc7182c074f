"""A Beam step whose elements go to the side processes, where there are some. Importing this loads Beam."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam

from headrace.runtime.beam_internals import pickler
from headrace.runtime.processes.side_processes import SideProcesses

_NO_SIDE_INPUT = "no side input"


class Spread(beam.DoFn):
    """Does what another `DoFn` does, each element in whatever side process is idle.

    For steps of few, large elements, such as files, on the in-process runner. On other runners, and without
    side processes, the step runs where Beam calls it. The order of outputs is Beam's; an element's outputs
    are held until it is done.

    Args:
        dofn: Uses `setup` and `process`, with at most one side input, and no bundle methods.
        side_processes: Those of the execution.
        is_local: Whether it works in this process all the same, because what it uses lives here alone.
    """

    def __init__(self, dofn: beam.DoFn, side_processes: SideProcesses, *, is_local: bool = False) -> None:
        self._side_processes = side_processes
        self._is_local = is_local
        self._pickled = pickler.dumps(dofn)
        self._key = hashlib.sha256(self._pickled).hexdigest()
        self._process: Callable[..., Any] | None = None

    def setup(self) -> None:
        """Load the step here, unless side processes will."""
        if self._is_local or not len(self._side_processes):
            self._process = _load(self._pickled)

    def process(self, element: Any, side_input: Any = _NO_SIDE_INPUT) -> Iterable[Any]:
        """Return the outputs of one element."""
        arguments = [element] if side_input == _NO_SIDE_INPUT else [element, side_input]
        if self._process is not None:
            return self._process(*arguments)
        found: list[Any] = self._side_processes.call(self._key, self._pickled, _load, arguments)
        return found


def _load(pickled: bytes) -> Callable[..., list[Any]]:
    dofn = pickler.loads(pickled)
    dofn.setup()

    def process(*arguments: Any) -> list[Any]:
        return list(dofn.process(*arguments) or ())

    return process
