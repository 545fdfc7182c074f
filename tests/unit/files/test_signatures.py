"""What this user signed, and what anybody else put in its place."""

from __future__ import annotations

import os
import pickle
import stat

import pytest

from headrace.files import signatures
from headrace.runtime import partial_results
from headrace.runtime.partial_results import PartialResults


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user without a key."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def test_what_was_signed_verifies_as_what_it_was_signed_as(home):
    """Not as another result, and not with one byte changed, cut or added."""
    signed = signatures.sign(b"found", "statistics")

    assert signatures.verified(signed, "statistics") == b"found"
    assert signatures.verified(signed, "vocabulary") is None
    for other in (signed[:-1], signed + b"x", signed[:20] + b"x" + signed[21:], b"found", b"", signed[:100]):
        assert other == signed or signatures.verified(other, "statistics") is None


def test_the_key_is_the_users_alone_and_outside_of_any_store(home):
    """Readable by nobody else; made once."""
    signed = signatures.sign(b"found", "statistics")
    path = home / "config" / "headrace" / "signing.key"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["signing.key"]
    signatures._key.cache_clear()
    assert signatures.verified(signed, "statistics") == b"found"


def test_another_users_signature_does_not_verify(home, monkeypatch):
    """Each has a key of their own, and results under names of their own."""
    kept = PartialResults(str(home / "kept"))
    path = kept.path("content", "statistics")
    signed = signatures.sign(b"found", "statistics")

    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "other"))

    assert signatures.verified(signed, "statistics") is None
    assert kept.path("content", "statistics") != path


@pytest.mark.parametrize("content", [b"", b"short", bytes(32)])
def test_a_key_that_others_may_read_signs_nothing(home, content):
    """Nothing is kept then, and nothing taken for one's own."""
    path = home / "config" / "headrace" / "signing.key"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(0o644)
    kept = PartialResults(str(home / "kept"))

    assert signatures.identity() == ""
    assert kept.path("content", "statistics") == ""
    assert signatures.verified(signatures.sign(b"found", "x"), "x") is None


class _Runs:
    """A pickle that runs code where it is loaded."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_a_pickle_that_somebody_put_into_the_store_never_runs_and_is_removed(home, monkeypatch):
    """Nor one that was cut, nor one that was signed as another result."""
    monkeypatch.chdir(home)
    kept = PartialResults(str(home / "kept"))
    path, other = (kept.path("content", name) for name in ("statistics", "vocabulary"))
    partial_results.dump(path, {"rows": 3})
    assert partial_results.load(path) == {"rows": 3}
    whole = (home / "kept" / os.path.basename(path)).read_bytes()

    bad = {path: [pickle.dumps(_Runs()), whole[:-1], b""], other: [whole]}
    for place, contents in bad.items():
        for content in contents:
            with open(place, "wb") as file:
                file.write(content)
            assert partial_results.load(place) is None
            assert not os.path.exists(place)
            assert not partial_results.is_kept(place)
    assert not (home / "ran").exists()


def test_a_result_whose_class_is_gone_counts_as_absent(home):
    """It was kept with another version of a library."""
    kept = PartialResults(str(home / "kept"))
    path = kept.path("content", "statistics")
    partial_results.write(path, b"cno_such_module\nNothing\n.")

    assert partial_results.load(path) is None
    assert not os.path.exists(path)
