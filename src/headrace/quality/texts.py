"""Texts: encodings, words, languages, and the signatures by which near ones are found."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUM_PERMUTATIONS = 128
_SHINGLE = 5
_SEED = 1
# One sign is a word in writing without spaces between words; else a run of letters, digits and marks, with the
# apostrophes inside it.
_WORD = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿]|[^\W぀-ヿ㐀-䶿一-鿿豈-﫿]+(?:['’][^\W぀-ヿ㐀-䶿一-鿿豈-﫿]+)*")
# UTF-8 that was read as Latin-1 or Windows-1252 and written as UTF-8 again: a lead byte and what follows it as signs.
_TWICE = re.compile(
    r"[\u00c2-\u00f4][\u0080-\u00bf\u20ac\u201a-\u201e\u2020-\u2022\u2026\u0152\u0153\u0160\u0161\u2013\u2014\u2018-\u201d\u2122]"
)
REPLACEMENT = "\ufffd"


def problem(data: bytes) -> str:
    """Return why bytes are no UTF-8, with the place; empty where they are."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"it is no UTF-8: byte {data[error.start]:#04x} at position {error.start}"
    return ""


def is_mojibake(text: str) -> bool:
    """Whether a text shows signs of having been decoded with the wrong encoding.

    That is a replacement character, or UTF-8 that was taken for Latin-1 or Windows-1252: `Ã©` in the place of `é`. The
    latter counts only where the text can be turned back, as `Ã©` may also be meant.
    """
    if REPLACEMENT in text:
        return True
    if not _TWICE.search(text):
        return False
    for encoding in ("cp1252", "latin-1"):
        try:
            # Only the runs that look so: other signs of the text may have no place in the encoding.
            return any(
                len(run.encode(encoding).decode("utf-8")) < len(run)
                for run in re.findall(r"[\u0080-\uffff]+", text)
                if _TWICE.search(run)
            )
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return False


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; each sign of Chinese and Japanese is one."""
    return _WORD.findall(text.casefold())


@functools.cache
def _languages() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    # py3langid 0.2 keeps its model as a pickle, 0.4 as arrays.
    read = getattr(LanguageIdentifier, "from_model_file", None) or LanguageIdentifier.from_pickled_model
    return read(MODEL_FILE, norm_probs=True)


def language(text: str) -> tuple[str, float]:
    """Return the code of the language that a text is probably in, such as `"es"`, and how probable that is."""
    # Capital letters lead it astray: of a text in capitals it has seen none.
    code, probability = _languages().classify(text.lower())
    return str(code), float(probability)


def known_languages() -> list[str]:
    """Return the codes of the languages that `language` tells apart."""
    return sorted(str(code) for code in _languages().nb_classes)


def signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return the MinHash signature of each text: near texts share many of its 128 numbers.

    The share of numbers that two signatures share estimates the Jaccard similarity of the sets of 5 consecutive
    characters of the two texts (Broder, "On the resemblance and containment of documents", 1997). Letter case and the
    kind and number of spaces do not count.
    """
    from datasketch import MinHash

    found = np.zeros((len(texts), NUM_PERMUTATIONS), np.uint32)
    empty = MinHash(num_perm=NUM_PERMUTATIONS, seed=_SEED)
    for row, text in enumerate(texts):
        one = empty.copy()
        one.update_batch(list(_shingles(text)))
        found[row] = one.hashvalues
    return found


def _shingles(text: str) -> Iterator[bytes]:
    plain = " ".join(text.casefold().split())
    # A set: what occurs twice counts once, and is hashed once.
    yield from {
        plain[at : at + _SHINGLE].encode("utf-8", "surrogatepass")
        for at in range(max(len(plain) - _SHINGLE + 1, 1))
    }


@functools.cache
def bands(similarity: float) -> tuple[int, int]:
    """Return how many bands of how many numbers tell near texts, as datasketch chooses them for a similarity."""
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=similarity, num_perm=NUM_PERMUTATIONS)
    return int(index.b), int(index.r)
