"""How much memory and how many processors a process may use, by the files in which Linux tells limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.authoring.resources import Resources
from headrace.orchestration.capacity import Capacity, machine_capacity
from headrace.runtime.processes import limits

GIB = 2**30


@pytest.fixture
def machine(monkeypatch):
    """A machine of 16 GiB and 8 processors."""
    monkeypatch.setattr(limits, "_physical_memory", lambda: 16 * GIB)
    monkeypatch.setattr(limits, "_num_usable", lambda: 8)


@pytest.mark.parametrize(
    ("groups", "files", "memory", "cpus"),
    [
        ("", {}, 16 * GIB, 8),
        ("0::/\n", {"memory.max": "2147483648\n", "cpu.max": "150000 100000\n"}, 2 * GIB, 1.5),
        ("0::/\n", {"memory.max": "max\n", "cpu.max": "max 100000\n"}, 16 * GIB, 8),
        (
            "0::/work/job\n",
            {
                "work/memory.max": f"{GIB}\n",
                "work/job/memory.max": "max\n",
                "work/job/cpu.max": "50000 100000",
            },
            GIB,
            0.5,
        ),
        (
            "4:memory:/\n3:cpu,cpuacct:/\n",
            {
                "memory/memory.limit_in_bytes": "9223372036854771712\n",
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/cpu.cfs_period_us": "100000",
            },
            16 * GIB,
            8,
        ),
        (
            "4:memory:/job\n3:cpu,cpuacct:/job\n",
            {
                "memory/job/memory.limit_in_bytes": f"{3 * GIB}\n",
                "cpu/job/cpu.cfs_quota_us": "200000\n",
                "cpu/job/cpu.cfs_period_us": "100000\n",
            },
            3 * GIB,
            2,
        ),
        # In a container, the group's name is often that outside of it.
        ("0::/../other\n", {"memory.max": f"{GIB}\n"}, GIB, 8),
        ("nonsense\n", {"memory.max": "nonsense", "cpu.max": "0 0"}, 16 * GIB, 8),
    ],
)
def test_the_limits_of_a_container_count(
    tmp_path: Path, machine: None, groups: str, files: dict[str, str], memory: int, cpus: float
):
    """Both versions of control groups, those above included; the least of all and the machine's."""
    (tmp_path / "own").write_text(groups)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    own = str(tmp_path / "own")

    assert limits.memory_bytes(str(tmp_path), own) == memory
    assert limits.num_processors(str(tmp_path), own) == cpus


def test_nodes_share_what_the_container_has(machine: None, monkeypatch):
    """Not what the machine has."""
    monkeypatch.setattr(limits, "memory_bytes", lambda: 4_000_000_000)
    monkeypatch.setattr(limits, "num_processors", lambda: 1.5)

    assert machine_capacity(2) == Capacity(cpus=2, memory_gb=4.0)


@pytest.mark.parametrize(
    ("asked", "running", "has_room"),
    [
        (Resources(), [], True),
        (Resources(memory_gb=9), [], True),
        (Resources(memory_gb=3), [Resources(memory_gb=1)], True),
        (Resources(memory_gb=3), [Resources(memory_gb=2)], False),
        (Resources(memory_gb=9), [Resources()], True),
        (Resources(memory_gb=9), [Resources(memory_gb=0.5)], False),
        (Resources(cpus=1), [Resources(cpus=1)], True),
        (Resources(cpus=2), [Resources(cpus=1)], False),
        (Resources(exclusive=True), [Resources()], False),
        (Resources(), [Resources(exclusive=True)], False),
    ],
)
def test_a_node_starts_where_there_is_room_for_it(asked: Resources, running: list[Resources], has_room: bool):
    """Who asks for more than there is gets all of it, alone."""
    assert Capacity(cpus=2, memory_gb=4).has_room(asked, running) is has_room


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, 4 * GIB),
        ({"memory.max": "max", "memory.current": str(GIB)}, 4 * GIB),
        # What the group keeps of files can be let go of.
        (
            {
                "memory.max": str(2 * GIB),
                "memory.current": str(GIB),
                "memory.stat": f"anon 5\ninactive_file {GIB // 2}\n",
            },
            GIB + GIB // 2,
        ),
        ({"memory.max": str(8 * GIB), "memory.current": str(GIB)}, 4 * GIB),
        ({"memory.max": str(GIB), "memory.current": str(2 * GIB)}, 1),
    ],
)
def test_what_is_free_is_the_machines_or_the_containers(
    machine, tmp_path: Path, files: dict[str, str], free: int
):
    root = tmp_path / "cgroup"
    root.mkdir()
    for name, text in files.items():
        (root / name).write_text(text)
    (tmp_path / "own").write_text("0::/\n")
    (tmp_path / "meminfo").write_text(f"MemTotal: 16777216 kB\nMemAvailable: {4 * GIB // 1024} kB\n")

    assert limits.available_bytes(str(root), str(tmp_path / "own"), str(tmp_path / "meminfo")) == free


def test_where_nobody_tells_what_is_free_it_is_not_known(tmp_path: Path):
    assert limits.available_bytes(*(str(tmp_path / name) for name in "abc")) == 0
