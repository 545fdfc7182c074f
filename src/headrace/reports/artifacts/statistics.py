"""ExampleStatistics: every feature of every split, the most remarkable first."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from markupsafe import Markup

from headrace.authoring import Artifact
from headrace.errors import HeadraceError, listed
from headrace.formats import artifacts, protos, quartiles
from headrace.formats import contents as content_files
from headrace.formats import descriptions as number_files
from headrace.reports.artifacts import (
    content_tables,
    correlations,
    descriptions,
    encoded_features,
    standing_out,
)
from headrace.reports.artifacts.feature_statistics import FeatureStatistics, Kept, distance, parse
from headrace.reports.blocks.blocks import (
    Block,
    Cell,
    Facts,
    Feature,
    FeatureList,
    Note,
    Picture,
    Table,
    Value,
)
from headrace.reports.blocks.drawings import Density, bars, histogram
from headrace.reports.blocks.numbers import format_number, format_share
from headrace.store.session import Subject
from headrace.ui.units import plural

Splits = dict[str, FeatureStatistics]

_MAX_SERIES = 4
_TOP_VALUES = 12
# With what was found in them, in the first sentence.
_MAX_NAMED = 6
_PERCENTILES = (10, 25, 50, 75, 90)
_NOTHING = Density([], [])


def render(subject: Subject, other: Subject | None = None) -> list[Block]:
    """Return the features of all splits over each other; with `other`, those of both artifacts."""
    sources = _read(subject.artifact)
    if other is not None:
        mine = {f"{name} ({subject.artifact.id})": value for name, value in sources.items()}
        theirs = {f"{name} ({other.artifact.id})": value for name, value in _read(other.artifact).items()}
        shared = [name for name in sources if f"{name} ({other.artifact.id})" in theirs]
        sources = {
            key: ({**mine, **theirs})[key]
            for name in shared or list(sources)
            for key in (f"{name} ({subject.artifact.id})", f"{name} ({other.artifact.id})")
            if key in mine or key in theirs
        }
    rows = {name: features_rows for name, (_, features_rows) in sources.items()}
    drawn, left_out = list(sources)[:_MAX_SERIES], list(sources)[_MAX_SERIES:]
    by_feature = _by_feature({split: sources[split] for split in drawn})
    shown = sorted((one_line(splits, drawn) for splits in by_feature.values()), key=lambda f: -f.keys[0])
    remarkable = sum(bool(feature.remarks) for feature in shown)
    blocks: list[Block] = [
        Facts(
            [
                ("features", len(shown)),
                *[(f"{name}", plural(int(count), "row")) for name, count in rows.items()],
            ]
        ),
        *_without_rows(rows),
        _verdict(by_feature, remarkable, sum(rows.values()), _examples_of(shown), _tone(shown)),
        *_left_out(left_out),
        feature_list(shown, drawn),
        *_rules(by_feature),
        *([] if other is not None else descriptions.render(subject.artifact, drawn)),
        *([] if other is not None else content_tables.render(by_feature)),
    ]
    examples = subject.inputs.get("examples", [])
    return blocks + correlations.render(examples[0] if examples else None)


def _by_feature(sources: dict[str, tuple[list[FeatureStatistics], float]]) -> dict[str, Splits]:
    found: dict[str, Splits] = {}
    for split, (features, _) in sources.items():
        for feature in features:
            found.setdefault(feature.name, {})[split] = feature
    return found


def _left_out(splits: list[str]) -> list[Block]:
    if not splits:
        return []
    verb = "is" if len(splits) == 1 else "are"
    return [
        Note(
            f"Split{'s' * (len(splits) > 1)} {listed(splits)} {verb} not drawn: only the first {_MAX_SERIES} are.",
            "info",
        )
    ]


def _without_rows(rows: dict[str, float]) -> list[Block]:
    empty = [name for name, count in rows.items() if not count]
    if not empty or len(empty) == len(rows):
        return []
    return [Note(f"No row in {listed(empty)}: nothing is known of it.", "warning")]


def _examples_of(features: Sequence[Feature]) -> str:
    """Name the features that are worth looking at, the first with what was found in them."""
    found = [f"{one.name}: {', '.join(text for _, text in one.remarks)}" for one in features if one.remarks]
    more = f"; and {len(found) - _MAX_NAMED} more" if len(found) > _MAX_NAMED else ""
    return "; ".join(found[:_MAX_NAMED]) + more


def _tone(features: Sequence[Feature]) -> str:
    tones = {tone for one in features for tone, _ in one.remarks}
    return "warning" if tones & {"bad", "warning"} else "info"


def _rules(features: dict[str, Splits]) -> list[Block]:
    """The rules of what was found."""
    seen = [standing_out.Seen(splits, *_apart(splits)) for splits in features.values()]
    found: list[list[Value]] = [[name, rule] for name, rule in standing_out.rules(seen)]
    return (
        [Table(["worth looking at", "rule"], found, caption="Why these are worth looking at")]
        if found
        else []
    )


def _verdict(
    features: dict[str, Splits], num_remarkable: int, num_rows: float, found: str = "", tone: str = "info"
) -> Note:
    """Return one sentence on all features, which says no more than the statistics do."""
    if not features or not num_rows:
        return Note(
            f"There is nothing to see: the statistics are of no {'rows' if features else 'features'}.",
            "warning",
        )
    if num_remarkable:
        return Note(f"{plural(num_remarkable, 'feature')} worth looking at, listed first.", tone, found)
    by_split = [one for splits in features.values() for one in splits.values()]
    known = ["no missing values"]
    if any(one.mean is not None or one.distinct is not None for one in by_split):
        known.append("no constant features")
    if max(len(splits) for splits in features.values()) > 1:
        known.append("splits alike")
    looked_for = f"Looked for: {', '.join(check.name for check in standing_out.CHECKS)}."
    return Note(f"Nothing stands out: {', '.join(known)}.", "good", looked_for)


def feature_list(features: list[Feature], splits: list[str]) -> FeatureList:
    """Return a list of features whose drawings have one colour per split."""
    return FeatureList(
        headings=["missing", "distinct", "mean / top value"],
        orders=["worth looking at", "name", "missing", "distinct", "distance between splits"],
        features=features,
        legend=[(f"s{index}", name) for index, name in enumerate(splits)],
    )


def _read(statistics: Artifact) -> dict[str, tuple[list[FeatureStatistics], float]]:
    """Return the features and the number of rows of each split; Transform's statistics have no splits."""
    lists = protos.statistics_by_split(statistics)
    known = {
        name: _kept(artifacts.split_path(statistics, name)) for name in artifacts.split_names(statistics)
    }
    return {
        name: (
            [
                feature
                for dataset in one.datasets[:1]
                for feature in encoded_features.described(
                    parse(dataset.features, dataset.num_examples, known.get(name))
                )
            ],
            one.datasets[0].num_examples if one.datasets else 0,
        )
        for name, one in lists.items()
    }


