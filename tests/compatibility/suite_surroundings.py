"""What test modules written for plain unittest and an older Beam need to run under pytest and this Beam."""

from __future__ import annotations

import unittest
from typing import Any

import apache_beam as beam
from absl import flags
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

_begin = beam.Pipeline.__init__


def _in_process(self: Any, runner: Any = None, *arguments: Any, **named: Any) -> None:
    _begin(self, FnApiRunner() if runner is None else runner, *arguments, **named)


def _without_outcome(self: Any) -> dict[str, Any]:
    """Matchers hold the case, and what pytest put into it cannot be pickled."""
    return {
        key: value
        for key, value in vars(self).items()
        if key not in ("_outcome", "_cleanups", "_subtest", "_result")
    }


def prepare() -> None:
    """Parse flags, run pipelines that name no runner in this process, and let cases be pickled."""
    if not flags.FLAGS.is_parsed():
        flags.FLAGS(["suite"])
    beam.Pipeline.__init__ = _in_process
    unittest.TestCase.__getstate__ = _without_outcome
