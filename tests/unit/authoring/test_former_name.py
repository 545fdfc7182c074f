"""`headrace.sdk`, as pipelines of earlier versions import it."""

from __future__ import annotations

import importlib
import sys

import pytest

from headrace import authoring
from headrace.authoring import light


def test_the_former_name_gives_the_same_and_says_the_new_one(monkeypatch):
    monkeypatch.delitem(sys.modules, "headrace.sdk", raising=False)

    with pytest.warns(DeprecationWarning, match=r"headrace\.authoring"):
        former = importlib.import_module("headrace.sdk")

    assert {name: getattr(former, name) for name in authoring.__all__} == {
        name: getattr(authoring, name) for name in authoring.__all__
    }


def test_a_pipeline_that_an_earlier_version_exported_still_loads():
    """It imports TFX's classes with Headrace's `authoring`."""
    from headrace.sdk.light import authoring as former

    assert former is light.authoring


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("pipeline", "Pipeline"),
        ("component", "Component"),
        ("component", "ComponentSpec"),
        ("resources", "with_resources"),
    ],
)
def test_what_pipelines_import_from_its_modules_is_the_same(module: str, name: str):
    assert getattr(importlib.import_module(f"headrace.sdk.{module}"), name) is getattr(authoring, name)
