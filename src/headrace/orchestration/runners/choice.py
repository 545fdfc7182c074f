"""Which runner a run gets that was given none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from headrace.errors import ConfigError
from headrace.orchestration.runners.base import NodeRunner
from headrace.orchestration.runners.local.workers import Workers
from headrace.runtime.processes.process_groups import SERVER_MARK

# Switches the server that stays on or off, and says how long it waits for the next run.
_SWITCH = "HEADRACE_SERVER"
_MINUTES = "HEADRACE_SERVER_MINUTES"
_DEFAULT_MINUTES = "10"
_WORDS = {"": None, "1": True, "true": True, "on": True, "yes": True} | dict.fromkeys(
    ("0", "false", "off", "no"), False
)
_SECONDS_PER_MINUTE = 60.0


def make_runner(modules: Callable[[], Sequence[str]] = tuple, *, stays: bool = False) -> NodeRunner:
    """Return a runner on worker processes of this machine, to be closed by whoever asked for it.

    Args:
        modules: Asked when the runner starts: what it loads ahead of need, in the order of need.
        stays: Whether the workers' server may be one that stays for the next run.

    Raises:
        ConfigError: If the environment says no number of minutes.
    """
    if not stays:
        return Workers(modules)
    from headrace.orchestration.runners.warm.client import WarmServers

    return Workers(modules, WarmServers(_most_idle_seconds(os.environ)))


def server_stays(option: bool | None, variables: Mapping[str, str]) -> bool:
    """Whether a run is to use a server that stays.

    Args:
        option: What its user asked for.
        variables: The environment. In CI and in a test of pytest none stays unless that was asked for, and in a worker
            never.

    Raises:
        ConfigError: If the environment's switch says neither yes nor no.
    """
    if sys.platform != "linux" or SERVER_MARK in variables:
        return False
    if option is not None:
        return option
    word = variables.get(_SWITCH, "")
    if word.lower() not in _WORDS:
        raise ConfigError(
            f"the variable {_SWITCH} is '{word}'. It takes 1 or 0.", f"correct or unset {_SWITCH}."
        )
    switch = _WORDS[word.lower()]
    if switch is not None:
        return switch
    return "PYTEST_CURRENT_TEST" not in variables and variables.get("CI", "").lower() in ("", "0", "false")


def _most_idle_seconds(variables: Mapping[str, str]) -> float:
    text = variables.get(_MINUTES) or _DEFAULT_MINUTES
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not minutes >= 0:
        raise ConfigError(
            f"the variable {_MINUTES} is '{text}'. It takes a number of minutes.",
            f"correct or unset {_MINUTES}.",
        )
    return minutes * _SECONDS_PER_MINUTE
