"""Which tokens a vocabulary keeps, at the bounds; whole vocabularies are compared with TFT's elsewhere."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headrace.components.transform import analyzers

COUNTS = [(1, b"a"), (2, b"b"), (2, b"c"), (3, b"d")]


def prune(counts: list[Any], **options: Any) -> list[Any]:
    defaults = {"frequency_threshold": None, "top_k": None, "input_dtype": "string", "key_fn": None}
    [kept] = analyzers._vocabulary_prune(SimpleNamespace(**{**defaults, **options}), [counts], None)
    return kept


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, [b"a", b"b", b"c", b"d"]),
        ({"frequency_threshold": 1}, [b"a", b"b", b"c", b"d"]),
        ({"frequency_threshold": 2}, [b"b", b"c", b"d"]),
        ({"frequency_threshold": 3}, [b"d"]),
        ({"top_k": 1}, [b"d"]),
        ({"top_k": 2}, [b"d", b"c"]),
        ({"top_k": 4}, [b"d", b"c", b"b", b"a"]),
        ({"top_k": 9}, [b"d", b"c", b"b", b"a"]),
        ({"top_k": 2, "frequency_threshold": 3}, [b"d"]),
    ],
)
def test_a_token_at_the_bound_is_kept(options: dict[str, Any], kept: list[bytes]):
    """As often as the threshold is often enough; of equals, TFT takes the greater token first."""
    assert [token for _, token in prune(COUNTS, **options)] == kept


def test_coverage_keeps_tokens_of_each_key():
    """Beside the most frequent of all, the most frequent of each key, from its own threshold on."""
    counts = [(9, b"x1"), (8, b"x2"), (2, b"y1"), (1, b"y2")]
    options = {"coverage_top_k": 1, "coverage_frequency_threshold": 2, "key_fn": lambda token: token[:1]}

    kept = prune(counts, top_k=1, **options)

    assert [token for _, token in kept] == [b"x1", b"y1"]


@pytest.mark.parametrize(("counts", "size"), [([], 1), (COUNTS[:1], 1), (COUNTS, 4)])
def test_the_size_of_nothing_counts_its_dummy(counts: list[Any], size: int):
    """An empty vocabulary is written with one token, which nothing has."""
    [[counted]] = analyzers._vocabulary_count(None, [counts], None)

    assert counted == size


@pytest.mark.parametrize(
    ("options", "reserved", "lines"),
    [
        ({}, None, [b"d", b"c", b"b", b"a"]),
        ({"store_frequency": True}, None, [b"3 d", b"2 c", b"2 b", b"1 a"]),
        ({}, [b"c", b"new"], [b"c", b"new", b"d", b"b", b"a"]),
        ({"input_is_sorted": True}, None, [b"a", b"b", b"c", b"d"]),
    ],
)
def test_a_vocabulary_is_written_from_the_most_frequent_token_on(
    tmp_path: Path, options: dict[str, Any], reserved: list[bytes] | None, lines: list[bytes]
):
    """Reserved tokens come first, and once."""
    defaults = {
        "fingerprint_shuffle": False,
        "input_is_sorted": False,
        "input_dtype": "string",
        "store_frequency": False,
        "vocab_filename": "words",
        "file_format": "text",
    }
    inputs: list[Any] = [COUNTS] + ([[[np.array(reserved, object)]]] if reserved else [])
    operation = SimpleNamespace(**{**defaults, **options})

    [[path]] = analyzers._vocabulary_write(operation, inputs, SimpleNamespace(tmp_path=str(tmp_path)))

    assert Path(str(path)).read_bytes().splitlines() == lines
