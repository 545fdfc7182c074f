"""The input of an ExampleGen at an address: found, resolved to a span, known again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import fsspec
import pytest

from headrace.authoring.light import authoring
from headrace.errors import MissingFileError
from headrace.sources import input_files
from headrace.sources.source import Request
from headrace.sources.spans import SplitPattern

with authoring():
    from tfx.proto import example_gen_pb2


@pytest.fixture
def base() -> Iterator[str]:
    memory = fsspec.filesystem("memory")
    address = f"memory://{uuid.uuid4().hex}/trips"
    for name in (
        "span-9/v1/a.csv",
        "span-9/v2/a.csv",
        "span-10/v1/a.csv",
        "span-10/v1/b.csv",
        "span-10/v1/.x.csv",
    ):
        memory.pipe_file(f"{address}/{name}", name.encode())
    yield address
    memory.store.clear()


def test_the_latest_span_and_version_are_found(base: str):
    pattern = SplitPattern.parse("all", "span-{SPAN}/v{VERSION}/*.csv")

    assert pattern.find_latest(base, {}).order == (10, 1)
    assert pattern.find_latest(f"{base}/", {"SPAN": "9"}).order == (9, 2)
    with pytest.raises(MissingFileError, match=f"no file matches pattern .* with span 7 in '{base}'"):
        pattern.find_latest(base, {"SPAN": "7"})


def test_hidden_files_are_left_out(base: str):
    expected = [f"{base}/span-10/v1/a.csv", f"{base}/span-10/v1/b.csv"]

    assert input_files.find(base, "span-10/v1/*") == expected
    assert input_files.find(f"{base}/", "span-10/v1/*") == expected


def test_errors_say_what_is_there(base: str):
    with pytest.raises(MissingFileError, match="It holds 'span-10', 'span-9'"):
        input_files.find(base, "*.parquet")
    with pytest.raises(MissingFileError, match=f"there is nothing at input_base '{base}-none'"):
        input_files.find(f"{base}-none", "*")


def test_one_file_is_its_folder_with_its_name(base: str):
    request = Request(f"{base}/span-9/v1/a.csv", [example_gen_pb2.Input.Split(name="all", pattern="*")])

    folder = input_files.in_folder(request)

    assert folder.place == f"{base}/span-9/v1"
    assert input_files.find(folder.place, folder.splits[0].pattern) == [request.place]


def test_a_fingerprint_says_by_what_the_files_are_known(base: str, monkeypatch: pytest.MonkeyPatch):
    """Another etag is another input; two equal looks are the same."""
    paths = input_files.find(base, "span-10/v1/*")
    etags = {paths[0]: "1", paths[1]: "2"}
    monkeypatch.setattr(
        "headrace.files.elsewhere.info",
        lambda address: {"ETag": etags[address], "size": 3, "type": "file"},
    )

    first = input_files.fingerprint("all", paths)
    assert first.startswith("split:all,num_files:2,total_bytes:6,etag:")
    assert input_files.fingerprint("all", paths) == first
    assert input_files.fingerprint("all", paths[:1]) == "split:all,num_files:1,total_bytes:3,etag:1"
    etags[paths[1]] = "3"
    assert input_files.fingerprint("all", paths) != first
