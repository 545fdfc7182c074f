"""Texts: encodings, words, languages, nearness."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.quality import texts


def test_what_is_no_utf8_says_where() -> None:
    assert texts.problem("camión".encode("latin-1")) == "it is no UTF-8: byte 0xf3 at position 4"
    assert texts.problem("camión 这部".encode()) == ""


@pytest.mark.parametrize("text", ["camiÃ³n", "Itâ€™s", "el niÃ±o y tú", "lost \ufffd sign"])
def test_a_text_that_was_decoded_wrongly_is_found(text: str) -> None:
    assert texts.is_mojibake(text)


@pytest.mark.parametrize(
    "text",
    ["camión", "ÁRBOL, Ñandú y pingüino", "It’s “fine” – é", "Ã", "这部电影", "£5 à la carte", "SÃO PAULO"],
)
def test_a_text_that_is_right_is_not(text: str) -> None:
    assert not texts.is_mojibake(text)


def test_words_of_writing_without_spaces_are_signs() -> None:
    assert texts.words("Ñandú, y 这部 film_2, it's") == ["ñandú", "y", "这", "部", "film_2", "it's"]


def test_languages_are_told_in_capitals_too() -> None:
    assert texts.language("THIS IS A SENTENCE IN ENGLISH AND NOTHING ELSE")[0] == "en"
    assert texts.language("¡Qué película más BONITA! La volvería a ver.")[0] == "es"
    assert texts.language("这部电影非常好看，我很喜欢。")[0] == "zh"
    assert {"en", "es", "zh"} <= set(texts.known_languages())


def test_signatures_estimate_the_share_of_common_runs() -> None:
    """Case and spaces do not count; one word of many changed leaves them near; another text shares nothing."""
    text = "the quick brown fox jumps over the lazy dog and runs away into the deep dark forest"
    found = texts.signatures(
        [text, text.upper().replace(" ", "  "), text.replace("lazy", "idle"), "nothing of it here"]
    )
    near = [float(np.mean(found[0] == other)) for other in found]

    assert near[:2] == [1, 1]
    assert 0.6 < near[2] < 0.95
    assert near[3] < 0.1


def test_bands_are_those_of_datasketch() -> None:
    num_bands, width = texts.bands(0.8)

    assert num_bands * width <= texts.NUM_PERMUTATIONS
    assert num_bands > 1
