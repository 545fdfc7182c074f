"""What this user wrote, told from what anybody else put into a folder that others may write.

Content is signed with a key that lies outside of every store, readable by this user alone. What is not signed by it
is never unpickled: a pickle runs code.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import os
import secrets

_MAGIC = b"headrace signed 1\n"
_KEY_BYTES = 32
_HEAD_BYTES = len(_MAGIC) + hashlib.sha256().digest_size


def key_path() -> str:
    """Return where the user's key lies: `headrace/signing.key` in the user's configuration folder."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "headrace", "signing.key")


def identity() -> str:
    """Return what tells this user's signatures from another's; empty where there can be no key."""
    key = _key(key_path())
    return hashlib.sha256(b"identity" + key).hexdigest() if key else ""


def sign(content: bytes, name: str) -> bytes:
    """Return content with its signature in front.

    Args:
        content: Anything.
        name: What it is; content that was signed as something else does not verify.
    """
    return _MAGIC + _digest(content, name) + content


def verified(signed: bytes, name: str) -> bytes | None:
    """Return the content; `None` where this user did not sign exactly this, as this."""
    content = signed[_HEAD_BYTES:]
    head = _MAGIC + _digest(content, name) if identity() else b""
    return content if head and hmac.compare_digest(signed[:_HEAD_BYTES], head) else None


def _digest(content: bytes, name: str) -> bytes:
    signature = hmac.new(_key(key_path()), name.encode() + b"\0", hashlib.sha256)
    signature.update(content)
    return signature.digest()


@functools.lru_cache(maxsize=4)
def _key(path: str) -> bytes:
    """The key, made at first use; empty where it cannot be kept, or where others may read it."""
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        if not os.path.exists(path):
            _make_key(path)
        with open(path, "rb") as file:
            state = os.fstat(file.fileno())
            key = file.read()
        if state.st_uid == os.geteuid() and not state.st_mode & 0o077 and len(key) == _KEY_BYTES:
            return key
    return b""


def _make_key(path: str) -> None:
    """Write a new key; where several processes do so at once, that of the first stays."""
    unfinished = f"{path}.{os.getpid()}-{secrets.token_hex(4)}"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        os.remove(unfinished)
