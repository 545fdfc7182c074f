"""Errors are interface: they cross processes and read the same everywhere."""

from __future__ import annotations

import pickle

import pytest

from headrace import errors


def all_errors() -> list[type[errors.HeadraceError]]:
    found = [errors.HeadraceError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_survives_pickling(kind: type[errors.HeadraceError]):
    copy = pickle.loads(pickle.dumps(kind("what happened.", "what to do.")))

    assert type(copy) is kind
    assert str(copy) == "what happened.\n  Fix: what to do."


def test_no_error_changes_the_constructor():
    assert all("__init__" not in vars(kind) for kind in all_errors()[1:])


def test_the_tree_in_the_docstring_is_complete():
    missing = [kind.__name__ for kind in all_errors() if kind.__name__ not in (errors.__doc__ or "")]

    assert missing == []


def test_a_near_name_is_suggested():
    assert errors.did_you_mean("evl", ["eval", "train"]) == "did you mean 'eval'? "
    assert errors.did_you_mean("zzz", ["eval", "train"]) == ""
