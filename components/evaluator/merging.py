"""What is wrong with how TFMA makes one accumulator of several, put right where this module is imported.

Five of TFMA's combiners (mean errors, cross entropies, flip rates, prediction difference, cosine similarity; 0.47
and 0.52) take the first of the accumulators that they are to merge and then go through all of them: handed a
list, as by Beam, they count the first twice. Handed an iterator, all of TFMA's combiners are right.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam

from headrace.components.evaluator import keras_metrics, tfma_internals

_METRICS = "tensorflow_model_analysis.metrics."
_MERGE = "merge_accumulators"


def _by_iterator(merge: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(merge)
    def merge_accumulators(self: Any, accumulators: Iterable[Any]) -> Any:
        return merge(self, iter(accumulators))

    return merge_accumulators


def _mend() -> None:
    """Hand an iterator to each of TFMA's combiners, those that err and those that may begin to."""
    modules = [module for name, module in sys.modules.items() if name.startswith(_METRICS)]
    classes = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, beam.CombineFn)
        and value.__module__ == module.__name__
    }
    for combiner in classes:
        merge = vars(combiner).get(_MERGE)
        if merge is not None and not hasattr(merge, "__wrapped__"):
            setattr(combiner, _MERGE, _by_iterator(merge))


_mend()

if tfma_internals.ComputationsCombineFn is not None:

    class Computations(tfma_internals.ComputationsCombineFn):
        """TFMA's combiner of all metrics of a slice, with Keras metrics that can be added up."""

        def setup(self, *arguments: Any, **named: Any) -> None:
            """Set up each metric's combiner."""
            combiners = tfma_internals.combiners_of(self)
            if combiners is None:
                super().setup(*arguments, **named)
            for combiner in combiners or []:
                keras_metrics.set_up(combiner)


@contextlib.contextmanager
def mended() -> Iterator[None]:
    """Let a pipeline that TFMA builds in this context use `Computations`."""
    if tfma_internals.ComputationsCombineFn is None:
        yield
        return
    tfma_internals.set_computations(Computations)
    try:
        yield
    finally:
        tfma_internals.set_computations(tfma_internals.ComputationsCombineFn)
