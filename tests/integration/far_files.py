"""A file system for fsspec: a folder of this machine as `far://`, which worker processes know as well.

The folder is named by the environment variable `FAR_FILES`. While `FAR_DOWN` is set nothing answers, and while
`FAR_REFUSES` names the end of a path, that cannot be written. Each file has an etag, as in object stores.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from fsspec import register_implementation
from fsspec.spec import AbstractFileSystem

# How a package tells fsspec of its file systems.
_ENTRY_POINTS = "[fsspec.specs]\nfar = far_files:FarFiles\n"
_METADATA = "Metadata-Version: 2.1\nName: far-files\nVersion: 1.0\n"


class FarFiles(AbstractFileSystem):  # type: ignore[misc]
    """Files below `FAR_FILES`; what is written is noted in the file `FAR_FILES.written`, in its order."""

    protocol = "far"
    cachable = False

    def _here(self, path: str) -> Path:
        if os.environ.get("FAR_DOWN"):
            raise ConnectionError("no route to far")
        return Path(os.environ["FAR_FILES"], self._strip_protocol(path).lstrip("/"))

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        here = self._here(path)
        state = here.stat()
        if here.is_dir():
            return {"name": self._strip_protocol(path), "size": 0, "type": "directory"}
        digest = hashlib.md5(here.read_bytes()).hexdigest()
        return {
            "name": self._strip_protocol(path),
            "size": state.st_size,
            "type": "file",
            "ETag": f'"{digest}"',
        }

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        names = [f"{self._strip_protocol(path)}/{name}" for name in sorted(os.listdir(self._here(path)))]
        return [self.info(name) for name in names] if detail else names

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        self._here(path).mkdir(parents=True, exist_ok=exist_ok)

    mkdirs = makedirs

    def rm(self, path: str, recursive: bool = False, maxdepth: Any = None) -> None:
        shutil.rmtree(self._here(path))

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if "w" in mode:
            refused = os.environ.get("FAR_REFUSES")
            if refused and path.endswith(refused):
                raise PermissionError(13, "Permission denied", path)
            with open(f"{os.environ['FAR_FILES']}.written", "a", encoding="utf-8") as written:
                written.write(f"{self._strip_protocol(path)}\n")
        return self._here(path).open(mode)


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder behind `far://`, in this process and in those that it starts."""
    folder = tmp_path / "far"
    folder.mkdir()
    monkeypatch.setenv("FAR_FILES", str(folder))
    package = tmp_path / "plugin" / "far_files-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "entry_points.txt").write_text(_ENTRY_POINTS)
    (package / "METADATA").write_text(_METADATA)
    monkeypatch.syspath_prepend(str(package.parent))
    register_implementation("far", FarFiles, clobber=True)
    return folder


def written(far: Path) -> list[str]:
    """What was written to `far://`, in order."""
    noted = Path(f"{far}.written")
    return noted.read_text().splitlines() if noted.exists() else []
