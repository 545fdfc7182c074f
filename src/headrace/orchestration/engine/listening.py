"""Tells a run's listeners what happens. The run does not depend on them: one that raises is told nothing more."""

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
    """The listeners of one run, if it has any.

    Args:
        listeners: Each is called with one event at a time, from whichever thread it happens in.

    Attributes:
        log_path: The folder of the run's logs, where the traceback of a listener that raises goes.
    """

    def __init__(self, *listeners: Listener | None) -> None:
        self._listeners = [listener for listener in listeners if listener is not None]
        self._lock = threading.RLock()
        self.log_path = ""

    def tell(self, event: Event) -> None:
        """Call the listeners; warn of what one raises, and tell it nothing more."""
        with self._lock:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except BaseException as error:
                    self._listeners.remove(listener)
                    self._warn(error)

    def _warn(self, error: BaseException) -> None:
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
