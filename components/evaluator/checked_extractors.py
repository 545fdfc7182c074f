"""TFMA's own extractors, with the checks of labels and predictions between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam

from headrace.components.evaluator import batch_checks
from headrace.components.evaluator.tfma_internals import constants, extractor, unbatch_extractor

_STAGE = "CheckLabelsAndPredictions"


def with_checks(extractors: Sequence[Any], eval_config: Any) -> list[Any]:
    """Put the checks where all is extracted, and rows are still in batches; see `batch_checks.check`.

    Args:
        extractors: TFMA's default ones, or the user's, which may work row by row from the start: then none is put in.
        eval_config: With defaults filled in.
    """
    checks = extractor.Extractor(stage_name=_STAGE, ptransform=beam.ParDo(_Check(eval_config)))
    found = list(extractors)
    names = [one.stage_name for one in found]
    if unbatch_extractor.UNBATCH_EXTRACTOR_STAGE_NAME in names:
        found.insert(names.index(unbatch_extractor.UNBATCH_EXTRACTOR_STAGE_NAME), checks)
    return found


class _Check(beam.DoFn):
    """Hands batches on, once they are checked."""

    def __init__(self, eval_config: Any) -> None:
        self._specs = list(eval_config.model_specs)
        self._readers = batch_checks.Readers.of(eval_config.metrics_specs)

    def process(self, extracts: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        num_rows = _num_rows(extracts)
        # What the user's own extractors do not make, their own metrics do not read.
        if num_rows and {constants.LABELS_KEY, constants.PREDICTIONS_KEY} <= extracts.keys():
            batch_checks.check(extracts, self._specs, self._readers, num_rows)
        yield extracts


def _num_rows(extracts: Mapping[str, Any]) -> int:
    """Rows of a batch; 0 where no extract says."""
    if constants.ARROW_RECORD_BATCH_KEY in extracts:
        return int(extracts[constants.ARROW_RECORD_BATCH_KEY].num_rows)
    serialized = extracts.get(constants.INPUT_KEY)
    return 0 if serialized is None else len(serialized)
