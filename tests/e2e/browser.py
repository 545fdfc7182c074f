"""Chromium without a window, driven over its debugging protocol: no driver program, no network."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import processes
import pytest
import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
_START_SECONDS = 60
_MAX_SCREENSHOT_PIXELS = 12_000


def find_chromium() -> str:
    """Return the browser's path; it is installed where this machine's packages allow it. Skips where not."""
    for attempt in range(2):
        for name in NAMES:
            path = shutil.which(name)
            if path:
                return path
        if not attempt and shutil.which("apt-get") and os.geteuid() == 0:
            command = ["apt-get", "install", "-y", "chromium"]
            subprocess.run(command, capture_output=True, timeout=300, check=False)
    pytest.skip("no chromium on this machine, and apt-get could not install it: apt-get install chromium")


class Page:
    """One tab."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=120, max_size=None)
        self._numbers = itertools.count(1)
        self.messages: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the protocol and return its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            self._hear(message)
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])

    def _hear(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Runtime.exceptionThrown":
            details = message["params"]["exceptionDetails"]
            self.messages.append(details.get("exception", {}).get("description", details["text"]))
        elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.messages.append(message["params"]["entry"]["text"])

    def show(self, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Set the size of the window and whether the reader prefers light or dark."""
        is_phone = width < 600
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=is_phone,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def open(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self.send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page; a promise is waited for."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression: str, seconds: float = 60) -> None:
        """Wait until an expression is true in the page."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.evaluate(f"Boolean({expression})"):
                return
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {expression}")

    def screenshot(self, path: Path, *, whole: bool = True) -> Path:
        """Write what is seen, or the whole page, as PNG."""
        parameters: dict[str, Any] = {"format": "png"}
        if whole:
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            height = min(size["height"], _MAX_SCREENSHOT_PIXELS)
            clip = {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1}
            parameters.update(captureBeyondViewport=True, clip=clip)
        data = self.send("Page.captureScreenshot", **parameters)["data"]
        path.write_bytes(base64.b64decode(data))
        return path

    def take_messages(self) -> list[str]:
        """Return the errors of the pages opened since the last call."""
        taken, self.messages = self.messages, []
        return taken

    def close(self) -> None:
        """Leave the tab."""
        self._socket.close()


@contextlib.contextmanager
def open_browser(profile: Path) -> Iterator[Page]:
    """Start Chromium with a profile of its own; yield its tab."""
    profile.mkdir(parents=True, exist_ok=True)
    command = [find_chromium(), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    silent = subprocess.DEVNULL
    with processes.started(command, stdout=silent, stderr=silent) as process:
        page = Page(_tab_address(profile / "DevToolsActivePort", process))
        yield page
        page.close()


def _tab_address(port_file: Path, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if port_file.exists() and len(port_file.read_text().split()) == 2:
            port, path = port_file.read_text().split()
            browser = websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=60)
            browser.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
            targets = json.loads(browser.recv())["result"]["targetInfos"]
            browser.close()
            tab = next(target["targetId"] for target in targets if target["type"] == "page")
            return f"ws://127.0.0.1:{port}/devtools/page/{tab}"
        time.sleep(0.1)
    raise AssertionError(f"Chromium did not start: {process.poll()}")
