"""The short form of an Evaluator: what is asked for, checked when the pipeline is defined, and kept as plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from headrace.authoring import RuntimeParameter
from headrace.components.evaluator import known_metrics
from headrace.components.evaluator.own_metrics import aims
from headrace.errors import DefinitionError

NAMES = (
    "label",
    "prediction",
    "weight",
    "metrics",
    "slices",
    "require",
    "improve",
    "choose_threshold",
    "class_names",
)
"""Its parameters; the first three are names of features, the others are kept as JSON text."""

_FEATURES = NAMES[:3]
OVERALL = "overall"

Bound: TypeAlias = "float | Sequence[float | None]"
Bounds: TypeAlias = Mapping[str, "Bound | Mapping[str, Bound]"]
Slices: TypeAlias = "Sequence[str | Sequence[str] | Mapping[str, str | int]]"


@dataclass(frozen=True)
class ShortForm:
    """What is asked for; everything may be left out.

    Attributes:
        label: Feature that holds what is to be predicted.
        prediction: Feature that holds predictions, where there is no model.
        weight: Feature that holds the weight of a row.
        metrics: Names; see `known_metrics`.
        slices: Each the features that rows of a slice agree in, with the value of those that are fixed, else `None`.
        require: Bounds by metric and slice: `OVERALL`, a feature, or `"feature=value"`.
        improve: The least change in the good direction by metric.
        choose_threshold: See `aims`.
        class_names: Of the classes 0, 1, 2 ..., or of the labels that a row may have.
    """

    label: str = ""
    prediction: str = ""
    weight: str = ""
    metrics: tuple[str, ...] = ()
    slices: tuple[dict[str, str | None], ...] = ()
    require: dict[str, dict[str, tuple[float | None, float | None]]] = field(default_factory=dict)
    improve: dict[str, float] = field(default_factory=dict)
    choose_threshold: dict[str, Any] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()

    @property
    def wanted(self) -> list[str]:
        """All metrics that are named anywhere, in order."""
        return list(dict.fromkeys([*self.metrics, *self.require, *self.improve]))


def texts(where: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as they are recorded, checked; `None` for those that are not given.

    Args:
        where: The node, for messages.
        given: By `NAMES`.

    Raises:
        DefinitionError: What is wrong, and what there is.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or isinstance(value, RuntimeParameter):
            found[name] = value
            continue
        if name in _FEATURES:
            if not isinstance(value, str) or not value:
                raise DefinitionError(f"{where}: {name} is {value!r}.", "give the name of a feature.")
            found[name] = value
            continue
        checked = _CHECKS[name](value, f"{where}: {name}")
        found[name] = json.dumps(checked, ensure_ascii=False)
    return found


def parse(where: str, recorded: Mapping[str, Any]) -> ShortForm:
    """Read the recorded parameters, which may come from a value that was known only when the pipeline ran.

    Raises:
        DefinitionError: As `texts`.
    """
    values: dict[str, Any] = {}
    for name in NAMES:
        text = recorded.get(name)
        if not text:
            continue
        if name in _FEATURES:
            values[name] = str(text)
            continue
        try:
            content = json.loads(text) if isinstance(text, str) else text
        except ValueError:
            # One name alone, as a runtime parameter may give it.
            content = text
        values[name] = _CHECKS[name](content, f"{where}: {name}")
    for name in ("metrics", "class_names"):
        if name in values:
            values[name] = tuple(values[name])
    if "slices" in values:
        values["slices"] = tuple(values["slices"])
    return ShortForm(**values)


def _metrics(given: Any, where: str) -> list[str]:
    names = [given] if isinstance(given, str) else given
    if isinstance(names, Mapping) or not isinstance(names, Iterable):
        raise DefinitionError(f"{where} is {given!r}.", 'give names, such as ["AUC", "F1"].')
    names = list(names)
    for name in names:
        if not isinstance(name, str):
            raise DefinitionError(
                f"{where} holds {name!r}.",
                'give names, such as ["AUC", "F1"]; settings of a metric need eval_config.',
            )
        known_metrics.find(name, where)
    return names


def _slices(given: Any, where: str) -> list[dict[str, str | None]]:
    items = [given] if isinstance(given, str | Mapping) else given
    if not isinstance(items, Iterable):
        raise DefinitionError(f"{where} is {given!r}.", _SLICES_FIX)
    found = []
    for item in items:
        one: dict[str, str | None] = {}
        if isinstance(item, Mapping):
            one = {str(name): None if value is None else _value_text(value) for name, value in item.items()}
        elif isinstance(item, str):
            one = {item: None}
        elif isinstance(item, Iterable):
            names = list(item)
            if all(isinstance(name, str) for name in names):
                one = dict.fromkeys(names)
        if not one or "" in one:
            raise DefinitionError(f"{where} holds {item!r}.", _SLICES_FIX)
        found.append(one)
    return found


_SLICES_FIX = 'give features, such as ["age", ["age", "town"], {"town": "Lugo"}].'


def _value_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _require(given: Any, where: str) -> dict[str, dict[str, tuple[float | None, float | None]]]:
    fix = 'give the least value, or the most of an error, such as {"AUC": 0.85, "F1": {"overall": 0.7, "town": 0.6}}.'
    found: dict[str, dict[str, tuple[float | None, float | None]]] = {}
    for name, bound in _mapping(given, where, fix).items():
        metric = known_metrics.find(name, where)
        by_slice = bound if isinstance(bound, Mapping) else {OVERALL: bound}
        if not by_slice:
            raise DefinitionError(f"{where}: {name} has no bound.", fix)
        found[str(name)] = {
            str(part): _bounds(one, metric.is_error, f"{where}: {name}", fix)
            for part, one in by_slice.items()
        }
    return found


def _bounds(given: Any, is_error: bool, where: str, fix: str) -> tuple[float | None, float | None]:
    if isinstance(given, list | tuple):
        if len(given) != 2 or given == [None, None]:
            raise DefinitionError(f"{where} is {given!r}.", "give two numbers, the least and the most.")
        low, high = (None if one is None else _number(one, where, fix) for one in given)
        if low is not None and high is not None and low > high:
            raise DefinitionError(f"{where}: {low:g} is more than {high:g}.", "give the least first.")
        return low, high
    number = _number(given, where, fix)
    return (None, number) if is_error else (number, None)


def _number(given: Any, where: str, fix: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise DefinitionError(f"{where} is {given!r}, which is no number.", fix)
    return float(given)


def _improve(given: Any, where: str) -> dict[str, float]:
    fix = (
        'give the least change for the better, such as {"AUC": -0.01}: at most 0.01 worse than the baseline.'
    )
    found = {}
    for name, change in _mapping(given, where, fix).items():
        known_metrics.find(name, where)
        found[str(name)] = _number(change, f"{where}: {name}", fix)
    return found


def _mapping(given: Any, where: str, fix: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise DefinitionError(f"{where} is {given!r}.", fix)
    return given


def _class_names(given: Any, where: str) -> list[str]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise DefinitionError(
            f"{where} is {given!r}.", "give the names of the classes 0, 1, 2 ... as a list."
        )
    names = [str(name) for name in given]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or len(names) < 2:
        problem = f"holds '{twice}' twice" if twice is not None else f"has {len(names)} names"
        raise DefinitionError(f"{where} {problem}.", "give each class of the label one name, two at least.")
    return names


_CHECKS: dict[str, Any] = {
    "metrics": _metrics,
    "slices": _slices,
    "require": _require,
    "improve": _improve,
    "choose_threshold": aims.check,
    "class_names": _class_names,
}
