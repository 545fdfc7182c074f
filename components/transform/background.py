"""Work that goes on behind the thread that processes.

Encoding, gzip and TensorFlow leave Python's lock, so threads use both cores within one Beam bundle.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

_END = object()


class Behind:
    """Calls a function for each item on another thread, in order.

    Leaving the context waits for the last call, and raises what any of them raised.
    """

    def __init__(self, function: Callable[[Any], None], depth: int = 2) -> None:
        self._function = function
        self._waiting: queue.Queue[Any] = queue.Queue(maxsize=depth)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._consume, name="write behind", daemon=True)

    def __enter__(self) -> Behind:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._waiting.put(_END)
        self._thread.join()
        if kind is None and self._failure is not None:
            raise self._failure

    def put(self, item: Any) -> None:
        """Hand over one item; waits while `depth` of them are waiting."""
        if self._failure is not None:
            raise self._failure
        self._waiting.put(item)

    def _consume(self) -> None:
        while (item := self._waiting.get()) is not _END:
            if self._failure is None:
                try:
                    self._function(item)
                except BaseException as error:
                    self._failure = error
