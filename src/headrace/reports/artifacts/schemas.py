"""Schema: a table of its features, and what changed against another schema."""

from __future__ import annotations

from typing import Any

from headrace.authoring import Artifact
from headrace.errors import HeadraceError
from headrace.formats import protos
from headrace.reports.blocks.blocks import Block, Cell, Facts, Note, Section, Table, Value
from headrace.reports.blocks.numbers import format_number
from headrace.store.session import Subject
from headrace.ui.units import plural

COLUMNS = ("feature", "type", "presence", "values per row", "domain", "rules")
_MAX_DOMAIN_VALUES = 10
_TYPES = {0: "?", 1: "BYTES", 2: "INT", 3: "FLOAT", 4: "STRUCT"}
# TFMD's LifecycleStage; a feature in production, or of which nothing is said, needs no word.
_STAGES = {1: "planned", 2: "alpha", 3: "beta", 5: "deprecated", 6: "for debugging only", 7: "disabled"}
_DEPRECATED = 5
_DISTANCES = {
    "infinity_norm": "L∞",
    "jensen_shannon_divergence": "Jensen-Shannon",
    "normalized_abs_difference": "normalized difference",
}


def render(subject: Subject, other: Subject | None = None) -> list[Block]:
    """Return the features of a schema, and the difference to `other` or to the schema made before."""
    schema = protos.read_schema(subject.artifact)
    rows = describe(schema)
    against = other.artifact if other is not None else subject.predecessor
    blocks: list[Block] = [Facts([("features", len(rows)), *_environment_facts(schema)])]
    if against is not None:
        blocks.append(_difference(rows, against, is_asked_for=other is not None))
    table = Table(
        COLUMNS,
        list(rows.values()),
        caption="Features",
        is_sortable=True,
        footnote=f"{plural(len(rows), 'feature')}.",
    )
    blocks.append(Section("Features", [table], anchor="features"))
    return blocks


def describe(schema: Any) -> dict[str, list[Value]]:
    """Return a row for each feature of a schema, by its name, in the schema's order."""
    domains = {domain.name: domain for domain in schema.string_domain}
    rows: dict[str, list[Value]] = {}
    _describe(schema.feature, "", domains, rows)
    for feature in schema.sparse_feature:
        places = ", ".join(index.name for index in feature.index_feature)
        made = f"values of {feature.value_feature.name} at {places}"
        rows[feature.name] = [Cell(feature.name), "sparse", _presence(feature), "any", made, ""]
    return rows


def _describe(features: Any, prefix: str, domains: dict[str, Any], rows: dict[str, list[Value]]) -> None:
    for feature in features:
        name = f"{prefix}{feature.name}"
        rows[name] = [
            Cell(name, tone="warning" if _stage(feature) == _DEPRECATED else ""),
            _TYPES.get(feature.type, "?"),
            _presence(feature),
            _valency(feature),
            _domain(feature, domains),
            "; ".join(_rules(feature)),
        ]
        if feature.HasField("struct_domain"):
            _describe(feature.struct_domain.feature, f"{name}.", domains, rows)


def _stage(feature: Any) -> int:
    # The older way to say so.
    return _DEPRECATED if feature.deprecated else int(feature.lifecycle_stage)


def _presence(feature: Any) -> str:
    if not feature.HasField("presence"):
        return "optional"
    presence = feature.presence
    if presence.min_fraction == 1:
        return "required"
    parts = []
    if presence.min_fraction:
        parts.append(f"in {presence.min_fraction:.4g} of rows or more")
    if presence.min_count:
        parts.append(f"in {plural(presence.min_count, 'row')} or more")
    return ", ".join(parts) or "optional"


def _valency(feature: Any) -> str:
    if feature.HasField("shape"):
        sizes = [str(dimension.size) for dimension in feature.shape.dim]
        return f"shape [{', '.join(sizes)}]"
    if not feature.HasField("value_count"):
        return "any"
    low, high = feature.value_count.min, feature.value_count.max
    if low == high:
        return str(low) if high else "any"
    return f"{low} to {high}" if high else f"{low} or more"


