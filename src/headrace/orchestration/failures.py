"""Turn what an executor raised into what a person should read: the user's own line first."""

from __future__ import annotations

import errno
import os
import re
import site
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from headrace.errors import ExecutorError, HeadraceError, StoreError
from headrace.runtime import messages
from headrace.usercode.module_files import is_project_file

_LIBRARY_PATH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_READY_PIPELINES_PATH = os.path.join(_LIBRARY_PATH, "pipelines")
# How TensorFlow's AutoGraph names the user's frames inside a message.
_AUTOGRAPH_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
_MAX_MESSAGE_LINES = 12


@dataclass(frozen=True)
class UserFrame:
    """The innermost line of the user's own code that took part in a failure."""

    path: str
    line: int
    function: str

    def __str__(self) -> str:
        relative = os.path.relpath(self.path)
        return f"{self.path if relative.startswith('..') else relative}:{self.line}, {self.function}"


def describe(error: BaseException, node_id: str, seconds: float = 0.0) -> HeadraceError:
    """Return the error to show for `error`, raised by `node_id`: after `seconds` by its executor, or before it began.

    Errors of Headrace pass unchanged, save that the node is named where they do not name it.
    """
    if isinstance(error, HeadraceError):
        if error.problem.startswith(node_id):
            return error
        return type(error)(f"{node_id}: {error.problem}", error.fix)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS, errno.EDQUOT):
        return StoreError(
            f"{node_id}: the disk cannot be written: {error}.",
            "free some space or make the folder writable; nothing half-written was kept.",
        )
    frame = find_user_frame(error)
    place = f" in {frame}" if frame else _library_place(error)
    message = _indented(f"{type(error).__name__}: {message_of(error)}")
    fix = f"correct {frame.function}" if frame else "read the log for the whole traceback"
    after = f" after {seconds:.{0 if seconds > 9.95 else 1}f} s" if seconds else ""
    return ExecutorError(f"{node_id} failed{after}{place}:\n{message}", fix)


def message_of(error: BaseException) -> str:
    """Return an exception's own words: without Beam's step names, AutoGraph's copy of the stack, and dumps."""
    return messages.concise(error)


def find_user_frame(error: BaseException) -> UserFrame | None:
    """Return the innermost frame of the user's code in an exception, its causes included."""
    for link in _chain(error):
        frames = [
            UserFrame(summary.filename, summary.lineno or 0, summary.name)
            for summary in traceback.extract_tb(link.__traceback__)
        ]
        frames += [
            UserFrame(path, int(line), name)
            for path, line, name in _AUTOGRAPH_FRAME.findall(messages.own_words(link))
        ]
        for frame in reversed(frames):
            if is_user_file(frame.path):
                return frame
    return None


def _library_place(error: BaseException) -> str:
    """Where no line of the user took part: the innermost line of all, in its package."""
    frames = [frame for link in _chain(error) for frame in traceback.extract_tb(link.__traceback__)[-1:]]
    if not frames:
        return ""
    path = frames[-1].filename
    for root in (os.path.dirname(_LIBRARY_PATH), *site.getsitepackages(), os.path.dirname(os.__file__)):
        path = path.removeprefix(root + os.sep)
    return f" in {path}:{frames[-1].lineno}, {frames[-1].name}"


def is_user_file(path: str) -> bool:
    """Whether a file is the user's: a ready pipeline's counts, the rest of Headrace and libraries do not."""
    path = os.path.abspath(path)
    if not os.path.isfile(path) or "__autograph_generated_file" in path:
        return False
    if path.startswith(_LIBRARY_PATH + os.sep):
        return path.startswith(_READY_PIPELINES_PATH + os.sep)
    return is_project_file(path)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _indented(text: str) -> str:
    lines = text.splitlines()
    if len(lines) > _MAX_MESSAGE_LINES:
        lines = [
            *lines[: _MAX_MESSAGE_LINES - 1],
            f"... ({len(lines) - _MAX_MESSAGE_LINES + 1} more lines in the log)",
        ]
    return "\n".join(f"    {line}" for line in lines)
