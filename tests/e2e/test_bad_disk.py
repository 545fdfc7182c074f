"""A disk that is full, and one that cannot be written: a clear error, and a store that goes on working."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from stores import assert_intact

from headrace.metadata import runs


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MiB; needs the right to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True
    ).returncode:
        pytest.skip("this user may not mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def headrace(folder, *arguments):
    """Run the taxi pipeline's first component, the store on the small disk."""
    return subprocess.run(
        [sys.executable, "-m", "headrace", *arguments, "--store", str(folder / "store")],
        cwd=folder.parent,
        env={**os.environ, "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def fill(disk, leaving):
    """Leave so many bytes free."""
    room = os.statvfs(disk)
    (disk / "ballast").write_bytes(b"x" * (room.f_bavail * room.f_bsize - leaving))


@pytest.mark.parametrize("leaving", [40_000, 360_000])
def test_a_full_disk_stops_the_node_and_nothing_half_made_stays(small_disk, leaving):
    """Too little room for the database, and for the examples. With room again, the same command does its work."""
    headrace(small_disk, "run", "bad_definitions:good", "--to", "none")
    fill(small_disk, leaving)

    failed = headrace(small_disk, "run", "taxi", "--to", "CsvExampleGen", "--quiet")

    print(failed.stdout, failed.stderr)
    assert failed.returncode == 1
    (small_disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    done = headrace(small_disk, "run", "taxi", "--to", "CsvExampleGen", "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert_intact(small_disk / "store")


@pytest.mark.parametrize("is_new", [True, False])
def test_a_read_only_disk_is_refused_before_anything_starts(small_disk, is_new):
    """Whether there is a store on it already or not."""
    if not is_new:
        subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
        assert headrace(small_disk, "run", "taxi", "--to", "CsvExampleGen", "--quiet").returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    done = headrace(small_disk, "run", "taxi", "--to", "CsvExampleGen", "--quiet")

    print(done.stdout, done.stderr)
    assert done.returncode == 1
    assert done.stderr.startswith("StoreError: ")


def test_a_file_in_the_store_s_place_is_refused(tmp_path):
    """As any user meets it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    (folder / "store").write_text("not a folder")

    done = headrace(folder, "run", "taxi", "--to", "CsvExampleGen", "--quiet")

    print(done.stdout, done.stderr)
    assert done.returncode == 1
    assert done.stderr.startswith("StoreError: ")
