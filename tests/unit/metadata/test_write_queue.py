"""Who holds a lock, as Linux tells it."""

from __future__ import annotations

import os
from pathlib import Path

from headrace.metadata import write_queue


def test_locks_for_writing_are_read_from_the_systems_table(tmp_path: Path):
    """Not those for reading, those waited for, one's own, other files', and what is no lock."""
    file = tmp_path / "file"
    file.touch()
    inode = file.stat().st_ino
    table = tmp_path / "locks"
    table.write_text(
        f"1: POSIX  ADVISORY  WRITE 11 fe:00:{inode} 120 120\n"
        f"2: FLOCK  ADVISORY  WRITE 12 fe:00:{inode} 0 EOF\n"
        f"2: -> FLOCK  ADVISORY  WRITE 13 fe:00:{inode} 0 EOF\n"
        f"3: POSIX  ADVISORY  READ 14 fe:00:{inode} 123 123\n"
        f"4: POSIX  ADVISORY  WRITE 15 fe:00:{inode + 1} 0 EOF\n"
        f"5: POSIX  ADVISORY  WRITE {os.getpid()} fe:00:{inode} 0 EOF\n"
        f"6: OFDLCK ADVISORY  WRITE -1 fe:00:{inode} 0 EOF\n"
        "\n"
    )

    assert write_queue.writers_of([str(file), str(tmp_path / "none")], str(table)) == [11, 12]
    assert write_queue.writers_of([str(file)], str(tmp_path / "none")) == []
