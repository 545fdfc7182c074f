"""Files at addresses such as `s3://bucket/data`, reached through fsspec and the package that it has for the scheme.

Credentials, end points and timeouts are those that fsspec and that package find in their environment variables and
configuration files. What goes wrong is an error that names the address. Nothing is imported before it is needed.
"""

from __future__ import annotations

import contextlib
import fnmatch
import glob
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, TypeVar, cast

from headrace import secrets
from headrace.errors import (
    HeadraceError,
    MissingFileError,
    SetupError,
    UnreachableError,
    UnsupportedFeatureError,
)
from headrace.files import addresses

# Object stores answer one question in tens of milliseconds, and many at once in the same time.
_THREADS = 16
_BUFFER_BYTES = 1 << 20
_WEB = ("http", "https")

Info = dict[str, Any]
Result = TypeVar("Result")


def filesystem(address: str) -> tuple[Any, str]:
    """Return fsspec's file system for an address, and the address as that names it.

    Raises:
        SetupError: If a package is missing.
        UnsupportedFeatureError: If nothing is known of the scheme.
    """
    scheme = addresses.scheme(address)
    try:
        import fsspec
        from fsspec.core import url_to_fs
        from fsspec.registry import get_filesystem_class
    except ImportError as error:
        raise _missing_package(address, "fsspec") from error
    if "::" in address:
        raise _unknown(address, "chains of addresses are not followed")
    try:
        get_filesystem_class(scheme)
    except ImportError as error:
        raise _missing_package(address, _package(scheme, error)) from error
    except ValueError as error:
        raise _unknown(address, f"fsspec {fsspec.__version__} knows no '{scheme}://'") from error
    with reaching(address):
        found, path = url_to_fs(address)
        # Its lists are kept for as long as the process lives, and others write there.
        found.invalidate_cache()
        return found, path


def _package(scheme: str, error: ImportError) -> str:
    """The package to install: that of the file system, or what fsspec's own one needs."""
    from fsspec.registry import known_implementations

    package = str(known_implementations[scheme]["class"]).partition(".")[0]
    cause = error.__cause__
    needed = cause.name if isinstance(cause, ImportError) and cause.name else ""
    return needed.partition(".")[0] or package if package == "fsspec" else package


def _unknown(address: str, reason: str) -> UnsupportedFeatureError:
    return UnsupportedFeatureError(
        f"'{secrets.mask_text(address)}' cannot be read or written: {reason}.",
        "give a path on this machine, or an address such as s3://bucket/folder.",
    )


def _missing_package(address: str, package: str) -> SetupError:
    return SetupError(
        f"'{secrets.mask_text(address)}' cannot be reached: the package '{package}' is not installed.",
        f"run: pip install {package}",
    )


@contextlib.contextmanager
def reaching(address: str) -> Iterator[None]:
    """Around what asks a store: its errors, of as many kinds as there are packages, become ones that name the address.

    Raises:
        MissingFileError: If there is nothing at the address.
        UnreachableError: If it cannot be reached, or this user may not.
    """
    try:
        yield
    except HeadraceError:
        raise
    except Exception as error:
        cause = _cause(error, address)
        # An address may hold a password.
        shown = secrets.mask_text(address)
        if isinstance(cause, FileNotFoundError):
            raise MissingFileError(f"there is nothing at '{shown}'.", "correct the address.") from error
        name = type(cause).__name__
        text = secrets.mask_text((str(cause).strip() or name).splitlines()[0].rstrip("."))
        is_refused = (
            isinstance(cause, PermissionError)
            or getattr(cause, "status", 0) in (401, 403)
            or "credential" in f"{name} {text}".lower()
        )
        raise UnreachableError(
            f"'{shown}' cannot be reached: {name}: {text}.",
            "give credentials that may do this, in the way of the package that serves "
            f"{addresses.scheme(address)}://, then resume."
            if is_refused
            else "check the address and the network, then resume.",
        ) from error


