"""Which failures are the disk's, and whose line is whose."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

import headrace
from headrace.errors import ExecutorError, StoreError
from headrace.orchestration import failures

_LIBRARY = Path(headrace.__file__).parent


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StoreError),
        (errno.EDQUOT, StoreError),
        (errno.EROFS, StoreError),
        (errno.ENOENT, ExecutorError),
        (errno.EACCES, ExecutorError),
    ],
)
def test_a_disk_that_takes_nothing_more_is_told_as_such(number: int, kind: type[Exception]):
    """A quota that is used up is a full disk; a file that is missing is not."""
    error = failures.describe(OSError(number, os.strerror(number)), "Trainer", 1.0)

    assert type(error) is kind


@pytest.mark.parametrize(
    ("path", "is_users"),
    [
        (__file__, True),
        (_LIBRARY / "pipelines" / "taxi" / "pipeline.py", True),
        (_LIBRARY / "errors.py", False),
        (_LIBRARY / "orchestration" / "plan.py", False),
        (pytest.__file__, False),
        (os.__file__, False),
        ("/no/such/file.py", False),
    ],
)
def test_whose_line_it_is(path: str | Path, is_users: bool):
    """The ready pipelines are there to be edited: their lines count as the user's."""
    assert failures.is_user_file(str(path)) is is_users
