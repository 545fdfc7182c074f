"""Checks of the arguments that say how a network is fitted, and the texts in which they are recorded.

Trainer and Tuner share them. One that is not given is not recorded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from headrace.authoring import ExecutionParameter, RuntimeParameter
from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.training.arguments import balance_text, function_text

# A function that returns Keras' callbacks, names of such with or without their arguments.
Callbacks: TypeAlias = "Callable[..., Any] | str | Sequence[str | Mapping[str, Any]] | RuntimeParameter"
Weights: TypeAlias = "str | Mapping[int, float] | Mapping[str, float] | RuntimeParameter"

KEEPS = ("best", "last")
TENSORBOARD: dict[str, Any] = {
    "histogram_freq": int,
    "write_graph": bool,
    "write_images": bool,
    "write_steps_per_second": bool,
    "update_freq": (int, str),
    "profile_batch": (int, str, list, tuple),
}
_KERAS = "keras.callbacks."

# What a component that fits networks declares beside its own parameters.
PARAMETERS = {
    "features": ExecutionParameter(type=str, optional=True),
    "callbacks": ExecutionParameter(type=str, optional=True),
    "monitor": ExecutionParameter(type=str, optional=True),
    "min_delta": ExecutionParameter(type=float, optional=True),
    "keep": ExecutionParameter(type=str, optional=True),
}


def features_text(where: str, given: Any) -> Any:
    """Return `features` as the text in which it is recorded; `None` where nothing is given.

    Raises:
        DefinitionError: If it is no list of names, or names one twice.
    """
    if given is None or isinstance(given, RuntimeParameter):
        return given
    names = (
        list(given) if isinstance(given, (Sequence, set, frozenset)) and not isinstance(given, str) else given
    )
    if isinstance(given, (set, frozenset)):
        raise DefinitionError(f"{where}: features is a set, which has no order.", "give a list of names.")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise DefinitionError(
            f"{where}: features is {given!r}; it takes names of features, in the order in which a model takes them.",
            "give a list of names, such as features=['alcohol', 'pH'], or leave it out for all.",
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefinitionError(f"{where}: features names {listed(twice)} more than once.", "name each once.")
    return json.dumps(names)


def callbacks_text(where: str, given: Any) -> Any:
    """Return `callbacks` as the text in which it is recorded; `None` where nothing is given.

    Raises:
        DefinitionError: If it is neither a function nor a list of names of Keras' callbacks.
        UserFunctionError: If there is no such function.
    """
    if given is None or isinstance(given, RuntimeParameter):
        return given
    if isinstance(given, str) and given.startswith(_KERAS):
        given = [given]
    if isinstance(given, str) or (callable(given) and not isinstance(given, type)):
        _refuse_object(where, given)
        return function_text(f"{where}: callbacks", given)
    if isinstance(given, Mapping):
        given = [given]
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        _refuse_object(where, given)
        raise _no_callbacks(where, given)
    return json.dumps([_callback(where, one) for one in given])


def _callback(where: str, given: Any) -> str | dict[str, Any]:
    """One callback by name: as the name, or the name with its arguments."""
    if isinstance(given, str):
        return _callback_name(where, given)
    if isinstance(given, Mapping) and len(given) == 1:
        ((name, arguments),) = given.items()
        if isinstance(name, str) and isinstance(arguments, Mapping):
            try:
                return {_callback_name(where, name): json.loads(json.dumps(dict(arguments)))}
            except TypeError as error:
                raise DefinitionError(
                    f"{where}: callbacks gives '{name}' an argument that cannot be recorded: {error}.",
                    "make the callback in a function and give that: callbacks='module:function'.",
                ) from error
    _refuse_object(where, given)
    raise _no_callbacks(where, given)


def _callback_name(where: str, name: str) -> str:
    short = name.removeprefix(_KERAS)
    if not short.isidentifier():
        raise DefinitionError(
            f"{where}: callbacks names '{name}'. A list takes classes of keras.callbacks.",
            "make callbacks of your own in a function and give that: callbacks='module:function'.",
        )
    return short


def _refuse_object(where: str, given: Any) -> None:
    """Refuse a callback that was made when the pipeline was read: it cannot be recorded, nor known by the cache."""
    if any(kind.__module__.startswith(("keras.", "tf_keras.")) for kind in type(given).__mro__) or (
        isinstance(given, type)
    ):
        name = given.__name__ if isinstance(given, type) else type(given).__name__
        raise DefinitionError(
            f"{where}: callbacks holds {'the class' if isinstance(given, type) else 'an object of'} {name}, which "
            "cannot be recorded.",
            f"return it from a function and give that: def callbacks(): return [keras.callbacks.{name}(...)]; or write "
            f"{{'{name}': {{...}}}} with its arguments.",
        )


def _no_callbacks(where: str, given: Any) -> DefinitionError:
    return DefinitionError(
        f"{where}: callbacks holds {given!r}, which is no callback.",
        "give a function that returns Keras' callbacks, callbacks='module:function', or a list such as "
        "['TerminateOnNaN', {'ReduceLROnPlateau': {'factor': 0.5, 'patience': 3}}].",
    )


def weights_text(where: str, class_balance: Any, class_weight: Any) -> Any:
    """Return what is recorded as `class_balance`: `class_weight` is Keras' and scikit-learn's word for a part of it.

    Raises:
        DefinitionError: If both are given, or neither a known word nor weights by class.
    """
    if class_weight is None:
        return balance_text(where, class_balance)
    if class_balance is not None:
        raise DefinitionError(
            f"{where}: class_weight and class_balance are given, and both say how classes are balanced.",
            "give one of them: class_balance='resample' draws rows, the rest is the same under both names.",
        )
    if isinstance(class_weight, (Mapping, RuntimeParameter)):
        return balance_text(f"{where}: class_weight", class_weight)
    if not isinstance(class_weight, str) or class_weight != "balanced":
        raise DefinitionError(
            f"{where}: class_weight is {class_weight!r}. It takes 'balanced', or weights by class.",
            f"{did_you_mean(str(class_weight), ['balanced'])}Correct it, or give {{0: 1.0, 1: 6.0}}.",
        )
    return balance_text(where, "weights")


def keeping(where: str, monitor: Any, min_delta: Any, keep: Any) -> dict[str, Any]:
    """Return the parameters that say which weights are kept and when training stops, checked.

    Raises:
        DefinitionError: If one is not what it can be.
    """
    if isinstance(min_delta, bool) or (
        min_delta is not None
        and not isinstance(min_delta, RuntimeParameter)
        and not (isinstance(min_delta, (int, float)) and math.isfinite(min_delta) and min_delta >= 0)
    ):
        raise DefinitionError(
            f"{where}: min_delta is {min_delta!r}; it must be a number of 0 or more.",
            "give the least change that counts as getting better, whatever its direction.",
        )
    if isinstance(keep, str) and keep not in KEEPS:
        raise DefinitionError(
            f"{where}: keep is {keep!r}. There are {listed(KEEPS)}.",
            f"{did_you_mean(keep, KEEPS)}Correct it.",
        )
    if isinstance(monitor, str) and not monitor:
        raise DefinitionError(f"{where}: monitor is empty.", "name a metric, such as 'val_loss'.")
    delta = float(min_delta) if isinstance(min_delta, int) else min_delta
    return {"monitor": monitor, "min_delta": delta, "keep": keep}


def tensorboard_text(where: str, given: Any) -> Any:
    """Return `tensorboard` as the text in which it is recorded; `None` where nothing is given.

    Raises:
        DefinitionError: If it has another key than Keras' TensorBoard has, or a value of another kind.
    """
    if given is None or isinstance(given, RuntimeParameter):
        return given
    if not isinstance(given, Mapping):
        raise DefinitionError(
            f"{where}: tensorboard is {given!r}; it takes the arguments of keras.callbacks.TensorBoard.",
            "give a mapping, such as tensorboard={'histogram_freq': 1, 'write_graph': True}.",
        )
    for name, value in given.items():
        if name not in TENSORBOARD:
            raise DefinitionError(
                f"{where}: tensorboard has no '{name}'. There are {listed(TENSORBOARD)}.",
                f"{did_you_mean(str(name), TENSORBOARD)}Correct it, or leave it out.",
            )
        kinds = TENSORBOARD[name]
        is_bool = isinstance(value, bool)
        if not isinstance(value, kinds) or (is_bool and kinds is not bool) or (kinds is int and value < 0):
            raise DefinitionError(
                f"{where}: tensorboard gives {name} {value!r}.",
                "give what keras.callbacks.TensorBoard takes.",
            )
    frequency = given.get("update_freq", "epoch")
    if frequency not in ("epoch", "batch") and not (isinstance(frequency, int) and frequency > 0):
        raise DefinitionError(
            f"{where}: tensorboard gives update_freq {frequency!r}.",
            "give 'epoch', 'batch', or a number of batches from 1.",
        )
    return json.dumps(dict(given), sort_keys=True)
