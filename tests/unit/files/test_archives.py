"""Members of zip archives: what a bomb is, and each fault as one kind of error."""

from __future__ import annotations

import zipfile

import pytest

from headrace.files import archives


def test_a_bomb_is_known_before_it_is_unpacked(tmp_path, monkeypatch):
    """By the sizes that the archive tells; what is small unpacks whatever its ratio."""
    monkeypatch.setattr(archives, "_SURE_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(4 << 20))
        archive.writestr("small.png", bytes(1 << 20))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        with (
            pytest.raises(OSError, match=r"would unpack from .* to 4,194,304 bytes"),
            archives.opened(archive, "bomb.png"),
        ):
            pass
        with archives.opened(archive, "small.png") as file:
            assert len(file.read()) == 1 << 20


def test_a_fault_of_a_member_is_an_error_of_the_system(tmp_path):
    """Damage, and a member that is not there."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", b"some text")
    data = (tmp_path / "a.zip").read_bytes().replace(b"some text", b"same text")
    (tmp_path / "a.zip").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        with pytest.raises(OSError, match="CRC"), archives.opened(archive, "a.txt") as file:
            file.read()
        with pytest.raises(OSError, match="no item"), archives.opened(archive, "b.txt"):
            pass
