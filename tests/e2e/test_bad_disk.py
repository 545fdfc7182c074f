"""A disk that is full, and one that cannot be written: a clear error, and a store that goes on working."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from stores import assert_intact

_FIX = "  Fix: free some space or make the folder writable, or name another store with --store DIR.\n"


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


def remount(disk, options):
    """Change a mounted disk."""
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


def run(store, root):
    """Run one component with a store here and artifacts there."""
    arguments = ("bad_runs:at_root", f"--set=root={root}", f"--store={store}", "--quiet")
    return subprocess.run(
        [sys.executable, "-m", "headrace", "run", *arguments],
        cwd=store.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("free_bytes", [40_000, 360_000])
def test_no_room_for_the_database(small_disk, free_bytes):
    """Too little to make it; and to record in it. With room again, the same command does its work."""
    store = small_disk / "store"
    room = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(b"x" * (room.f_bavail * room.f_bsize - free_bytes))

    failed = run(store, store / "artifacts")

    assert failed.returncode == 1, failed.stdout
    assert failed.stderr.startswith(f"StoreError: the store {store} cannot be written: ")
    assert failed.stderr.endswith(_FIX)
    (small_disk / "ballast").unlink()
    remount(small_disk, "size=16m")
    done = run(store, store / "artifacts")
    assert done.returncode == 0, done.stdout + done.stderr
    assert_intact(store)


def test_no_room_for_what_a_component_makes(small_disk, tmp_path):
    """The component fails, nothing half-made stays, and resuming does the work once there is room."""
    store = tmp_path / "store"
    remount(small_disk, "size=200k")

    failed = run(store, small_disk)

    assert failed.returncode == 1
    assert failed.stderr == ""
    assert re.search(
        r"^StoreError: CsvExampleGen: the disk cannot be written: \[Errno 28\] No space left on device.*\n"
        r"  Fix: free some space or make the folder writable; nothing half-written was kept. Then run: headrace resume ",
        failed.stdout,
        re.MULTILINE,
    ), failed.stdout
    assert_intact(store)
    # Beside the store's claim to this root.
    left = [path for path in small_disk.rglob("*") if path.is_file() and path.parent.name != ".headrace-root"]
    assert left == []

    remount(small_disk, "size=16m")
    done = run(store, small_disk)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_intact(store)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_read_only_disk_is_refused_before_anything_starts(small_disk, is_new):
    """Whether there is a store on it already or not."""
    store = small_disk / "store"
    if not is_new:
        store.mkdir()
    remount(small_disk, "ro")

    refused = run(store, store / "artifacts")

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert re.fullmatch(
        rf"StoreError: the store {store} cannot be written: \[Errno \d+\] [\w\- ]+: '{store}.*'\n{re.escape(_FIX)}\n?",
        refused.stderr,
    ), refused.stderr


def test_a_file_in_the_place_of_the_store_is_refused(tmp_path):
    """As any user can meet it."""
    store = tmp_path / "store"
    store.write_text("not a folder")

    refused = run(store, store / "artifacts")

    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"StoreError: the store {store} cannot be written: [Errno 17] File exists: '{store}'\n{_FIX}".strip()
    )
    assert store.read_text() == "not a folder"
