"""What earlier executions found in one dataset, such as a span: analyzers' values, and statistics.

TFX hands an analyzer cache on where the pipeline is wired so; here every execution finds what any other one of
the same store has found in the same data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from headrace.components.transform.request import Dataset
from headrace.components.transform.tft_library import analyzer_cache, tfdv, tft
from headrace.runtime import partial_results
from headrace.runtime.partial_results import PartialResults
from headrace.statistics import accumulation

_ENTRIES_FORMAT = "analyzer cache 1"


def read_entries(kept: PartialResults, dataset: Dataset, function: str) -> analyzer_cache.DatasetCache | None:
    """Return what analyzers found in a dataset, in the form of TFT's cache; `None` where nothing is kept.

    Args:
        kept: Of the execution.
        dataset: The dataset.
        function: Tells the functions that analyze apart, as far as their graphs do; what else they are made of is
            in the key of every kept result. TFT checks each entry's own key beside it.
    """
    path = _entries_path(kept, dataset, function)
    found = partial_results.load(path)
    if found is None:
        return None
    entries, size = found
    return analyzer_cache.DatasetCache(
        entries, None if size is None else analyzer_cache.DatasetCacheMetadata(size)
    )


def write_entries(
    kept: PartialResults,
    dataset: Dataset,
    function: str,
    entries: Mapping[bytes, list[bytes]],
    size: int | None,
) -> None:
    """Keep what analyzers found in a dataset, with the size of its data in bytes."""
    partial_results.dump(_entries_path(kept, dataset, function), (dict(entries), size))


def _entries_path(kept: PartialResults, dataset: Dataset, function: str) -> str:
    return kept.path(
        dataset.content, _ENTRIES_FORMAT, tft.__version__, dataset.payload, dataset.split, function
    )


def statistics_path(
    kept: PartialResults, dataset: Dataset, options: tfdv.StatsOptions, columns: Collection[str]
) -> str:
    """Return where the state of a dataset's statistics is kept; empty where it is not."""
    try:
        text = options.to_json()
    except ValueError:
        # Generators and slice functions of the user's have no text that tells them apart.
        return ""
    return kept.path(
        dataset.content,
        accumulation.STATE_FORMAT,
        tfdv.__version__,
        text,
        dataset.payload,
        dataset.split,
        *sorted(columns),
    )
