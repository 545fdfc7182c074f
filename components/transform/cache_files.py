"""TFT's analyzer cache on disk, read and written without Beam.

Format of TFT (`tensorflow_transform.beam.analyzer_cache`): a folder for each dataset, with a pickled
`MANIFEST` from entry key to number, each entry's elements as `{number}-00000-of-00001.gz` (TFRecord), and
the size of the data as `METADATA-00000-of-00001` (TFRecord).
"""

from __future__ import annotations

import contextlib
import glob
import os
import pickle
from collections.abc import Collection, Mapping
from typing import Any

from headrace.authoring import Artifact
from headrace.components.transform import plain_pickles
from headrace.components.transform.tft_library import analyzer_cache
from headrace.files import copy_folder, create_file, matching, open_file
from headrace.formats.examples import tfrecord

# What stands for the code that made a cache, where Headrace ran it.
_MAKER_PROPERTY = "headrace_maker"
_MANIFEST = "MANIFEST"
_METADATA = "METADATA-00000-of-00001"
_BATCH = 100_000
_PROTOCOLS = {bytes([protocol]) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)}

Entries = Mapping[analyzer_cache.DatasetKey, Mapping[bytes, list[bytes]]]


def sign(cache: Artifact, maker: str) -> None:
    """Say in the artifact which code, parameters and files its entries come from, where that is known.

    Args:
        cache: The artifact.
        maker: Stands for them; see `PartialResults.maker`.
    """
    if maker:
        cache.set_string_custom_property(_MAKER_PROPERTY, maker)


def may_be_used(cache: Artifact, maker: str) -> bool:
    """Whether a cache is not known to come from other code, parameters or files than those of `maker`."""
    known = (str(cache.get_string_custom_property(_MAKER_PROPERTY)), maker)
    return not all(known) or known[0] == known[1]


def read(
    path: str, datasets: Collection[analyzer_cache.DatasetKey]
) -> dict[analyzer_cache.DatasetKey, analyzer_cache.DatasetCache]:
    """Read what a cache folder holds for `datasets`; one that it does not know is left out.

    What does not load counts as none, be it damaged or not of TFT's making: the data is then analyzed, as in TFT.
    """
    plain_pickles.install()
    found = {}
    for dataset in datasets:
        folder = os.path.join(path, dataset.key)
        manifest = _read_manifest(folder)
        if manifest:
            with contextlib.suppress(Exception):
                entries = {key: _read_entry(folder, number) for key, number in manifest.items()}
                metadata = _read_records(os.path.join(glob.escape(folder), f"{_METADATA[:8]}-*-of-*"))
                found[dataset] = analyzer_cache.DatasetCache(entries, _read_size(metadata))
    return found


def _read_entry(folder: str, number: int) -> list[bytes]:
    elements = _read_records(os.path.join(glob.escape(folder), f"{number}-*-of-*"))
    for element in elements:
        if element[:1] == pickle.PROTO and element[1:2] in _PROTOCOLS:
            # Seen before it is used: what cannot be decoded would fail every later execution.
            plain_pickles.load_sketch(element)
    return elements


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
            copy_folder(earlier, os.path.join(path, dataset.key))
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
        with create_file(os.path.join(folder, _MANIFEST)) as file:
            file.write(pickle.dumps(manifest, protocol=0))


def _read_manifest(folder: str) -> dict[bytes, int]:
    try:
        with open_file(os.path.join(folder, _MANIFEST)) as file:
            manifest: Any = plain_pickles.load_values(file.read())
    except Exception:
        # Damaged, or a pickle that names classes or functions, which a manifest never does.
        return {}
    is_manifest = isinstance(manifest, dict) and all(
        isinstance(key, bytes) and isinstance(number, int) for key, number in manifest.items()
    )
    return manifest if is_manifest else {}


def _read_size(records: list[bytes]) -> analyzer_cache.DatasetCacheMetadata | None:
    with contextlib.suppress(Exception):
        return analyzer_cache.DatasetCacheMetadata(**plain_pickles.load_values(records[0]))
    return None


def _read_records(pattern: str) -> list[bytes]:
    return [
        record
        for path in matching(pattern)
        for records in tfrecord.read_batches(path, _BATCH)
        for record in records
    ]
