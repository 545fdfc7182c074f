"""TFT's analyzer cache on disk, read and written without Beam.

Format of TFT (`tensorflow_transform.beam.analyzer_cache`): a folder for each dataset, with a pickled
`MANIFEST` from entry key to number, each entry's elements as `{number}-00000-of-00001.gz` (TFRecord), and
the size of the data as `METADATA-00000-of-00001` (TFRecord).
"""

from __future__ import annotations

import glob
import os
import pickle
import shutil
from collections.abc import Collection, Mapping
from typing import Any

from headrace.components.transform.tft_library import analyzer_cache
from headrace.io import tfrecord

_MANIFEST = "MANIFEST"
_METADATA = "METADATA-00000-of-00001"
_BATCH = 100_000

Entries = Mapping[analyzer_cache.DatasetKey, Mapping[bytes, list[bytes]]]


def read(
    path: str, datasets: Collection[analyzer_cache.DatasetKey]
) -> dict[analyzer_cache.DatasetKey, analyzer_cache.DatasetCache]:
    """Read what a cache folder holds for `datasets`; one that it does not know is left out.

    A manifest that does not load counts as none: the data is then analyzed, as in TFT.
    """
    found = {}
    for dataset in datasets:
        folder = os.path.join(path, dataset.key)
        manifest = _read_manifest(folder)
        if manifest:
            entries = {
                key: _read_records(os.path.join(glob.escape(folder), f"{number}-*-of-*"))
                for key, number in manifest.items()
            }
            metadata = _read_records(os.path.join(glob.escape(folder), f"{_METADATA[:8]}-*-of-*"))
            size = analyzer_cache.DatasetCacheMetadata.decode(metadata[0]) if metadata else None
            found[dataset] = analyzer_cache.DatasetCache(entries, size)
    return found


def write(
    path: str,
    entries: Entries,
    sizes: Mapping[analyzer_cache.DatasetKey, int],
    earlier_path: str | None,
    datasets: Collection[analyzer_cache.DatasetKey],
) -> None:
    """Write a cache folder: what an earlier one holds for `datasets`, and `entries` beside it."""
    os.makedirs(path, exist_ok=True)
    for dataset in datasets:
        earlier = os.path.join(earlier_path, dataset.key) if earlier_path else ""
        if earlier and os.path.isdir(earlier):
            shutil.copytree(earlier, os.path.join(path, dataset.key), dirs_exist_ok=True)
    for dataset, by_key in entries.items():
        folder = os.path.join(path, dataset.key)
        os.makedirs(folder, exist_ok=True)
        manifest = _read_manifest(folder)
        first = max(manifest.values()) + 1 if manifest else 0
        for number, (key, elements) in enumerate(by_key.items(), first):
            with tfrecord.Writer(os.path.join(folder, f"{number}-00000-of-00001.gz")) as writer:
                writer.write(elements)
            manifest[key] = number
        if dataset in sizes:
            with tfrecord.Writer(os.path.join(folder, _METADATA)) as writer:
                writer.write([analyzer_cache.DatasetCacheMetadata(sizes[dataset]).encode()])
        with open(os.path.join(folder, _MANIFEST), "wb") as file:
            file.write(pickle.dumps(manifest, protocol=0))


def _read_manifest(folder: str) -> dict[bytes, int]:
    try:
        with open(os.path.join(folder, _MANIFEST), "rb") as file:
            manifest: Any = pickle.load(file)
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _read_records(pattern: str) -> list[bytes]:
    return [
        record
        for path in sorted(glob.glob(pattern))
        for records in tfrecord.read_batches(path, _BATCH)
        for record in records
    ]
