"""Items made ahead in another thread."""

from __future__ import annotations

import threading

import pytest

from headrace.files.prefetch import prefetched


def test_order_is_kept():
    """Whatever the distance."""
    assert list(prefetched(iter(range(100)), 3)) == list(range(100))


def test_error_comes_after_the_items_before_it():
    """And is the same error."""

    def items():
        yield 1
        raise OSError(28, "No space left on device")

    got = []
    with pytest.raises(OSError, match="No space left"):
        got.extend(prefetched(items()))
    assert list(prefetched(iter([1]))) == [1]


def test_leaving_early_ends_the_thread():
    """No thread is left behind when the user stops."""
    items = prefetched(iter(range(1000)))
    assert next(items) == 0
    items.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