def _cause(error: Exception, address: str) -> BaseException:
    """What happened: of a web server that does not answer fsspec says the same as of a page that there is not."""
    cause = error.__cause__
    is_said_of_all = isinstance(error, FileNotFoundError) and addresses.scheme(address) in _WEB
    return cause if cause and is_said_of_all and getattr(cause, "status", 0) not in (404, 410) else error


def info(address: str) -> Info:
    """Return what the store says of a file or folder: at least `size`, which may be null, and `type`.

    Raises:
        MissingFileError: If there is nothing.
        UnreachableError: If it cannot be reached.
    """
    found, path = filesystem(address)
    with reaching(address):
        return dict(found.info(path))


def infos(several: Sequence[str]) -> list[Info]:
    """Return `info` of each address, in order; several are asked for at once."""
    return at_once(info, several)


def at_once(ask: Callable[[str], Result], several: Sequence[str]) -> list[Result]:
    """Return what a function says of each address, in order; several are asked for at once."""
    # Here, as the other imports of rarely needed modules: each start of a command would pay for them.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(ask, several))


def exists(address: str) -> bool:
    """Whether there is a file or folder; where nobody can tell, an `UnreachableError`."""
    try:
        info(address)
    except MissingFileError:
        return addresses.scheme(address) in _WEB and is_folder(address)
    return True


def is_folder(address: str) -> bool:
    """Whether there is a folder, which in an object store is what some names begin with."""
    found, path = filesystem(address)
    with contextlib.suppress(MissingFileError), reaching(address):
        if addresses.scheme(address) in _WEB:
            return bool(found.isdir(path))
        return bool(found.info(path)["type"] == "directory")
    return False


def is_file(address: str) -> bool:
    """Whether there is a file."""
    try:
        return bool(info(address)["type"] == "file")
    except MissingFileError:
        return False


def listed(folder: str) -> dict[str, Info]:
    """Return what is in a folder, by name; nothing where there is no folder."""
    found, path = filesystem(folder)
    entries: list[Info] = []
    with contextlib.suppress(MissingFileError), reaching(folder), contextlib.suppress(NotADirectoryError):
        entries = found.ls(path, detail=True)
    names = {str(entry["name"]).rstrip("/"): entry for entry in entries}
    # An object may stand for the folder itself, and a web page links to what is elsewhere.
    names.pop(path.rstrip("/"), None)
    last = {name.rpartition("/")[2]: names[name] for name in sorted(names)}
    return {name: _followed(f"{folder.rstrip('/')}/{name}", entry) for name, entry in last.items()}


def _followed(address: str, entry: Info) -> Info:
    """What a link leads to, as on this machine: a list tells of it that it is one. One that leads nowhere stays."""
    with contextlib.suppress(MissingFileError):
        return info(address) if entry["type"] == "link" else entry
    return entry


