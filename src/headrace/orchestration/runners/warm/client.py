"""A run's side of a warm server: it is found or started, or one of the run's own does the work."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence

from headrace.errors import HeadraceError, SetupError
from headrace.orchestration.runners.local import links
from headrace.orchestration.runners.local.links import OwnServer, ServerLink
from headrace.orchestration.runners.warm import finding, folder, identity
from headrace.orchestration.runners.warm.finding import Hello
from headrace.orchestration.runners.warm.link import WarmLink, how
from headrace.orchestration.runners.warm.surroundings import Surroundings


class WarmServers:
    """Opens servers for one run; see `links.OpenServer`.

    Args:
        most_idle_seconds: How long a server is to wait for the next run.
    """

    def __init__(self, most_idle_seconds: float) -> None:
        self._most_idle_seconds = most_idle_seconds
        self._opened: WarmLink | None = None
        self._is_lost = False
        self._expecting: threading.Thread | None = None
        self._expected: tuple[WarmLink, Hello] | None = None

    def expect(self, modules: Callable[[], Sequence[str]]) -> None:
        """Ask a server that is there for its part in this run, in the background: the run may have work for it.

        So it is ready when the run's plan is. Where none is there none is started.

        Args:
            modules: Asked once: what the run's nodes need.
        """
        self._expecting = threading.Thread(target=self._expect, args=(modules,), daemon=True)
        self._expecting.start()

    def __call__(self, modules: Sequence[str]) -> ServerLink:
        """Return the warm server's part in this run; where there can be none, a server of its own that says why."""
        expected = self._take_expected()
        if self._is_lost:
            reason = "" if self._opened is None else self._opened.reason
            return OwnServer(modules, how("own", reason=reason or "the warm server was lost"))
        self._is_lost = True
        try:
            hello = self._hello(modules)
            if expected is not None and expected[1].fits(hello) and not expected[0].is_gone:
                self._opened = expected[0]
            else:
                self._opened = finding.find_or_start(hello)
            return self._opened
        except HeadraceError as error:
            return OwnServer(modules, how("own", reason=error.problem.rstrip(".")))
        finally:
            if expected is not None and expected[0] is not self._opened:
                expected[0].leave()

    def close(self) -> None:
        """Do without the server that was expected to be needed."""
        expected = self._take_expected()
        if expected is not None:
            expected[0].leave()

    def _expect(self, modules: Callable[[], Sequence[str]]) -> None:
        # What is wrong is told when the run needs a server.
        with contextlib.suppress(Exception):
            hello = self._hello(modules())
            link = finding.find(hello)
            if link is not None:
                self._expected = (link, hello)

    def _take_expected(self) -> tuple[WarmLink, Hello] | None:
        if self._expecting is not None:
            self._expecting.join()
        expected, self._expected = self._expected, None
        return expected

    def _hello(self, modules: Sequence[str]) -> Hello:
        mark = links.next_mark()
        try:
            surroundings = Surroundings.of_this_process(mark)
        except OSError as error:
            raise SetupError(f"this process's surroundings cannot be handed over: {error}") from error
        path = folder.socket_path(folder.socket_folder(), identity.name(os.environ))
        return Hello(path, mark, surroundings, list(dict.fromkeys(modules)), self._most_idle_seconds)
