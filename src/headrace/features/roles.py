"""What each feature is taken for, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headrace.errors import UserFunctionError, did_you_mean, listed
from headrace.features import facts as facts_of
from headrace.features.facts import Facts

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

ROLES = ("number", "category", "text", "date", "image", "list", "id", "ignore", "label", "group", "time")
"""What a feature may be taken for; the last five are no inputs of a model."""

INPUTS = ("number", "category", "text", "date", "image", "list")

_MAX_WORDS_OF_CATEGORY = 4
_WORDS_OF_TEXT = 8
_MANY = 0.95
_ENOUGH_ROWS = 20
# What the names of columns say in many tables; a name alone decides nothing that the values contradict.
_ID_NAME = re.compile(
    r"(^|_)(id|uuid|guid|index|idx|rowid|row_?(num|nr|no)|serial|unnamed:? ?\d*)$", re.IGNORECASE
)
_CODE_NAME = re.compile(
    r"(^|_)(code|zip|zipcode|postal|plz|area|tract|district|region|class|type|kind|category|cluster|group|hour|weekday"
    r"|month|dow)(_|$)",
    re.IGNORECASE,
)
_TIME_NAME = re.compile(
    r"(^|_)(time|timestamp|date|datetime|epoch|created|updated)(_|$)|_(at|ts)$", re.IGNORECASE
)
# Seconds since 1970 between 1980 and 2100, and the units that count finer.
_EPOCH_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EPOCHS = (315_532_800, 4_102_444_800)


@dataclass(frozen=True)
class Choice:
    """What one feature is taken for.

    Attributes:
        feature: Its name.
        role: One of `ROLES`.
        why: A few words.
        facts: What is known of it beside the schema; `None` where no rows were seen.
        values: Its values where the schema lists them, or few were seen.
        date_format: Of a date that is text; empty for ISO 8601.
        unit: Of a date that is a number.
    """

    feature: str
    role: str
    why: str
    facts: Facts | None = None
    values: tuple[str, ...] = ()
    date_format: str = ""
    unit: str = "s"


def choose(
    schema: schema_pb2.Schema,
    label: str | None = None,
    roles: Mapping[str, str] | None = None,
    known: Mapping[str, Facts] | None = None,
) -> list[Choice]:
    """Return what each feature of a schema is taken for, in the schema's order.

    Args:
        schema: Of the raw features.
        label: What is to be predicted.
        roles: Those that are decided already, by feature.
        known: What rows or statistics told of features; see `facts`.

    Raises:
        UserFunctionError: If the label or a feature of `roles` does not exist, a role is unknown, several features
            are labels, or the label is one that the splits disagree about.
    """
    given = dict(roles or {})
    _check(schema, label, given)
    if label is not None:
        given[label] = "label"
    domains = {domain.name: tuple(domain.value) for domain in schema.string_domain}
    return [
        _choice(feature, given.get(feature.name), domains, (known or {}).get(feature.name))
        for feature in schema.feature
    ]


def explain(
    schema: schema_pb2.Schema,
    label: str | None = None,
    roles: Mapping[str, str] | None = None,
    *,
    rows: object = None,
    statistics: statistics_pb2.DatasetFeatureStatistics | None = None,
) -> list[tuple[str, str, str]]:
    """Return a table of what `default_preprocessing` takes each feature for: feature, taken for, why.

    Args:
        schema: Of the raw features.
        label: See `default_preprocessing`.
        roles: See `default_preprocessing`.
        rows: Some rows to look at: an Arrow table or batch, or columns of values by name.
        statistics: TFDV's statistics of a split, where there are no rows.

    Raises:
        UserFunctionError: See `choose`.

    Example:
        >>> for feature, role, why in explain(schema, label="quality"):  # doctest: +SKIP
        ...     print(f"{feature:20} {role:10} {why}")
    """
    columns: Any = rows
    if columns is not None:
        known = facts_of.from_rows(columns) if hasattr(columns, "schema") else facts_of.from_values(columns)
    else:
        known = facts_of.from_statistics(statistics) if statistics is not None else {}
    return [(one.feature, one.role, one.why) for one in choose(schema, label, roles, known)]


def table(choices: Iterable[Choice]) -> str:
    """Return choices as lines of text: feature, taken for, why."""
    rows = [(one.feature, one.role, one.why) for one in choices]
    width = max((len(name) for name, _, _ in rows), default=0)
    return "\n".join(f"{name:{width}}  {role:8}  {why}" for name, role, why in rows)


def disagreed(feature: schema_pb2.Feature) -> str:
    """Return why the schema keeps a feature from being handed over; empty where it does not."""
    from tensorflow_metadata.proto.v0 import schema_pb2

    stage = feature.lifecycle_stage
    kept = (schema_pb2.LifecycleStage.DEPRECATED, schema_pb2.LifecycleStage.DISABLED)
    left_out = (*kept, schema_pb2.LifecycleStage.PLANNED, schema_pb2.LifecycleStage.ALPHA)
    if not feature.deprecated and stage not in (*left_out, schema_pb2.LifecycleStage.DEBUG_ONLY):
        return ""
    marked = "DEPRECATED" if feature.deprecated else schema_pb2.LifecycleStage.Name(stage)
    if marked != "DEPRECATED":
        return f"the schema marks it {marked}"
    return "the schema marks it DEPRECATED, as SchemaGen does where the splits disagree about its type"


def is_language(mean_words: float, share_distinct: float) -> bool:
    """Whether texts are language, and not the words of a category.

    Args:
        mean_words: Words in a text, on average.
        share_distinct: Different texts per text, 0 to 1.
    """
    return mean_words >= _WORDS_OF_TEXT or (mean_words >= _MAX_WORDS_OF_CATEGORY and share_distinct > 0.5)


def _check(schema: schema_pb2.Schema, label: str | None, roles: Mapping[str, str]) -> None:
    names = [feature.name for feature in schema.feature]
    wanted = [*roles, *([label] if label is not None else [])]
    for name in wanted:
        if name not in names:
            what = "the label" if name == label else "a feature of roles"
            raise UserFunctionError(
                f"default_preprocessing: there is no feature '{name}', {what}. The schema has {listed(names)}.",
                f"{did_you_mean(name, names)}Correct the name.",
            )
    for name, role in roles.items():
        if role not in ROLES:
            raise UserFunctionError(
                f"default_preprocessing: roles says '{role}' of '{name}'. There are {listed(ROLES)}.",
                f"{did_you_mean(role, ROLES)}Correct the role.",
            )
    labels = sorted({name for name, role in roles.items() if role == "label"} | ({label} if label else set()))
    if len(labels) > 1:
        raise UserFunctionError(
            f"default_preprocessing: {listed(labels)} are all labels.",
            "name one, and write the function for several.",
        )
    for feature in schema.feature:
        if (
            feature.name in wanted
            and (reason := disagreed(feature))
            and roles.get(feature.name)
            not in (
                "id",
                "ignore",
            )
        ):
            raise UserFunctionError(
                f"default_preprocessing: feature '{feature.name}' is not handed over: {reason}.",
                "give it one type in all splits; or review the schema, take the mark off and hand it in with "
                "ImportSchemaGen.",
            )


def _choice(
    feature: schema_pb2.Feature,
    given: str | None,
    domains: Mapping[str, tuple[str, ...]],
    known: Facts | None,
) -> Choice:
    from tensorflow_metadata.proto.v0 import schema_pb2

    values = domains.get(feature.domain, ()) or tuple(feature.string_domain.value)
    date_format = known.date_format if known is not None and known.share_dates >= _MANY else ""
    unit = _epoch_unit(known)
    reason = disagreed(feature)
    if reason:
        role, why = given if given in ("id", "ignore") else "ignore", reason
    elif given is not None:
        role, why = given, "the label" if given == "label" else "as roles says"
    elif feature.type == schema_pb2.BYTES:
        role, why = _of_texts(feature, values, known)
    elif feature.type in (schema_pb2.INT, schema_pb2.FLOAT):
        role, why = _of_numbers(feature, known, is_whole=feature.type == schema_pb2.INT)
    else:
        role, why = "ignore", "a structure of other features"
    if role == "category" and not values and known is not None:
        values = known.values
    return Choice(feature.name, role, why, known, tuple(values), date_format, unit or "s")


def _is_list(feature: schema_pb2.Feature, known: Facts | None) -> bool:
    return feature.value_count.max > 1 or (known is not None and known.most_values > 1)


def _of_texts(feature: schema_pb2.Feature, values: Sequence[str], known: Facts | None) -> tuple[str, str]:
    domain = feature.WhichOneof("domain_info")
    if domain == "image_domain" or (known is not None and known.share_pictures > 0.5):
        return "image", "its values are pictures"
    if domain == "natural_language_domain":
        return "text", "the schema says that it is language"
    if domain == "time_domain":
        return "date", "the schema says that it is a time"
    if _is_list(feature, known):
        return "list", "words, several in a row"
    if known is None or not known.num_filled:
        if values:
            return "category", f"{len(values):,} words that the schema lists"
        return "category", "text, of which no row was seen"
    distinct, words = known.num_distinct or 0, known.mean_words
    if known.share_dates >= _MANY:
        return "date", f"text such as {known.date_format or 'an ISO date'}"
    if known.share_numbers >= 0.9 and distinct > 10:
        return "number", "numbers that are written as text"
    if is_language(words, known.share_distinct):
        return "text", f"{words:.0f} words in a row"
    if known.share_distinct >= _MANY and known.num_filled >= _ENOUGH_ROWS:
        return "id", "nearly every row has a value of its own"
    return "category", f"{distinct:,} different words"


def _of_numbers(feature: schema_pb2.Feature, known: Facts | None, *, is_whole: bool) -> tuple[str, str]:
    domain = feature.WhichOneof("domain_info")
    if domain == "time_domain":
        return "date", "the schema says that it is a time"
    if (is_whole and feature.int_domain.is_categorical) or feature.float_domain.is_categorical:
        return "category", "the schema says that its numbers are codes"
    sizes = [dim.size for dim in feature.shape.dim]
    if len(sizes) > 1:
        return "ignore", "a block of numbers of several dimensions"
    if not sizes and _is_list(feature, known):
        return "ignore", "lists of numbers, of different lengths"
    if sizes and sizes != [1]:
        return "number", f"{sizes[0]:,} numbers in a row"
    if not is_whole:
        return "number", "numbers with fractions"
    if known is None or known.num_distinct is None or not known.num_filled:
        return "number", "whole numbers"
    distinct = known.num_distinct
    span = (known.greatest or 0) - (known.least or 0) + 1
    is_own = known.share_distinct >= _MANY and known.num_filled >= _ENOUGH_ROWS
    if _TIME_NAME.search(feature.name) and _epoch_unit(known):
        return "date", f"counts {_epoch_unit(known)} from 1970, by its name and values"
    if is_own and (_ID_NAME.search(feature.name) or span == distinct):
        return "id", "nearly every row has a number of its own"
    if _CODE_NAME.search(feature.name) and 2 < distinct <= max(50, known.num_filled / 10):
        return "category", f"{distinct:,} codes, by its name"
    return "number", f"whole numbers, {distinct:,} different ones"


def _epoch_unit(known: Facts | None) -> str:
    if known is None or known.least is None or known.greatest is None:
        return ""
    least, greatest = known.least, known.greatest
    for unit, size in _EPOCH_UNITS.items():
        if _EPOCHS[0] * size <= least and greatest <= _EPOCHS[1] * size:
            return unit
    return ""
