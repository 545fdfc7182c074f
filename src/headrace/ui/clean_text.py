"""Text that comes from data, users and libraries, as a terminal may show it.

A terminal obeys control sequences: they clear the screen, set its title, answer as if typed, or hide text. And signs
that turn the direction of writing show a line in another order than it is read by a machine.
"""

from __future__ import annotations

import re
import unicodedata

# Sequences in whole, in both of their forms: of one command with its numbers, and of a text up to its end.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\x9d\x90\x98\x9e\x9f\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-Z\\^-~]?"
)
# Control characters of ASCII and Latin-1 but tab and end of line, and those that turn the direction of writing.
_LEFT_OUT = {
    code: None
    for code in (
        *range(0x20),
        *range(0x7F, 0xA0),
        0x061C,
        0x200E,
        0x200F,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    )
    if chr(code) not in "\t\n"
}

_FROM_RIGHT = frozenset(["R", "AL", "AN"])
_LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"


def visible(text: str) -> str:
    """Return a text without what a terminal would obey: control sequences, and signs of direction."""
    return _SEQUENCES.sub("", text).translate(_LEFT_OUT)


def closed(text: str) -> str:
    """Return a text with an invisible sign behind what is written from right to left.

    A terminal that turns such writing would draw the number in the next column as a part of it, on its left (Unicode
    Standard Annex 9, "Implicit directional marks"); the sign, which has no width, ends it where the text ends.
    """
    if text.isascii() or not any(unicodedata.bidirectional(sign) in _FROM_RIGHT for sign in text):
        return text
    body = text.rstrip("\n")
    return f"{body}{_LEFT_TO_RIGHT}{text[len(body) :]}"


def visible_lines(text: str) -> str:
    """Return a log as `visible` text; a progress bar, which returns to the start of its line, goes on below."""
    return visible(text.replace("\r\n", "\n").replace("\r", "\n"))
