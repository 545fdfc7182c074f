"""Produce items in one thread while another uses them.

Arrow, zlib and file reads let go of Python's global lock, so parsing the next block and compressing the
last one take two cores.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

_SECONDS_BETWEEN_LOOKS = 0.1


@dataclass(frozen=True)
class _End(Generic[Item]):
    error: BaseException | None


def prefetched(items: Iterator[Item], num_ahead: int = 1) -> Iterator[Item]:
    """Yield `items` in their order, while a thread makes the next ones.

    Args:
        items: Used in the other thread only.
        num_ahead: How many finished items may wait.

    Raises:
        Exception: What `items` raises, after the items before it.
    """
    waiting: queue.Queue[Item | _End[Item]] = queue.Queue(num_ahead)
    stopped = threading.Event()

    def put(item: Item | _End[Item]) -> None:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Full:
                continue
            return

    def produce() -> None:
        try:
            for item in items:
                put(item)
                if stopped.is_set():
                    return
        except BaseException as error:
            put(_End(error))
        else:
            put(_End(None))

    thread = threading.Thread(target=produce, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        thread.join()
