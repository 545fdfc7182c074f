"""Tells a run's listener what happens. The run does not depend on it: one that raises is told nothing more."""

from __future__ import annotations

import contextlib
import os
import threading
import traceback
import warnings

from headrace.orchestration.events import Event, Listener

# In the folder of the run's logs, beside those of its nodes.
_LISTENER_LOG = "listener-error.txt"


class Audience:
    """The listener of one run, if it has one.

    Args:
        listener: Called with one event at a time, from whichever thread it happens in.

    Attributes:
        log_path: The folder of the run's logs, where the traceback of a listener that raises goes.
    """

    def __init__(self, listener: Listener | None) -> None:
        self._listener = listener
        self._lock = threading.RLock()
        self.log_path = ""

    def tell(self, event: Event) -> None:
        """Call the listener; warn of what it raises."""
        with self._lock:
            if self._listener is None:
                return
            try:
                self._listener(event)
            except BaseException as error:
                self._listener = None
                path = os.path.join(self.log_path, _LISTENER_LOG)
                with contextlib.suppress(OSError), open(path, "a", encoding="utf-8") as log:
                    log.write(traceback.format_exc())
                warn(
                    f"the run's listener raised {type(error).__name__}: {error}. The run goes on without it; the "
                    f"traceback is in {path}"
                )


def warn(text: str) -> None:
    """Warn whoever reads standard error; where warnings are errors, or it cannot be written, go on."""
    with contextlib.suppress(Warning, OSError, AttributeError):
        warnings.warn(text, RuntimeWarning, stacklevel=3)
