"""A connection that is lost is made again: how often, after what time, and what counts as lost."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exc

from headrace.errors import UnreachableError

# Seconds before each try; a server that starts again takes some.
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
# Losses of one reading, however far it comes in between.
_MOST_LOSSES = 20
# SQL's classes of errors: connection exceptions, and PostgreSQL's server that ends or begins.
_LOST_STATES = ("08", "57P0")

_log = logging.getLogger(__name__)


def is_loss(error: BaseException | None) -> bool:
    """Whether a driver's error says that the connection is gone, and not that something is wrong with the query.

    What SQLAlchemy knows of each driver counts; drivers of PostgreSQL that it knows less of tell the state of SQL.
    """
    if isinstance(error, (ConnectionError, TimeoutError)):
        return True
    if not isinstance(error, exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    cause: Any = error.orig
    told = cause.args[0] if getattr(cause, "args", None) and isinstance(cause.args[0], dict) else {}
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or told.get("C") or ""
    return str(state).startswith(_LOST_STATES)


class Patience:
    """Waits longer after each loss in a row, and gives up in the end.

    Attributes:
        num_losses: How often it waited.
    """

    def __init__(self) -> None:
        self._in_a_row = 0
        self._furthest = -1
        self.num_losses = 0

    def wait(self, error: UnreachableError, num_rows: int = 0) -> None:
        """Wait before another try.

        Args:
            error: What happened.
            num_rows: How many rows came before.

        Raises:
            UnreachableError: What is given, if it is no lost connection, or was lost too often without getting further.
        """
        # A server that starts again refuses connections for a while; one that never took one is not waited for.
        was_refused = self.num_losses > 0 and isinstance(error.__cause__, exc.DBAPIError)
        if not (is_loss(error.__cause__) or was_refused):
            raise error
        self._in_a_row = 0 if num_rows > self._furthest else self._in_a_row
        self._furthest = max(self._furthest, num_rows)
        if self._in_a_row == len(WAITS) or self.num_losses == _MOST_LOSSES:
            raise UnreachableError(
                f"{error.problem} After {num_rows:,} rows, {self._in_a_row} more tries came no further.",
                error.fix,
            ) from error.__cause__
        seconds = WAITS[self._in_a_row]
        self._in_a_row += 1
        self.num_losses += 1
        _log.warning(
            "%s Trying again in %g s (%d of %d).", error.problem, seconds, self._in_a_row, len(WAITS)
        )
        time.sleep(seconds)


@dataclass
class Seen:
    """What came of a query so far, to see whether it comes again.

    Attributes:
        num_batches: How many batches.
        num_rows: How many rows.
        digest: Of all their values, in their order.
    """

    num_batches: int = 0
    num_rows: int = 0
    digest: bytes = b""

    def add(self, num_rows: int, columns: Sequence[Sequence[Any]]) -> None:
        """Count a batch."""
        self.num_batches += 1
        self.num_rows += num_rows
        hasher = hashlib.blake2b(self.digest, digest_size=16)
        for values in columns:
            hasher.update(repr(values).encode("utf-8", "surrogatepass"))
        self.digest = hasher.digest()
