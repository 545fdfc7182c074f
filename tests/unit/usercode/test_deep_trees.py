"""Code nested so deeply that what reads it meets Python's recursion limit."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from headrace.usercode import deep_trees, sources

DEEP = {
    "sum": "def f(a):\n    return " + " + ".join(["a"] * 400) + " + 1\n",
    "path": "def f(a):\n    return open(" + " + ".join(["'a'"] * 400) + " + '1')\n",
    "calls": "def f(a):\n    return a" + ".b()" * 300 + ".b(1)\n",
    "constant": "TOTAL = " + " + ".join(["[0]"] * 400) + " + [1]\ndef f(a):\n    return TOTAL\n",
    "elif": "def f(a):\n    if not a:\n        return 0\n"
    + "".join(f"    elif a == {number}:\n        return {number}\n" for number in range(100, 400))
    + "    else:\n        return 1\n",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_code_counts_to_its_end(tmp_path: Path, text: str):
    path = tmp_path / "deep.py"
    path.write_text(text)
    before = sources.usage(str(path), "", ["f"]).digest

    changed = "2".join(text.rsplit("1", 1))
    path.write_text(changed)

    assert sources.usage(str(path), "", ["f"]).digest not in ("", before)


def _depth(levels: int) -> int:
    return 1 + _depth(levels - 1) if levels else 0


def test_the_limits_are_the_interpreters_again():
    limits = sys.getrecursionlimit(), threading.stack_size()

    assert deep_trees.with_room(lambda: _depth(20_000)) == 20_000
    assert (sys.getrecursionlimit(), threading.stack_size()) == limits


def test_what_has_no_end_is_an_error():
    with pytest.raises(RecursionError):
        deep_trees.with_room(lambda: _depth(sys.maxsize))
    with pytest.raises(ZeroDivisionError):
        deep_trees.with_room(lambda: _depth(20_000) / 0)
