"""By what files elsewhere are known again: a change is seen, and what cannot tell never counts as the same."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

from headrace.files import marks, payloads

_OLD = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
_LATER = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)

# What stores say of a file, and what is made of it; empty where that is nothing.
LOOKS = [
    ({"ETag": '"9b2c"', "LastModified": _OLD, "size": 3}, "etag:9b2c"),
    ({"etag": "CJ", "md5Hash": "nhB9nTcrtoJr2B01QqQZ1g==", "generation": "17"}, "md5hash:nhB9nTcrtoJr2B01QqQZ1g=="),
    ({"generation": "17", "updated": "2026-01-02T03:04:05Z", "size": 3}, "generation:17"),
    ({"VersionId": None, "ETag": "", "LastModified": _OLD, "size": 3}, f"lastmodified and size:{_OLD} 3"),
    ({"mtime": 1000.5, "size": 3}, "mtime and size:1000.5 3"),
    ({"Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT", "size": 3},
     "last-modified and size:Fri, 02 Jan 2026 03:04:05 GMT 3"),
    ({"updated": "2026-01-02T03:04:05Z", "size": 3}, "updated and size:2026-01-02T03:04:05Z 3"),
    ({"mtime": _LATER.timestamp(), "size": 3}, ""),
    ({"created": _OLD, "size": 3}, ""),
    ({"modified": _LATER, "size": 3}, ""),
    ({"mtime": float("nan"), "size": 3}, ""),
    ({"ETag": '""', "size": 3}, ""),
    ({"ETag": 'W/"9b2c"', "size": 3}, ""),
    ({"ETag": 'W/"9b2c"', "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT", "size": 3},
     "last-modified and size:Fri, 02 Jan 2026 03:04:05 GMT 3"),
    ({"updated": _LATER.isoformat(), "size": 3}, ""),
    ({"mtime": "yesterday", "size": 3}, ""),
    ({"mtime": 1000.5, "size": None}, ""),
    ({"size": 3, "type": "file"}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("look", "expected"), LOOKS)
def test_what_a_store_says_is_taken_in_its_order(look: dict[str, Any], expected: str):
    """Checksums before versions before times; a time that is too near tells nothing."""
    found = marks.combined([("", look)])

    assert (found == expected) if expected else payloads.is_unknown(found)


def test_several_files_have_one_mark_under_their_names():
    one, other = {"ETag": "1"}, {"ETag": "2"}
    found = marks.combined([("a", one), ("b", other)])

    assert found.startswith("etag:")
    assert found == marks.combined([("a", dict(one)), ("b", dict(other))])
    assert found != marks.combined([("a", other), ("b", one)])
    assert found != marks.combined([("a", one), ("c", other)])
    assert found != marks.combined([("a 1\nb", other)])
    assert marks.combined([("\udcff", one)]) != marks.combined([("\udcfe", one)])
    assert marks.combined([("a", one), ("b", {"mtime": 1.0, "size": 3})]).startswith(
        "etag or mtime and size:"
    )


def test_one_file_of_which_nothing_is_known_makes_all_unknown():
    several = [("a", {"ETag": "1"}), ("b", {"size": 3})]

    assert payloads.is_unknown(marks.combined(several))
    assert marks.combined(several) != marks.combined(several)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_time_without_a_zone_is_young_in_every_reading(monkeypatch: pytest.MonkeyPatch, zone: str):
    """Some stores mean UTC, some the time of the machine."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for now in (
            datetime.datetime.now(),
            datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None),
        ):
            assert marks.mark({"modified": now, "size": 3}) == ("", "")
            assert marks.mark({"updated": now.isoformat(), "size": 3}) == ("", "")
    finally:
        monkeypatch.undo()
        time.tzset()
