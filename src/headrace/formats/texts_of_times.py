"""Times that are texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd


def parsed(texts: pd.Series[Any], *, errors: Literal["raise", "coerce"] = "raise") -> pd.Series[Any]:
    """Return the times that texts stand for, in UTC; a missing one is NaT.

    Args:
        texts: In the forms that pandas knows, each in its own, such as ISO 8601.
        errors: `raise`, or `coerce`: what is no time is NaT too.

    Raises:
        ValueError: If one is no time and errors are to be raised.
    """
    import pandas as pd

    # Newer pandas takes the form of the first text for that of all, unless told; older ones know no such word.
    form = {"format": "mixed"} if int(pd.__version__.partition(".")[0]) >= 2 else {}
    return pd.to_datetime(texts, errors=errors, utc=True, **form)
