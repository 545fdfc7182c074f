"""TransformGraph: the features that come out, their vocabularies, buckets and means, and what goes in."""

from __future__ import annotations

import os
from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.files import names_in, open_file
from headrace.formats import protos
from headrace.formats.bare_protos import proto_class
from headrace.reports.artifacts import statistics
from headrace.reports.artifacts.schemas import describe
from headrace.reports.artifacts.transform_sources import Origin, input_names, sources
from headrace.reports.blocks.blocks import Block, Facts, FeatureList, Note, Section, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.store.session import Subject
from headrace.ui.units import plural

_VOCABULARY_PREVIEW = 50
_MAX_LEARNED = 12
# Borders lie close together: 41.8781 and 41.8842 are two.
_LEARNED_DIGITS = 6
_UNKNOWN = Origin([], [], [])


def render(subject: Subject) -> list[Block]:
    """Return each output feature with its inputs and statistics, then the vocabularies."""
    root = subject.artifact.uri
    schema = protos.read_text(os.path.join(root, "transformed_metadata", "schema.pbtxt"), schema_pb2.Schema)
    outputs = describe(schema)
    graph = _read_graph(os.path.join(root, "transform_fn"))
    before = protos.read_text(os.path.join(root, "metadata", "schema.pbtxt"), schema_pb2.Schema)
    features = input_names(graph, before)
    after = subject.outputs.get("post_transform_stats", [])
    measured = statistics.try_read(after[0]) if after else {}
    vocabularies = read_vocabularies(os.path.join(root, "transform_fn", "assets"))
    facts = Facts(
        [
            ("output features", len(outputs)),
            ("input features", len(set(features.values())) or "–"),
            (
                "vocabularies",
                ", ".join(f"{name} ({len(terms):,})" for name, terms in vocabularies.items()) or "none",
            ),
        ]
    )
    table = _outputs(outputs, sources(graph, features), measured)
    blocks: list[Block] = [facts, Section("Features", [table], anchor="outputs")]
    if graph is None:
        blocks.append(
            Note("The graph cannot be read: what the outputs are made from is not known.", "warning")
        )
    if measured:
        blocks.append(_distributions(measured))
    blocks += [_vocabulary(name, terms) for name, terms in vocabularies.items()]
    return blocks


def _outputs(
    outputs: dict[str, list[Value]], origins: dict[str, Origin], measured: dict[str, statistics.Splits]
) -> Table:
    rows: list[list[Value]] = []
    for name, row in outputs.items():
        origin = origins.get(name, _UNKNOWN)
        learned = "; ".join(_learned(word, values) for word, values in origin.learned)
        inputs, operations = ", ".join(origin.inputs) or "–", ", ".join(origin.operations)
        rows.append([name, row[1], inputs, operations, learned, row[4], *_moments(measured.get(name, {}))])
    return Table(
        ["output", "type", "made from", "by", "learned", "range", "mean", "deviation"],
        rows,
        caption="Output features",
        is_sortable=True,
        footnote=f"{plural(len(rows), 'feature')}.",
    )


def _learned(word: str, values: list[float]) -> str:
    shown = ", ".join(format_number(value, _LEARNED_DIGITS) for value in values[:_MAX_LEARNED])
    shown = f"{shown}, … {len(values)} numbers" if len(values) > _MAX_LEARNED else shown
    return f"{word} {shown}".strip()


def _read_graph(path: str) -> Any:
    try:
        with open_file(os.path.join(path, "saved_model.pb")) as file:
            return proto_class("SavedModel").FromString(file.read())
    except Exception:  # a damaged proto has another exception in each protobuf generation
        return None


def _moments(splits: statistics.Splits) -> tuple[float | None, float | None]:
    one = next(iter(splits.values()), None)
    return (one.mean, one.deviation) if one is not None else (None, None)


def _distributions(measured: dict[str, statistics.Splits]) -> Section:
    names = list(dict.fromkeys(split for splits in measured.values() for split in splits))
    features = [statistics.one_line(splits, names) for splits in measured.values()]
    listed: FeatureList = statistics.feature_list(features, names)
    return Section("After the transformation", [listed], anchor="after")


def read_vocabularies(path: str) -> dict[str, list[str]]:
    """Return the terms of each vocabulary file in a folder, by file name; none where the folder is missing."""
    found = {}
    for name in names_in(path) if os.path.isdir(path) else []:
        try:
            with open_file(os.path.join(path, name)) as file:
                # By newlines alone: a term may hold what `splitlines` takes for the end of a line too.
                lines = file.read().removesuffix(b"\n").split(b"\n")
        except OSError:
            continue
        found[name] = [line.decode("utf-8", "replace") for line in lines] if lines != [b""] else []
    return found


def _vocabulary(name: str, terms: list[str]) -> Section:
    shown: list[list[Value]] = [[index, term] for index, term in enumerate(terms[:_VOCABULARY_PREVIEW])]
    left_out = f" The first {len(shown)} are shown." if len(terms) > len(shown) else ""
    table = Table(["index", "term"], shown, footnote=f"{plural(len(terms), 'term')}.{left_out}")
    return Section(f"Vocabulary {name}", [table], anchor=f"vocabulary-{name}", is_folded=True)