def _kept(folder: str) -> Kept:
    return Kept(
        quartiles.read(folder),
        number_files.read(folder),
        number_files.read_distributions(folder),
        content_files.read(folder),
    )


def one_line(splits: Splits, order: Sequence[str]) -> Feature:
    """Return one feature as it stands in a list.

    Args:
        splits: The feature in each split that has it, one at least.
        order: All splits of the list, in the order of their colours.
    """
    first = next(iter(splits.values()))
    apart, measure = _apart(splits)
    remarks = standing_out.remarks(standing_out.Seen(splits, apart, measure))
    missing = max(one.missing_share for one in splits.values())
    interest = (
        sum({"bad": 4.0, "warning": 2.0, "info": 0.5}[tone] for tone, _ in remarks) + missing + 2 * apart
    )
    return Feature(
        name=first.name,
        kind=first.kind,
        remarks=remarks,
        values=[
            format_share(missing),
            format_number(first.distinct) if first.distinct is not None else "–",
            format_number(first.mean, 3)
            if first.mean is not None
            else (first.top[0][0] if first.top else first.described or "–"),
        ],
        sparkline=_drawing(splits, order, 120, 28),
        blocks=_details(splits, order, apart, measure),
        keys=[interest, 0.0, missing, float(first.distinct or 0), apart],
    )


def _apart(splits: Splits) -> tuple[float, str]:
    pairs = itertools.combinations(splits.values(), 2)
    return max((distance(one, two) for one, two in pairs), default=(0.0, ""))


def _drawing(splits: Splits, order: Sequence[str], width: int, height: int) -> Markup:
    # A split without the feature keeps its place: colours go by place.
    series = [splits.get(name) for name in order]
    if any(one.edges for one in splits.values()):
        is_small = height < 100
        densities = [_NOTHING if one is None else one.outline if is_small else one.density for one in series]
        return histogram(densities, width, height)
    shares = [{} if one is None else one.shares for one in series]
    values = list(dict.fromkeys(itertools.chain.from_iterable(shares)))
    return bars([[share.get(value, 0.0) for value in values] for share in shares], width, height)


