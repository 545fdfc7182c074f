"""JupyterLab on this machine alone, with a home of its own and nothing from the network."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import processes

_START_SECONDS = 120


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a person who has no settings yet, and of this virtual environment's commands."""
    home.mkdir(parents=True, exist_ok=True)
    places = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **{name: str(place) for name, place in places.items()}, "PATH": path}


def trust(notebook: Path, home: Path) -> None:
    """Sign a notebook as one that this person ran."""
    command = [sys.executable, "-m", "jupyter", "trust", str(notebook)]
    subprocess.run(command, check=True, capture_output=True, env=environment(home), timeout=60)


def choose_theme(home: Path, theme: str) -> None:
    """Choose the colours that a page loaded from now on has."""
    _write_settings(home, "themes", {"theme": theme})


def _write_settings(home: Path, name: str, settings: dict[str, object]) -> None:
    folder = home / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(settings), encoding="utf-8")


@contextlib.contextmanager
def serve(folder: Path, home: Path) -> Iterator[str]:
    """Start JupyterLab on a folder; yield its address."""
    _write_settings(home, "notification", {"fetchNews": "false", "checkForUpdates": False})
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0"]
    command += [f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--allow-root"]
    with (
        open(home.with_suffix(".log"), "w", encoding="utf-8") as log,
        processes.started(command, stdout=log, stderr=log, env=environment(home)) as process,
    ):
        yield _address(home / "runtime", process)


def _address(runtime: Path, process: subprocess.Popen[bytes]) -> str:
    """Return where the server listens, once it answers."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError):
                return str(json.loads(path.read_text(encoding="utf-8"))["url"]).rstrip("/")
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start: {process.poll()}")
