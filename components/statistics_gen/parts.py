"""Parts of a split, and how they are read: what both ways to compute statistics share."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace import files
from headrace.authoring import Artifact
from headrace.errors import DefinitionError
from headrace.formats import artifacts, protos
from headrace.runtime.progress import Progress
from headrace.statistics import sampling

# Enough for a cluster, few enough to merge; fixed, because the parts decide how floats are summed.
_MAX_PARTS_PER_SPLIT = 64


def statistics_path(statistics: Artifact, split: str) -> str:
    """Return the file of a split's statistics."""
    return os.path.join(artifacts.new_split_folder(statistics.uri, split), protos.STATISTICS_FILE)


def with_sample_rate(options: tfdv.StatsOptions, rate: float) -> tfdv.StatsOptions:
    """Return a copy of options for a share of the rows, above 0 and at most 1."""
    copy = tfdv.StatsOptions.from_json(options.to_json())
    copy.sample_rate = None if rate == 1.0 else rate
    return copy


@dataclass(frozen=True)
class Part:
    """Some consecutive files of one split of an artifact.

    Attributes:
        split: The split.
        span: Place of the artifact among the inputs.
        index: Place of the part in the artifact.
        first_file: Place of its first file there.
        paths: Its files.
        payload: Their payload format.
        share: Their share of the bytes of that split of the artifact.
        seed: Tells the part from others of the split, by what it holds.
    """

    split: str
    span: int
    index: int
    first_file: int
    paths: tuple[str, ...]
    payload: str
    share: float = 1.0
    seed: int = 0


def parts_of(examples: Sequence[Artifact], split: str, spans: Iterable[int]) -> list[Part]:
    """Return the parts of a split in some artifacts, which `spans` names by their place."""
    found = []
    for span in spans:
        paths = artifacts.split_files(examples[span], split)
        payload = artifacts.payload_format(examples[span])
        sizes = files.sizes_of(paths)
        total = sum(sizes) or 1
        step = -(-len(paths) // _MAX_PARTS_PER_SPLIT)
        found += [
            Part(
                split,
                span,
                index,
                first,
                tuple(paths[first : first + step]),
                payload,
                sum(sizes[first : first + step]) / total,
                _seed_of(artifacts.content_digest(examples[span]) or str(span), split, index),
            )
            for index, first in enumerate(range(0, len(paths), step))
        ]
    return found


def _seed_of(content: str, split: str, index: int) -> int:
    """Return what tells a part from others in a sample of all, wherever its files lie.

    Args:
        content: Digest of the artifact, or its place where there is none.
        split: The split.
        index: Place of the part in the artifact.
    """
    digest = hashlib.sha256(f"{content} {split} {index}".encode()).digest()
    return int.from_bytes(digest[:7], "big")


def read_schema(options: tfdv.StatsOptions) -> schema_pb2.Schema | None:
    """Return the schema to read with: only where the options ask to read no more than it names.

    Raises:
        DefinitionError: If they do, and there is none.
    """
    if not options.experimental_filter_read_paths or options.feature_allowlist:
        return None
    if options.schema is None:
        raise DefinitionError(
            "experimental_filter_read_paths needs a schema or a feature_allowlist.",
            "connect the input 'schema', or leave the option out.",
        )
    return options.schema


class ReadPart(beam.DoFn):
    """Reads a part as record batches, sampled as the options of its split say.

    Args:
        options: By split.
        progress: Gets the splits that are read, and the rows.
    """

    def __init__(self, options: Mapping[str, tfdv.StatsOptions], progress: Progress) -> None:
        self._options = {split: item.to_json() for split, item in options.items()}
        self._progress = progress
        self._reported = ""

    def process(self, part: Part) -> Iterator[Any]:
        if part.split != self._reported:
            self._progress.report(f"computing statistics of {part.split}")
            self._reported = part.split
        options = tfdv.StatsOptions.from_json(self._options[part.split])
        for offset, path in enumerate(part.paths):
            yield from sampling.read_sampled(
                path,
                part.payload,
                read_schema(options),
                options.sample_rate,
                seed=part.first_file + offset,
                progress=self._progress,
            )
