"""What the loading of libraries depended on, so that a run of other surroundings does not get what was loaded."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.orchestration.runners.local.templates import Look, look_of
from headrace.orchestration.runners.warm import identity

_WRITES = os.O_WRONLY | os.O_RDWR
# A file system's clock may be so far behind, see `templates`.
_COARSE_NS = 2_000_000_000
_SYSTEM = ("/proc/", "/sys/", "/dev/")
# Of a terminal, a login or a service, and of a run alone: asked for where somebody copies the whole environment.
_OF_NO_CONSEQUENCE = frozenset(
    {
        "_", "COLUMNS", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "HEADRACE_DEBUG", "HEADRACE_FAMILY", "HEADRACE_SERVER",
        "HEADRACE_SERVER_MINUTES", "INVOCATION_ID", "JOURNAL_STREAM", "LINES", "OLDPWD", "PWD", "PYTHONPATH",
        "PYTHONUNBUFFERED", "SHLVL", "SSH_AUTH_SOCK", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "TERM", "TMUX",
        "TMUX_PANE", "WINDOWID", "XDG_SESSION_ID",
    }
)  # fmt: skip


class LoadRecord:
    """What this process asks for while it loads libraries.

    It begins when it is made, before anything is imported that is to be recorded; a fork records only after `go_on`.
    """

    def __init__(self) -> None:
        self._started_ns = time.time_ns()
        self._began_with = _environment()
        self._variables: dict[str, str | None] = {}
        self._opened: set[str] = set()
        self._set_by_libraries: dict[str, str | None] = {}
        self._looks: dict[str, Look] = {}
        self._seen: set[str] = set()
        self._process = os.getpid()
        self._kind: Any = type(os.environ)
        os.environ.__class__ = _recording(self._kind, self._note_variable)
        # It cannot be taken away again.
        sys.addaudithook(self._note_event)

    def go_on(self) -> None:
        """Record in this process, a fork, what comes beside that which was recorded before."""
        self._process = os.getpid()

    def stop(self) -> None:
        """Record nothing more in this process."""
        self._process = 0
        os.environ.__class__ = self._kind

    def set_variables(self) -> dict[str, str | None]:
        """Return the variables that libraries set when they were loaded; `None` for those that they removed."""
        now = _environment()
        return {
            name: now.get(name)
            for name in now.keys() | self._began_with.keys()
            if now.get(name) != self._began_with.get(name)
        }

    def _note_variable(self, name: str, value: str | None) -> None:
        # What a library has set before says nothing of what this process was given.
        is_given = value == self._began_with.get(name)
        if is_given and self._process == os.getpid() and name not in _OF_NO_CONSEQUENCE:
            self._variables.setdefault(name, value)

    def _note_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and self._process == os.getpid() and not (arguments[2] or 0) & _WRITES:
            try:
                path = os.path.abspath(os.fsdecode(arguments[0]))
            except (TypeError, ValueError):
                return
            if not path.startswith(_SYSTEM) and not path.endswith(".pyc"):
                self._opened.add(path)

    def look(self) -> None:
        """Note what libraries set, and how the files look that were read and those of the modules that were loaded."""
        self._set_by_libraries = self.set_variables()
        files = {path for path in map(_file, list(sys.modules.values())) if path}
        for path in (files | self._opened) - self._looks.keys():
            self._looks[path] = look_of(path)

    @property
    def is_late(self) -> bool:
        """Whether a file changed so shortly before it was read that the change may have been missed."""
        return any(
            found is not None and max(found[1], found[2]) > self._started_ns - _COARSE_NS
            for found in self._looks.values()
        )

    def fault(self, variables: Mapping[str, str]) -> str:
        """Return why what was loaded is of no use any more; empty where it is.

        Args:
            variables: The environment of the newest run: those that follow are likely to have it too.
        """
        changed = self.changed_file()
        if changed:
            return f"{changed} has changed since"
        variable = self.other_variable(variables)
        return f"the variable {variable} had another value when libraries were loaded" if variable else ""

    def changed_file(self) -> str:
        """Return a file that is no longer as it was read; empty where there is none."""
        return next((path for path, found in self._looks.items() if not _is_same(look_of(path), found)), "")

    def other_variable(self, variables: Mapping[str, str]) -> str:
        """Return a variable that was asked for, and has another value in an environment; empty where there is none."""
        for name, value in self._variables.items():
            given = variables.get(name)
            # The run's process may have loaded libraries too, and have from them what they set here.
            if given != value and (given is None or given != self._set_by_libraries.get(name)):
                return name
        return ""

    def hidden_library(self, search_path: Sequence[str]) -> str:
        """Return what on a search path has the name of a library that was loaded, in words; empty where nothing does.

        A process that began with that path would have found it first, perhaps.
        """
        libraries = tuple(
            f"{path}{os.sep}"
            for path in (*identity.library_folders(), os.path.realpath(identity.package_root()))
        )
        loaded = {name.partition(".")[0] for name in list(sys.modules)} - {"__main__", "__mp_main__"}
        for folder in search_path:
            if f"{os.path.realpath(folder)}{os.sep}".startswith(libraries):
                continue
            if os.path.isfile(folder):
                return f"{folder} may have the names of libraries"
            for path in _importable(folder):
                if os.path.basename(path).partition(".")[0] in loaded:
                    return f"{path} has the name of a library"
        return ""

    def project_module(self) -> str:
        """Return a module that was loaded and is of no installed library; empty where there is none."""
        # Headrace's own folders may be links.
        headrace = identity.package_root() + os.sep
        libraries = tuple(f"{path}{os.sep}" for path in identity.library_folders())
        for name, module in list(sys.modules.items()):
            path = _file(module)
            if path and name not in self._seen:
                self._seen.add(name)
                # Debian's `sitecustomize` is a link from the standard library to /etc: a library's, where it was found.
                folder = os.path.join(os.path.realpath(os.path.dirname(path)), "")
                is_library = folder.startswith(libraries) or os.path.realpath(path).startswith(libraries)
                if not is_library and not path.startswith(headrace):
                    return name
        return ""


def _recording(kind: type, note: Any) -> type:
    class Recording(kind):
        """The environment, which notes what it is asked for."""

        def __getitem__(self, key: str) -> Any:
            try:
                value = super().__getitem__(key)
            except KeyError:
                note(key, None)
                raise
            note(key, value)
            return value

        def items(self) -> Any:
            """Return what is the same for all runs: who looks through all for those of a prefix asks for none by name.

            So a library sees nothing here of the run that started the server, and others are not refused for what it
            did not want.
            """
            return identity.loading_variables(_environment()).items()

    return Recording


def _environment() -> dict[str, str]:
    """Return all variables, without a note of it."""
    return {os.fsdecode(key): os.fsdecode(value) for key, value in os.environb.items()}


def _is_same(look: Look, other: Look) -> bool:
    """Whether a file has the same content by its size, time and inode.

    The time of the last change of status is left out: it changes with each hard link to the file, which an installer
    such as uv makes for the next environment.
    """
    if look is None or other is None:
        return look is other
    return (*look[:2], look[3]) == (*other[:2], other[3])


def _file(module: Any) -> str:
    path = getattr(module, "__file__", None)
    return path if isinstance(path, str) and os.path.isabs(path) else ""


def _importable(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [
                entry.path
                for entry in entries
                if entry.name.endswith((".py", ".so", ".pyc"))
                or (entry.is_dir() and os.path.isfile(os.path.join(entry.path, "__init__.py")))
            ]
    except OSError:
        return []
