"""TransformGraph: the features that come out, their vocabularies, buckets and means, and what goes in."""

from __future__ import annotations

from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.errors import ModelError
from headrace.features import roles
from headrace.formats import saved_models, transform_graphs
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
    outputs = describe(transform_graphs.read_transformed_schema(root))
    graph = _read_graph(transform_graphs.model_path(root))
    features = input_names(graph, _handed_over(transform_graphs.read_raw_schema(root)))
    after = subject.outputs.get("post_transform_stats", [])
    measured = statistics.try_read(after[0]) if after else {}
    vocabularies = transform_graphs.read_vocabularies(root)
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
    origins = sources(graph, features)
    table = _outputs(outputs, origins, measured)
    blocks: list[Block] = [
        facts,
        *_choices(transform_graphs.read_choices(root), origins),
        Section("Features", [table], anchor="outputs"),
    ]
    if graph is None:
        blocks.append(
            Note("The graph cannot be read: what the outputs are made from is not known.", "warning")
        )
    if measured:
        blocks.append(_distributions(measured))
    blocks += [_vocabulary(name, terms) for name, terms in vocabularies.items()]
    return blocks


def _handed_over(schema: schema_pb2.Schema) -> schema_pb2.Schema:
    """The schema without the features that it keeps from a `preprocessing_fn`: the graph has no input for them."""
    return schema_pb2.Schema(feature=[one for one in schema.feature if not roles.disagreed(one)])


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


def _choices(choices: list[tuple[str, str, str]], origins: dict[str, Origin]) -> list[Block]:
    """What `default_preprocessing` decided, and which outputs came of it."""
    if not choices:
        return []
    made: dict[str, list[str]] = {}
    for output, origin in sorted(origins.items()):
        for name in origin.inputs:
            made.setdefault(name, []).append(output)
    rows: list[list[Value]] = [
        [feature, role, why, ", ".join(made.get(feature, [])) or "–"] for feature, role, why in choices
    ]
    table = Table(
        ["feature", "taken for", "why", "becomes"],
        rows,
        caption="What default_preprocessing took each feature for",
        footnote="Where you know better: default_preprocessing(roles={'NAME': 'number'}).",
        is_sortable=True,
    )
    return [Section("Taken for", [table], anchor="taken-for")]


def _learned(word: str, values: list[float]) -> str:
    shown = ", ".join(format_number(value, _LEARNED_DIGITS) for value in values[:_MAX_LEARNED])
    shown = f"{shown}, … {len(values)} numbers" if len(values) > _MAX_LEARNED else shown
    return f"{word} {shown}".strip()


def _read_graph(path: str) -> Any:
    try:
        return saved_models.read(path, "the transform graph")
    except ModelError:
        return None


def _moments(splits: statistics.Splits) -> tuple[float | None, float | None]:
    one = next(iter(splits.values()), None)
    return (one.mean, one.deviation) if one is not None else (None, None)


def _distributions(measured: dict[str, statistics.Splits]) -> Section:
    names = list(dict.fromkeys(split for splits in measured.values() for split in splits))
    features = [statistics.one_line(splits, names) for splits in measured.values()]
    listed: FeatureList = statistics.feature_list(features, names)
    return Section("After the transformation", [listed], anchor="after")


def _vocabulary(name: str, terms: list[str]) -> Section:
    shown: list[list[Value]] = [[index, term] for index, term in enumerate(terms[:_VOCABULARY_PREVIEW])]
    left_out = f" The first {len(shown)} are shown." if len(terms) > len(shown) else ""
    table = Table(["index", "term"], shown, footnote=f"{plural(len(terms), 'term')}.{left_out}")
    return Section(f"Vocabulary {name}", [table], anchor=f"vocabulary-{name}", is_folded=True)