def _domain(feature: Any, domains: dict[str, Any]) -> str:
    which = feature.WhichOneof("domain_info")
    if which == "domain":
        return _values(domains.get(feature.domain), feature.domain)
    if which == "string_domain":
        return _values(feature.string_domain, feature.string_domain.name)
    if which in ("int_domain", "float_domain"):
        domain = getattr(feature, which)
        low = format_number(domain.min) if domain.HasField("min") else "−∞"
        high = format_number(domain.max) if domain.HasField("max") else "∞"
        return f"{'category ' if domain.is_categorical else ''}{low} to {high}"
    if which in (None, "struct_domain"):
        return ""
    return which.replace("_domain", "").replace("_", " ")


def _values(domain: Any, name: str) -> str:
    if domain is None:
        return f"{name} (not in the schema)"
    values = list(domain.value)
    more = f", … {len(values) - _MAX_DOMAIN_VALUES} more" if len(values) > _MAX_DOMAIN_VALUES else ""
    return f"{', '.join(repr(value) for value in values[:_MAX_DOMAIN_VALUES])}{more}"


def _rules(feature: Any) -> list[str]:
    rules = []
    for field, word in (("drift_comparator", "drift"), ("skew_comparator", "skew")):
        if feature.HasField(field):
            comparator = getattr(feature, field)
            limits = [
                f"{name} ≤ {getattr(comparator, measure).threshold:.4g}"
                for measure, name in _DISTANCES.items()
                if comparator.HasField(measure)
            ]
            rules.append(f"{word}: {', '.join(limits) or 'no threshold'}")
    if feature.HasField("distribution_constraints"):
        rules.append(
            f"known values in {feature.distribution_constraints.min_domain_mass:.4g} of rows or more"
        )
    if feature.HasField("unique_constraints"):
        bounds = feature.unique_constraints
        rules.append(f"{bounds.min} to {bounds.max} different values")
    if feature.not_in_environment:
        rules.append(f"not in {', '.join(feature.not_in_environment)}")
    if feature.in_environment:
        rules.append(f"only in {', '.join(feature.in_environment)}")
    if _stage(feature) in _STAGES:
        rules.append(_STAGES[_stage(feature)])
    return rules


def _environment_facts(schema: Any) -> list[tuple[str, Value]]:
    names = ", ".join(schema.default_environment)
    return [("environments", names)] if names else []


def _difference(rows: dict[str, list[Value]], other: Artifact, *, is_asked_for: bool) -> Block:
    try:
        before = describe(protos.read_schema(other))
    except HeadraceError as error:
        return Note(f"Schema {other.id} cannot be read for comparison: {error.problem}", "warning")
    changes = differences(before, rows)
    role = f"schema {other.id}" if is_asked_for else f"schema {other.id}, which the same node made before"
    if not changes:
        return Note(f"Equal to {role}.", "good")
    table = Table(
        ["feature", "what", "before", "now"],
        changes,
        caption=f"Against {role}",
        footnote=f"{plural(len(changes), 'change')}.",
    )
    return Section(f"Changes against schema {other.id}", [table], anchor="changes")


def differences(before: dict[str, list[Value]], now: dict[str, list[Value]]) -> list[list[Value]]:
    """Return feature, what changed, the old and the new value, for each difference of two schemas."""
    changes: list[list[Value]] = []
    for name in [*now, *[name for name in before if name not in now]]:
        if name not in before:
            changes.append([name, Cell("new", tone="good"), "–", str(now[name][1])])
        elif name not in now:
            changes.append([name, Cell("removed", tone="bad"), str(before[name][1]), "–"])
        else:
            for column, old, new in zip(COLUMNS[1:], before[name][1:], now[name][1:]):
                if old != new:
                    changes.append([name, Cell(column, tone="warning"), str(old) or "–", str(new) or "–"])
    return changes
