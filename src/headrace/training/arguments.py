"""Checks of the arguments that Trainer and Tuner share, and the texts in which they are recorded."""

from __future__ import annotations

import json
import numbers
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.message import Message

from headrace import augment
from headrace.authoring import RuntimeParameter
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, holds_runtime_parameter, read_json
from headrace.errors import DefinitionError, UserFunctionError, did_you_mean, listed
from headrace.formats import split_names
from headrace.usercode import functions

with authoring():
    from tfx.proto import trainer_pb2
    from tfx.utils import json_utils

_BALANCES = ("weights", "resample")
# A float in JSON; larger ones, whole numbers too, are without end.
_MOST_WEIGHT = sys.float_info.max

Function: TypeAlias = "Callable[..., Any] | str | RuntimeParameter"
# The name of a split, or several.
Splits: TypeAlias = "str | Sequence[str]"


def check_one_given(where: str, **functions_given: Any) -> None:
    """Check that exactly one way to name the user's function is used.

    Raises:
        DefinitionError: If none or several are.
    """
    given = [name for name, value in functions_given.items() if value]
    if len(given) != 1:
        raise DefinitionError(
            f"{where}: exactly one of {listed(functions_given)} is needed. Given: {listed(given)}.",
            "name the user function in one way.",
        )


def check_unused_with(where: str, key: str, short_form: dict[str, Any]) -> None:
    """Check that no parameter of the short form is given beside the function `key`, which would ignore it.

    Raises:
        DefinitionError: If one is.
    """
    given = [name for name, value in short_form.items() if value is not None]
    if given:
        raise DefinitionError(
            f"{where}: {listed(given)} belongs to the short form, and {key} does not see it.",
            "pass it in custom_config, or give build_model instead.",
        )


def checked_numbers(where: str, values: dict[str, Any], zero_is_fine: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return `values`, checked: whole numbers are at least 1, or 0 where zero has a meaning.

    Raises:
        DefinitionError: If one is not.
    """
    for name, value in values.items():
        least = 0 if name in zero_is_fine else 1
        if isinstance(value, int) and value < least:
            raise DefinitionError(f"{where}: {name} is {value}; it must be {least} or more.")
    return values


def args_with_split(where: str, key: str, args: ProtoLike | None, split: Splits | None) -> ProtoLike | None:
    """Return `train_args` or `eval_args` with the splits that the short parameter beside it names.

    Args:
        where: The component, for messages.
        key: `"train"` or `"eval"`.
        args: The value of `train_args` or `eval_args`.
        split: That of `train_split` or `eval_split`: a name, or several.

    Raises:
        DefinitionError: If both name splits, or a name cannot be that of a split.
    """
    if split is None:
        return args
    names = [split] if isinstance(split, str) else list(split)
    split_names.check_given(names, f"{where}: {key}_split")
    if holds_runtime_parameter(args):
        raise DefinitionError(
            f"{where}: {key}_split is given, and {key}_args is known only when the pipeline runs.",
            f"name the splits in {key}_args.",
        )
    fields = (
        json_format.MessageToDict(args, preserving_proto_field_name=True)
        if isinstance(args, Message)
        else args
    )
    if isinstance(fields, str):
        fields = read_json(fields, trainer_pb2.TrainArgs, f"{where}: {key}_args")
    if fields and fields.get("splits"):
        raise DefinitionError(
            f"{where}: {key}_split is {names!r}, and {key}_args names splits too: {list(fields['splits'])!r}.",
            "give one of the two.",
        )
    return {**(fields or {}), "splits": names}


def check_module(where: str, module_file: str, names: tuple[str, ...]) -> None:
    """Check that `module_file` defines one of the functions `names`.

    Raises:
        UserFunctionError: If the file is missing, or defines none of them.
        UnsupportedFeatureError: If it is not on this machine.
    """
    place = f"{where}: module_file"
    functions.source_path(functions.FunctionReference(module_file, names[0]), place)
    for name in names:
        try:
            functions.check(f"{module_file}:{name}", place)
        except UserFunctionError as error:
            missing = error
            if error.__cause__ is not None:  # a syntax error: no other name changes that
                raise
        else:
            return
    if len(names) == 1:
        raise missing
    raise UserFunctionError(
        f"{place}: {module_file} has neither of the functions {listed(names)}.",
        f"define {' or '.join(names)} at the top level of the file.",
    )


def function_text(where: str, function: Function | None) -> Any:
    """Return the text of a user function that exists; a dotted path where it has a module.

    The stock executors read dotted paths only.

    Raises:
        UserFunctionError: If it does not exist.
    """
    if function is None or isinstance(function, RuntimeParameter):
        return function
    text = functions.to_text(function)
    functions.check(text, where)
    reference = functions.parse(text)
    return text if reference.is_file else f"{reference.place}.{reference.name}"


def augment_text(where: str, given: Any) -> Any:
    """Return `augment` as the text in which it is recorded; `None` where nothing is given.

    Raises:
        DefinitionError: If it is no augmentation.
    """
    if given is None or isinstance(given, RuntimeParameter):
        return given
    return augment.to_text(given, f"{where}: augment")


def balance_text(where: str, given: Any) -> Any:
    """Return `class_balance` as the text in which it is recorded; `None` where nothing is given.

    Raises:
        DefinitionError: If it is neither a known word nor weights by class.
    """
    if given is None or isinstance(given, RuntimeParameter):
        return given
    if isinstance(given, Mapping):
        return json.dumps(_weights(where, given), sort_keys=True)
    if not isinstance(given, str) or given not in _BALANCES:
        raise DefinitionError(
            f"{where}: class_balance is {given!r}. There are {listed(_BALANCES)}, and weights by class.",
            f"{did_you_mean(str(given), _BALANCES)}Correct it, or give {{0: 1.0, 1: 6.0}}.",
        )
    return json.dumps(given)


def _weights(where: str, given: Mapping[Any, Any]) -> dict[str, float]:
    """Return weights by the number of their class, as they are recorded.

    Raises:
        DefinitionError: If a class is no whole number or comes twice, or a weight is none; or if all are 0.
    """
    made: dict[str, float] = {}
    for name, weight in given.items():
        if not _is_weight(weight):
            raise DefinitionError(
                f"{where}: class_balance gives class {name!r} the weight {weight!r}.",
                "give a number, 0 or more.",
            )
        number = _class_number(name)
        if number is None:
            raise DefinitionError(
                f"{where}: class_balance gives a weight to {name!r}, which is no number of a class.",
                "give the number that the label has after Transform: {0: 1.0, 1: 6.0}.",
            )
        if str(number) in made:
            raise DefinitionError(f"{where}: class_balance names class {number} twice.", "give one weight.")
        made[str(number)] = float(weight)
    if not any(made.values()):
        raise DefinitionError(
            f"{where}: class_balance gives no class a weight above 0, and nothing would be learned.",
            "give the classes that are to be learned a weight above 0: {0: 1.0, 1: 6.0}.",
        )
    return made


def _is_weight(given: Any) -> bool:
    is_number = isinstance(given, numbers.Real) and not isinstance(given, bool)
    return is_number and bool(0 <= given <= _MOST_WEIGHT)


def _class_number(name: object) -> int | None:
    """Return the number of a class, also of one that JSON made a text of; `None` where it is none."""
    if isinstance(name, bool) or not isinstance(name, (str, numbers.Real)):
        return None
    try:
        number = float(name)
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else None


def custom_config_text(custom_config: Any) -> Any:
    """Return `custom_config` as the JSON text in which TFX records it."""
    return custom_config if isinstance(custom_config, RuntimeParameter) else json_utils.dumps(custom_config)
