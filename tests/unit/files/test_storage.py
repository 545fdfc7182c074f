"""The same questions about the same files, on this machine and at addresses: the answers do not differ."""

from __future__ import annotations

import http.server
import os
import threading
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import fsspec
import pytest

from headrace import files
from headrace.errors import (
    HeadraceError,
    MissingFileError,
    SetupError,
    UnreachableError,
    UnsupportedFeatureError,
)
from headrace.files import elsewhere

TREE = {
    "a.csv": b"x,y\n1,2\n",
    "b.csv": b"",
    ".hidden.csv": b"h",
    "span-1/a.csv": b"1",
    "span-2/b.csv": b"2",
    "span-2/deep/c.csv": b"33",
    "odd[1]/d.csv": b"4",
}


@pytest.fixture
def here(tmp_path: Path) -> str:
    for name, content in TREE.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(tmp_path / "data")


@pytest.fixture
def away() -> Iterator[str]:
    base = f"memory://{uuid.uuid4().hex}/data"
    memory = fsspec.filesystem("memory")
    for name, content in TREE.items():
        memory.pipe_file(f"{base}/{name}", content)
    yield base
    memory.store.clear()


class _Web(http.server.SimpleHTTPRequestHandler):
    """Python's own server: it tells sizes, and sends whole files whatever part is asked for."""

    def log_message(self, format: str, *values: object) -> None:
        pass


@pytest.fixture
def web(here: str) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Web, directory=here)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "pattern",
    [
        *("*", "*.csv", ".*.csv", "a.csv", "none.csv", "span-1"),
        *("span-*/*.csv", "span-?/a.csv", "span-[!1]/*", "none/*", "*/*/*", "odd[[]1]/*", "**/*.csv"),
    ],
)
def test_patterns_find_the_same(here: str, away: str, pattern: str):
    for find in (files.matching, files.matching_files):
        expected = [path.removeprefix(here) for path in find(f"{here}/{pattern}")]

        assert [path.removeprefix(away) for path in find(f"{away}/{pattern}")] == expected


def test_questions_are_answered_the_same(here: str, away: str):
    for name in ("a.csv", "b.csv", "span-2", "span-2/deep/c.csv", "none", "a"):
        one, other = f"{here}/{name}", f"{away}/{name}"
        for ask in (files.exists, files.is_file, files.is_folder):
            assert ask(one) == ask(other), (ask, name)
        if files.is_file(one):
            assert files.size(one) == files.size(other)
            assert files.read_bytes(one) == files.read_bytes(other)
            assert files.has_same_bytes(one, other)
    assert files.names_in(f"{away}/a.csv") == []
    for name in ("", "/span-2"):
        assert files.names_in(here + name) == files.names_in(away + name)
        assert files.file_sizes(here + name) == files.file_sizes(away + name)
        assert files.files_below(here + name) == files.files_below(away + name)
    assert not files.has_same_bytes(f"{here}/a.csv", f"{away}/span-1/a.csv")
    assert files.sizes_of([f"{here}/a.csv", f"{away}/a.csv"]) == [8, 8]


def test_what_was_written_since_is_seen(away: str):
    """Lists that a package keeps must not hide what others write."""
    assert files.matching(f"{away}/new/*") == []
    fsspec.filesystem("memory").pipe_file(f"{away}/new/z.csv", b"z")

    assert files.matching(f"{away}/new/*") == [f"{away}/new/z.csv"]


def test_an_open_file_is_read_in_lines_and_from_any_place(here: str, away: str, web: str):
    for path in (f"{here}/a.csv", f"file://{here}/a.csv", f"{away}/a.csv", f"{web}/a.csv"):
        with files.open_file(path) as file:
            assert file.readline() == b"x,y\n"
            file.seek(6)
            assert file.read() == b"2\n"
            file.seek(0)
            assert file.read(3) == b"x,y"
        with files.open_text(path) as text:
            assert text.read() == "x,y\n1,2\n"


def test_a_web_server_that_sends_no_parts_is_read_from_any_place(here: str, web: str):
    """fsspec asks for parts; where it gets the whole it says so in the middle of the file."""
    content = bytes(range(256)) * (100 << 10)
    Path(here, "large").write_bytes(content)

    with files.open_file(f"{web}/large") as file:
        assert file.read(10) == content[:10]
        file.seek(20 << 20)
        assert file.read() == content[20 << 20 :]


def test_copies_arrive_whole(away: str, tmp_path: Path):
    files.copy_file(f"{away}/a.csv", str(tmp_path / "deep" / "a.csv"))

    assert (tmp_path / "deep" / "a.csv").read_bytes() == TREE["a.csv"]


@pytest.mark.parametrize("scheme", ["s3", "gs", "sftp"])
def test_a_package_that_is_missing_is_named(scheme: str, monkeypatch: pytest.MonkeyPatch):
    """In one sentence, with the command that installs it."""
    package = {"s3": "s3fs", "gs": "gcsfs", "sftp": "paramiko"}[scheme]
    monkeypatch.setitem(__import__("sys").modules, package, None)

    with pytest.raises(SetupError) as caught:
        files.open_file(f"{scheme}://bucket/a.csv")

    assert str(caught.value) == (
        f"'{scheme}://bucket/a.csv' cannot be reached: the package '{package}' is not installed.\n"
        f"  Fix: run: pip install {package}"
    )


def test_fsspec_itself_may_be_missing(monkeypatch: pytest.MonkeyPatch, here: str):
    """Files of this machine need none of it."""
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)

    assert files.read_bytes(f"{here}/a.csv") == TREE["a.csv"]
    with pytest.raises(SetupError, match="the package 'fsspec' is not installed"):
        files.exists("s3://bucket")