def matching(pattern: str) -> dict[str, Info]:
    """Return what fits a pattern, by address: what `glob.glob` would find in folders."""
    scheme, _, rest = pattern.partition("://")
    parts = rest.split("/")
    num_plain = next((at for at, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    start = f"{scheme}://{'/'.join(parts[:num_plain])}"
    if num_plain == len(parts):
        with contextlib.suppress(MissingFileError):
            return {start: info(start)}
        return {}
    found = _matching_in(start, parts[num_plain:])
    return {address: found[address] for address in sorted(found)}


def _matching_in(folder: str, parts: Sequence[str]) -> dict[str, Info]:
    head, rest = parts[0], parts[1:]
    if not glob.has_magic(head):
        # A name of the pattern behind a wildcard.
        address = f"{folder}/{head}"
        if rest:
            return _matching_in(address, rest)
        with contextlib.suppress(MissingFileError):
            return {address: info(address)}
        return {}
    found: dict[str, Info] = {}
    for name, entry in listed(folder).items():
        is_hidden = name.startswith(".") and not head.startswith(".")
        if is_hidden or not fnmatch.fnmatchcase(name, head):
            continue
        address = f"{folder}/{name}"
        if not rest:
            found[address] = entry
        elif entry["type"] == "directory":
            found.update(_matching_in(address, rest))
    return found


def walk(folder: str) -> dict[str, Info]:
    """Return every file below a folder, by its path in it; nothing where there is no folder."""
    found, path = filesystem(folder)
    entries: dict[str, Info] = {}
    with contextlib.suppress(MissingFileError), reaching(folder):
        entries = found.find(path, detail=True)
    start = path.rstrip("/") + "/"
    below = {
        name.removeprefix(start): entry for name, entry in sorted(entries.items()) if name.startswith(start)
    }
    seen = {name: _followed(f"{folder.rstrip('/')}/{name}", entry) for name, entry in below.items()}
    return {name: entry for name, entry in seen.items() if entry["type"] == "file"}


def open_file(address: str) -> BinaryIO:
    """Open a file to read its bytes from the start; it can be sought in.

    Raises:
        MissingFileError: If there is none.
        UnreachableError: If it cannot be reached, also while it is read.
    """
    found, path = filesystem(address)
    with reaching(address):
        if addresses.scheme(address) not in _WEB:
            return io.BufferedReader(_Raw(address, found.open(path, "rb")), _BUFFER_BYTES)
        if found.info(path).get("size") is None:
            return cast(BinaryIO, _fetched(found, path))
        return io.BufferedReader(_WebRaw(address, found.open(path, "rb")), _BUFFER_BYTES)


def _fetched(found: Any, path: str) -> Any:
    """A whole file of a web server, which need not tell sizes and send parts."""
    import shutil
    import tempfile

    copy = tempfile.TemporaryFile()  # noqa: SIM115 - its reader closes it
    with contextlib.closing(found.open(path, "rb", block_size=0)) as stream:
        shutil.copyfileobj(stream, copy, _BUFFER_BYTES)
    copy.seek(0)
    return copy


class _Raw(io.RawIOBase):
    """An open file of fsspec's whose errors name its address."""

    def __init__(self, address: str, file: Any) -> None:
        self.name = address
        self._file = file
        # Streams of the web have none.
        size = getattr(file, "size", None)
        self._size = size if isinstance(size, int) else None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with reaching(self.name):
            data = self._read(len(buffer))
            if not data and self._size is not None and self.tell() < self._size:
                raise EOFError(f"it ended after {self.tell():,} of {self._size:,} bytes")
        buffer[: len(data)] = data
        return len(data)

    def _read(self, num_bytes: int) -> bytes:
        return cast(bytes, self._file.read(num_bytes))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with reaching(self.name):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class _WebRaw(_Raw):
    """A file of a web server; the whole is fetched where the server turns out not to send parts."""

    def _read(self, num_bytes: int) -> bytes:
        place = self._file.tell()
        try:
            return super()._read(num_bytes)
        except ValueError:
            self._file = _fetched(*filesystem(self.name))
            self._file.seek(place)
            return super()._read(num_bytes)


def size(address: str) -> int:
    """Return the size of a file in bytes."""
    found = info(address)["size"]
    if found is not None:
        return int(found)
    with open_file(address) as file:
        return file.seek(0, io.SEEK_END)


def upload(path: str, address: str) -> None:
    """Write a file of this machine to an address.

    Raises:
        UnreachableError: If it cannot be written.
    """
    found, target = filesystem(address)
    try:
        _write(found, path, target, address)
    except MissingFileError as error:
        raise UnreachableError(
            f"'{secrets.mask_text(address)}' cannot be written: there is no such bucket or folder.",
            "make it, or correct the address.",
        ) from error


def _write(found: Any, path: str, target: str, address: str) -> None:
    with reaching(address):
        # Object stores have no folders, and some would make a bucket.
        if not found.async_impl:
            found.makedirs(target.rpartition("/")[0], exist_ok=True)
        found.put_file(path, target)


def discard(folder: str) -> None:
    """Remove a folder with all that is in it, as far as that goes."""
    with contextlib.suppress(Exception):
        found, path = filesystem(folder)
        found.rm(path, recursive=True)


def is_storage(scheme: str) -> bool:
    """Whether a scheme is one of files whose package is installed; of the web nobody knows what is a file."""
    if scheme in ("", *_WEB):
        return False
    try:
        from fsspec.registry import get_filesystem_class

        get_filesystem_class(scheme)
    except (ImportError, ValueError):
        return False
    return True
