"""Whether a run uses a server that stays."""

from __future__ import annotations

import pytest

from headrace.errors import ConfigError
from headrace.orchestration.runners import choice
from headrace.orchestration.runners.choice import server_stays


@pytest.mark.parametrize(
    ("option", "variables", "stays"),
    [
        (None, {}, True),
        (False, {}, False),
        (None, {"HEADRACE_SERVER": "0"}, False),
        (None, {"HEADRACE_SERVER": "Off"}, False),
        (True, {"HEADRACE_SERVER": "0"}, True),
        (None, {"CI": "true"}, False),
        (None, {"CI": "false"}, True),
        (True, {"CI": "true"}, True),
        (None, {"CI": "true", "HEADRACE_SERVER": "1"}, True),
        (None, {"PYTEST_CURRENT_TEST": "test_a"}, False),
        # A worker's own runs end with it.
        (True, {"HEADRACE_FAMILY": "a.1."}, False),
    ],
)
def test_the_nearest_word_counts(option: bool | None, variables: dict[str, str], stays: bool):
    assert server_stays(option, variables) is stays


def test_a_switch_that_says_nothing_is_refused():
    with pytest.raises(ConfigError) as caught:
        server_stays(None, {"HEADRACE_SERVER": "maybe"})
    assert str(caught.value) == (
        "the variable HEADRACE_SERVER is 'maybe'. It takes 1 or 0.\n  Fix: correct or unset HEADRACE_SERVER."
    )


@pytest.mark.parametrize("text", ["soon", "-1", "nan"])
def test_minutes_are_a_number(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("HEADRACE_SERVER_MINUTES", text)
    with pytest.raises(
        ConfigError, match=f"HEADRACE_SERVER_MINUTES is '{text}'. It takes a number of minutes"
    ):
        choice.make_runner(stays=True)