@pytest.mark.parametrize("address", ["nowhere://bucket/a.csv", "zip://a.csv::s3://bucket/a.zip"])
def test_what_nobody_serves_is_told(address: str):
    with pytest.raises(UnsupportedFeatureError, match="cannot be read or written"):
        files.open_file(address)


def test_a_missing_file_is_named_by_its_address(away: str, web: str):
    for base in (away, web):
        with pytest.raises(MissingFileError) as caught:
            files.open_file(f"{base}/none.csv")

        assert str(caught.value) == f"there is nothing at '{base}/none.csv'.\n  Fix: correct the address."


def test_a_server_that_does_not_answer_is_no_missing_file():
    """The port is nobody's: what is there cannot be told, and must not count as gone."""
    for ask in (files.open_file, files.exists, files.is_file, files.size):
        with pytest.raises(UnreachableError, match=r"'http://127\.0\.0\.1:9/a\.csv' cannot be reached: "):
            ask("http://127.0.0.1:9/a.csv")


class NoCredentialsError(Exception):
    """As botocore's, which is no error of the system's."""


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (PermissionError(13, "Access Denied"), "give credentials"),
        (NoCredentialsError("Unable to locate credentials"), "give credentials"),
        (TimeoutError(), "check the address and the network"),
        (ConnectionError("no route\nto the host"), "check the address and the network"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_of_packages_become_one_sentence(error: Exception, fix: str):
    with pytest.raises(UnreachableError) as caught, elsewhere.reaching("s3://bucket/a"):
        raise error

    assert caught.value.problem.startswith(f"'s3://bucket/a' cannot be reached: {type(error).__name__}")
    assert "\n" not in caught.value.problem
    assert caught.value.fix.startswith(fix)
    assert isinstance(caught.value, HeadraceError)


def test_a_password_in_an_address_is_not_told():
    with pytest.raises(UnreachableError) as caught, elsewhere.reaching("ftp://me:hush@host/a"):
        raise ConnectionError("no route to ftp://me:hush@host/a")

    assert "hush" not in str(caught.value)
    assert "ftp://me:***@host/a" in caught.value.problem


def test_a_web_server_that_lists_its_folders_is_searched(web: str):
    assert files.matching_files(f"{web}/*.csv") == [f"{web}/a.csv", f"{web}/b.csv"]
    assert files.matching_files(f"{web}/span-*/*.csv") == [f"{web}/span-1/a.csv", f"{web}/span-2/b.csv"]
    assert files.is_folder(f"{web}/span-1")


def test_an_error_while_a_file_is_read_names_the_address(away: str, monkeypatch: pytest.MonkeyPatch):
    with files.open_file(f"{away}/a.csv") as file:
        monkeypatch.setattr(elsewhere._Raw, "_read", lambda self, num_bytes: 1 / 0)

        with pytest.raises(UnreachableError, match=f"'{away}/a.csv' cannot be reached: ZeroDivisionError"):
            file.read()


def test_a_file_that_ends_too_early_is_no_shorter_file(away: str, monkeypatch: pytest.MonkeyPatch):
    """A connection that breaks off may look like the end: rows would be lost without a word."""
    read = elsewhere._Raw._read
    monkeypatch.setattr(
        elsewhere._Raw, "_read", lambda self, num_bytes: b"" if self.tell() else read(self, min(5, num_bytes))
    )

    with files.open_file(f"{away}/a.csv") as file, pytest.raises(UnreachableError) as caught:
        file.read()

    assert caught.value.problem == (
        f"'{away}/a.csv' cannot be reached: EOFError: it ended after 5 of 8 bytes."
    )
    with files.open_file(f"{away}/a.csv") as file:
        file.seek(100)
        assert file.read() == b""


def test_links_are_followed_as_on_this_machine(away: str, monkeypatch: pytest.MonkeyPatch):
    """SFTP tells of a link in a list that it is one, and what it leads to when asked."""
    memory = fsspec.filesystem("memory")
    kind = type(memory)
    ask, ls = kind.info, kind.ls
    links = {"l.csv": "a.csv", "linked": "span-2", "broken": "nothing"}

    def listed(self: object, path: str, detail: bool = True, **given: object) -> list[dict[str, object]]:
        found = ls(self, path, detail, **given)
        top = kind._strip_protocol(away)
        added = [{"name": f"{top}/{name}", "size": 1, "type": "link"} for name in links]
        return [*found, *added] if detail and kind._strip_protocol(path) == top else found

    def info(self: object, path: str, **given: object) -> dict[str, object]:
        name = path.rpartition("/")[2]
        found = ask(self, f"{away}/{links[name]}" if name in links else path, **given)
        return {**found, "name": path}

    monkeypatch.setattr(kind, "ls", listed)
    monkeypatch.setattr(kind, "info", info)
    monkeypatch.setattr(kind, "find", fsspec.AbstractFileSystem.find)

    assert files.matching_files(f"{away}/*.csv") == [f"{away}/a.csv", f"{away}/b.csv", f"{away}/l.csv"]
    assert files.file_sizes(away)["l.csv"] == 8
    assert "broken" not in files.files_below(away)


def test_a_pipe_is_not_waited_for(tmp_path: Path):
    """In a store from elsewhere one may lie in the place of a payload."""
    os.mkfifo(tmp_path / "pipe")

    for opened in (files.open_file, files.open_text, files.read_bytes):
        with pytest.raises(OSError, match="it is a pipe"):
            opened(str(tmp_path / "pipe"))
    with pytest.raises(IsADirectoryError):
        files.open_file(str(tmp_path))
