"""How an ExampleGen divides its rows into splits: `CsvExampleGen(..., splits=..., split_by=stratify("quality"))`. Light.

Each function makes a `SplitBy`, which is plain data. Where a configuration file gives it, the same is written as the
call's text, or as a mapping whose first key is the function's name::

    split_by: stratify("quality")
    split_by: {stratify: quality}
    split_by: {time: date, gap: 24h}
    split_by: shuffle

What every way has in common: each row that was read goes into exactly one split, or is counted under the reason why it
goes into none; and equal input is divided alike, whatever the number of files written or of processes.
"""

from headrace.splits.shares import Shares
from headrace.splits.ways import SplitBy, by_hash, column, folders, group, shuffle, stratify, time

__all__ = ["Shares", "SplitBy", "by_hash", "column", "folders", "group", "shuffle", "stratify", "time"]