def _details(splits: Splits, order: Sequence[str], apart: float, measure: str) -> list[Block]:
    names = list(splits)
    rows: list[list[Value]] = [
        ["rows", *[int(one.num_rows) for one in splits.values()]],
        [
            "missing",
            *[f"{int(one.num_missing):,} ({format_share(one.missing_share)})" for one in splits.values()],
        ],
    ]
    low, high = zip(*[one.values_per_row for one in splits.values()])
    if max(high) > 1 or min(low) == 0:
        rows.append(["values per row", *[f"{one[0]} to {one[1]}" for one in zip(low, high)]])
    numeric = [one for one in splits.values() if one.mean is not None]
    if numeric:
        rows += _number_rows(splits)
    else:
        rows.append(["distinct", *[one.distinct for one in splits.values()]])
        rows.append(["mean length in bytes", *[one.average_length for one in splits.values()]])
        rows += content_tables.rows(list(splits.values()))
    custom = dict.fromkeys(name for one in splits.values() for name, _ in one.custom)
    rows += [[name, *[dict(one.custom).get(name, "–") for one in splits.values()]] for name in custom]
    if len(splits) > 1 and measure:
        rows.append([f"distance of splits ({measure})", f"{apart:.3f}", *[""] * (len(names) - 1)])
    aligned: list[list[Value]] = [[row[0], *[_right(value) for value in row[1:]]] for row in rows]
    # Of what can be neither counted nor ordered, such as pictures, there is none to draw.
    is_drawn = any(one.edges or one.ranks for one in splits.values())
    blocks: list[Block] = [*([_picture(splits, order)] if is_drawn else []), Table(["", *names], aligned)]
    tops = [one.shares or dict(one.top) for one in splits.values()]
    if any(tops):
        blocks.append(_top_values(splits, names))
    return [*blocks, *content_tables.frequent_words(splits)]


def _right(value: Value) -> Value:
    return Cell(value, is_number=True) if isinstance(value, str) else value


def _picture(splits: Splits, order: Sequence[str]) -> Picture:
    legend = [(f"s{index}", name) for index, name in enumerate(order) if name in splits]
    drawing = _drawing(splits, order, 600, 150)
    known = [one for one in splits.values() if one.edges]
    if known:
        low, high = min(one.edges[0] for one in known), max(one.edges[-1] for one in known)
        axis = [format_number(low), format_number((low + high) / 2), format_number(high)]
        return Picture("Distribution", drawing, f"Histogram from {axis[0]} to {axis[-1]}", legend, axis)
    return Picture("Distribution", drawing, "Most frequent values by falling frequency", legend)


def _number_rows(splits: Splits) -> list[list[Value]]:
    rows: list[list[Value]] = [
        ["mean", *[one.mean for one in splits.values()]],
        ["deviation", *[one.deviation for one in splits.values()]],
        ["zeros", *[format_share(one.zero_share) for one in splits.values()]],
        ["smallest", *[one.low for one in splits.values()]],
    ]
    for percent in _PERCENTILES:
        if percent == 50:
            rows.append(["median", *[one.median for one in splits.values()]])
        elif all(len(one.quantiles) > 2 for one in splits.values()):
            rows.append([f"{percent} %", *[_percentile(one, percent) for one in splits.values()]])
    return [*rows, ["largest", *[one.high for one in splits.values()]]]


def _percentile(feature: FeatureStatistics, percent: int) -> Value:
    if feature.quartiles is not None and percent in (25, 75):
        return feature.quartiles[percent > 50]
    return _quantile(feature.quantiles, percent / 100)


def _quantile(values: Sequence[float], share: float) -> Value:
    """Return the value that a share of the numbers is below, or the two borders that it lies between.

    The statistics hold borders of buckets with equal shares, deciles as a rule: what lies within a bucket is not
    known, and the next border may be far away.
    """
    at = share * (len(values) - 1)
    left = min(int(at + 1e-9), len(values) - 1)
    right = left if abs(at - left) < 1e-9 else left + 1
    if values[left] == values[right]:
        return values[left]
    return f"{format_number(values[left])} to {format_number(values[right])}"


def _top_values(splits: Splits, names: list[str]) -> Table:
    shares = [one.shares for one in splits.values()]
    values = sorted(
        {*itertools.chain.from_iterable(shares)}, key=lambda v: -max(s.get(v, 0.0) for s in shares)
    )
    rows: list[list[Value]] = [
        [
            value,
            *[Cell(format_share(s.get(value, 0.0)), bar=s.get(value, 0.0), is_number=True) for s in shares],
        ]
        for value in values[:_TOP_VALUES]
    ]
    distinct = max(one.distinct or 0 for one in splits.values())
    footnote = f"{distinct - len(rows):,} more values." if distinct > len(rows) else ""
    return Table(["value", *names], rows, caption="Most frequent values", footnote=footnote)


def try_read(statistics: Artifact) -> dict[str, Splits]:
    """Return the features of an artifact by name and split; nothing where its files cannot be read."""
    try:
        return _by_feature(_read(statistics))
    except HeadraceError:
        return {}
