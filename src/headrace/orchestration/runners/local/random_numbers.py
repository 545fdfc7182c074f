"""Random numbers in processes that are forked: each node draws its own, and those that its code seeded."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from typing import Any


def state() -> tuple[object, ...]:
    """Return what Python's and NumPy's next random numbers depend on; it is changed by seeding and by drawing."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is None:
        return (random.getstate(),)
    name, keys, *rest = numpy_random.get_state()
    return random.getstate(), name, keys.tobytes(), *rest


def seed_again() -> None:
    """Let NumPy draw other numbers than the process that this one was forked from; Python's own do so by themselves."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def keeps_generator(modules: Iterable[Any]) -> bool:
    """Whether modules have a generator of random numbers among their names."""
    kinds: list[type] = [random.Random]
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        kinds += [numpy_random.BitGenerator, numpy_random.Generator, numpy_random.RandomState]
    # By its type: what stands in for something, and loads it when asked, is left alone.
    return any(
        issubclass(type(value), tuple(kinds)) for module in modules for value in list(vars(module).values())
    )
