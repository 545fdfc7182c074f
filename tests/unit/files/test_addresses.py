"""Addresses with a scheme."""

from __future__ import annotations

import pytest

from headrace.errors import UnsupportedFeatureError
from headrace.files.addresses import local_path
from headrace.store.open.store import Store


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("root", "root"),
        ("/a b/c%20d", "/a b/c%20d"),
        ("a:b", "a:b"),
        ("a:/b", "a:/b"),
        ("./gs://x", "./gs://x"),
        ("file:///a b/c%20d", "/a b/c%20d"),
        ("FILE:///a", "/a"),
        ("", ""),
    ],
)
def test_what_names_this_machine_is_a_path(address: str, path: str):
    assert local_path(address, "the store") == path


@pytest.mark.parametrize(
    "address", ["gs://bucket/x", "s3://bucket", "hdfs://host:9000/x", "file://host/x", "file://"]
)
def test_what_names_another_machine_is_refused(address: str, tmp_path, monkeypatch):
    """In one sentence, before anything is made."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UnsupportedFeatureError, match=f"the store is '{address}', and cannot be: "):
        Store(address)

    assert list(tmp_path.iterdir()) == []


def test_a_password_in_an_address_is_not_told():
    """The sentence may be recorded with a run."""
    with pytest.raises(UnsupportedFeatureError) as caught:
        local_path("sftp://me:sesame@host/x", "input 'model'")

    assert caught.value.problem.startswith("input 'model' is 'sftp://me:***@host/x', and cannot be: ")
