"""The options of a `StatisticsGen`: read from its parameters and checked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import tensorflow_data_validation as tfdv
from tfx_bsl.public.proto import slicing_spec_pb2

from headrace.authoring import Artifact, generations
from headrace.authoring.plain_values import to_proto
from headrace.components.statistics_gen.option_names import PLAIN_OPTIONS
from headrace.errors import DefinitionError, UnsupportedFeatureError, did_you_mean, listed
from headrace.formats import artifacts, protos
from headrace.runtime.context import ExecutionContext


def read_options(context: ExecutionContext) -> tfdv.StatsOptions:
    """Return the options that `stats_options_json` and the schema input give.

    Raises:
        DefinitionError: If the text is not that of a `tfdv.StatsOptions`, or two schemas are given.
        UnsupportedFeatureError: If slices are given as SQL and the installed TFDV has none of these.
        MalformedFileError: If the schema input does not parse.
    """
    where = f"{context.node_id}: stats_options_json"
    options = _from_json(where, context.parameter("stats_options_json", ""))
    _check_slices(where, options)
    schema = context.optional_input("schema")
    if schema is None:
        return options
    if options.schema is not None:
        raise DefinitionError(
            f"{context.node_id}: both the input 'schema' and stats_options hold a schema.",
            "give one of them.",
        )
    options.schema = protos.read_schema(schema)
    return options


def _from_json(where: str, text: str) -> tfdv.StatsOptions:
    options = tfdv.StatsOptions()
    if not text:
        return options
    plain = _plain_options(text)
    if plain:
        return _from_arguments(where, plain)
    defaults = dict(vars(options))
    try:
        options = tfdv.StatsOptions.from_json(text)
    except Exception as error:  # what it raises depends on which of its nested formats is wrong
        raise DefinitionError(
            f"{where} does not parse: {error}. Given: {text[:200]!r}.",
            "give stats_options as a tfdv.StatsOptions, or as the text of its to_json().",
        ) from error
    # What another version of TFDV knows and leaves unset says nothing.
    given = {name: value for name, value in vars(options).items() if name in defaults or value is not None}
    for name in given:
        if name not in defaults:
            raise DefinitionError(
                f"{where} has an unknown key '{name}'. There are {listed(defaults)}.",
                f"{did_you_mean(name, defaults)}The text must be what to_json() of a tfdv.StatsOptions gives.",
            )
    # from_json takes the keys as they are: one that another version of TFDV left out must be there.
    options.__dict__ = {**defaults, **given}
    return options


def _plain_options(text: str) -> dict[str, Any]:
    """The arguments that the text maps to values; empty where it is the `to_json()` of a `tfdv.StatsOptions`."""
    with contextlib.suppress(json.JSONDecodeError):
        given = json.loads(text)
        if isinstance(given, dict) and set(given) <= set(PLAIN_OPTIONS):
            return given
    return {}


def _from_arguments(where: str, given: dict[str, Any]) -> tfdv.StatsOptions:
    slicing = given.get("slicing_config")
    if slicing is not None:
        kind = slicing_spec_pb2.SlicingConfig
        given = {**given, "slicing_config": to_proto(slicing, kind, f"{where}: slicing_config")}
    try:
        return tfdv.StatsOptions(**given)
    except (TypeError, ValueError) as error:
        raise DefinitionError(
            f"{where} cannot be used: {error}. Given: {given!r}.",
            "correct stats_options; see tfdv.StatsOptions.",
        ) from error


def _check_slices(where: str, options: tfdv.StatsOptions) -> None:
    """Refuse SQL slices where TFDV would leave them out without a word."""
    if generations.HAS_SQL_SLICES or options.slicing_config is None:
        return
    if any(spec.slice_keys_sql for spec in options.slicing_config.slicing_specs):
        raise UnsupportedFeatureError(
            f"{where}: slicing_config has slice_keys_sql, and the installed TensorFlow Data Validation has no "
            "SQL slices.",
            "give feature_keys or feature_values; or run on TFX 1.16.",
        )


def read_sample_rates(
    context: ExecutionContext, examples: Artifact, options: tfdv.StatsOptions, kept: list[str]
) -> dict[str, float]:
    """Return the share of rows to use, by split; 1.0 where all are used.

    Raises:
        DefinitionError: If `sample_rate_by_split` is not a mapping of numbers above 0 and at most 1.
        UnknownSplitError: If it names a split that is not there.
    """
    given: Any = context.json_parameter("sample_rate_by_split") or {}
    where = f"{context.node_id}: sample_rate_by_split"
    if not isinstance(given, Mapping):
        raise DefinitionError(f"{where} is a {type(given).__name__}: {given!r}.", "map split names to rates.")
    artifacts.check_splits(examples, given, where)
    rates = {split: float(options.sample_rate or 1.0) for split in kept}
    for split, rate in given.items():
        if not isinstance(rate, (int, float)) or not 0 < rate <= 1:
            raise DefinitionError(
                f"{where}: the rate of split '{split}' is {rate!r}.", "give a number above 0 and at most 1."
            )
        if split in rates:
            rates[split] = float(rate)
    return rates
