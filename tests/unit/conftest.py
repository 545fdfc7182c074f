"""Unit tests load no heavy library: one alone takes longer than most of them together."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

HEAVY = ("tensorflow", "apache_beam")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Refuse a file that imports one."""
    before = set(sys.modules)
    report = yield
    loaded = _loaded_since(before)
    if loaded:
        report.outcome = "failed"  # type: ignore[attr-defined]
        report.longrepr = f"{collector.nodeid} loads {loaded}: it belongs to the integration tests."  # type: ignore[attr-defined]
    return report


@pytest.fixture(autouse=True)
def _light() -> Iterator[None]:
    before = set(sys.modules)
    yield
    loaded = _loaded_since(before)
    assert not loaded, f"it loads {loaded}, and belongs to the integration tests"


def _loaded_since(before: set[str]) -> str:
    return ", ".join(name for name in HEAVY if name in sys.modules and name not in before)
