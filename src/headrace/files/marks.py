"""By what the contents of files elsewhere are told apart without reading them: what their store says of each.

Of a file on this machine a digest is made; an object store, a web server or a remote disk tells a checksum, a version,
or a time and a size. What tells none of them has a mark that equals no other, so nothing is taken from the cache.
"""

from __future__ import annotations

import datetime
import email.utils
import hashlib
import time
from collections.abc import Sequence
from typing import Any

from headrace.files import elsewhere
from headrace.files.elsewhere import Info
from headrace.files.payloads import unknown_digest

# What a store says of a file, what is of its bytes first. S3, Google and Azure, web servers; each has its own words.
_OF_CONTENT = ("md5Hash", "Content-MD5", "content_md5", "crc32c", "checksum", "ETag", "etag", "Digest")
_OF_VERSION = ("generation", "VersionId", "version_id")
_OF_TIME = ("mtime", "LastModified", "last_modified", "Last-Modified", "updated", "modified")
# Within one tick of a store's clock a second change of the same size would leave no trace.
_RACY_SECONDS = 2.0

MISSING = "missing"


def content(address: str) -> str:
    """Return what stands for the content of a file, or of a folder with all that is in it.

    Returns:
        Such as `"etag:9b2cf535f27731c974343645a3985328"`; `"missing"` where there is nothing; an unknown digest (see
        `payloads.is_unknown`) where the store says nothing that a change would be sure to change.

    Raises:
        UnreachableError: If the address cannot be reached.
    """
    if elsewhere.is_file(address):
        return combined([("", elsewhere.info(address))])
    return combined([*elsewhere.walk(address).items()]) if elsewhere.is_folder(address) else MISSING


def combined(files: Sequence[tuple[str, Info]]) -> str:
    """Return what stands for the contents of files, in their order and under their names; see `content`."""
    found = [(name, *mark(info)) for name, info in files]
    if not all(kind for _, kind, _ in found):
        return unknown_digest()
    if len(found) == 1 and not found[0][0]:
        return ":".join(found[0][1:])
    # A name may hold anything, a newline or bytes that are no text among it.
    text = "\n".join(f"{name!a} {value}" for name, _, value in found)
    kinds = " or ".join(sorted({kind for _, kind, _ in found})) or "nothing"
    return f"{kinds}:{hashlib.sha256(text.encode()).hexdigest()}"


def mark(look: Info) -> tuple[str, str]:
    """Return by what a store tells a file's contents apart, and what that is now.

    Returns:
        `"etag"` or what else the store calls it, and its value; for times with the size beside it. Both are empty
        where it says nothing that a change would be sure to change.
    """
    for names in (_OF_CONTENT, _OF_VERSION):
        for name in names:
            if value := _exact(look.get(name)):
                return name.lower(), value
    for name in _OF_TIME:
        moment = look.get(name)
        if moment and look.get("size") is not None and not _is_young(moment):
            return f"{name.lower()} and size", f"{moment} {look['size']}"
    return "", ""


def _exact(value: Any) -> str:
    """What tells contents apart, as text; empty of a weak etag, which two contents may share (RFC 9110, 8.8.1)."""
    text = str(value or "")
    return "" if text.startswith("W/") else text.strip('"')


def _is_young(moment: Any) -> bool:
    """Whether a time is too near to tell what changes now; so is one that cannot be read."""
    seconds = _seconds(moment)
    return seconds is None or not time.time() - seconds >= _RACY_SECONDS


def _seconds(moment: Any) -> float | None:
    if isinstance(moment, str):
        try:
            # As web servers write it, and in ISO's form.
            moment = email.utils.parsedate_to_datetime(moment) if "," in moment else _of_iso(moment)
        except ValueError:
            return None
    if isinstance(moment, datetime.datetime):
        # Without a zone it may be either; the later one is the safe one.
        in_utc = moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
        return max(moment.timestamp(), in_utc.timestamp())
    return float(moment) if isinstance(moment, (int, float)) else None


def _of_iso(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
