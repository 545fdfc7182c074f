"""What reaches a terminal."""

import io
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from headrace.ui.clean_text import closed, visible, visible_lines
from headrace.ui.screen import VisibleConsole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, é, 漢, 🙂\ttab\n", "plain, é, 漢, 🙂\ttab\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\x", "x"),
        ("\x1b(Bx\x1bcy", "xy"),
        ("a\x08b\x07c\x7fd\0", "abcd"),
        ("a\u202eb\u2066c\u2069d\u200fe", "abcde"),
        ("\x1b]0;never ends", "]0;never ends"),
        ("\x1b", ""),
        ("\x1b\x1b[31mx", "x"),
    ],
)
def test_control_sequences_and_signs_of_direction_are_left_out(text, expected):
    """All that can be read stays."""
    assert visible(text) == expected


@given(st.text(st.sampled_from("\x1b\x9b\x9d[]0;m\x07\\PX^_ab\n\t\r\u202e\u2066"), max_size=30))
def test_nothing_that_a_terminal_obeys_is_left(text):
    """However sequences are cut and put together."""
    for shown in (visible(text), visible_lines(text)):
        assert not any(ord(sign) < 0x20 and sign not in "\t\n" for sign in shown)
        assert not any(0x7F <= ord(sign) < 0xA0 or sign in "\u202e\u2066" for sign in shown)
        assert visible(shown) == shown


def test_a_progress_bar_takes_a_line_for_each_step():
    """Rather than all steps in one."""
    assert visible_lines("1/3\r2/3\r3/3\r\ndone\n") == "1/3\n2/3\n3/3\ndone\n"


@pytest.mark.parametrize("piece", ["\x9d", "\x90a", "\x1b]", "\x1b[", "\x9b0", "\x1bP;"])
def test_sequences_without_end_take_time_in_proportion(piece):
    """A log from elsewhere may be made to keep its reader waiting."""
    started = time.process_time()
    assert "\x1b" not in visible(piece * 50_000)
    assert time.process_time() - started < 4


@pytest.mark.parametrize("name", ["שלום", "العربية", "x שלום"])
def test_writing_from_the_right_ends_where_its_column_does(name):
    """Else a terminal that turns it draws the number beside it on its left."""
    file = io.StringIO()
    console = VisibleConsole(file=file, force_terminal=True, width=40, color_system=None)
    table = Table("name", "rows", box=None)
    table.add_row(name, "12")

    console.print(table)

    line = file.getvalue().splitlines()[1]
    assert unicodedata.name(line[line.index(name[-1]) + 1]) == "LEFT-TO-RIGHT MARK"
    assert line.count("\N{LEFT-TO-RIGHT MARK}") == 1


@pytest.mark.parametrize("text", ["", "plain", "中文 12", "été"])
def test_other_writing_is_as_it_was(text):
    """Nothing invisible is added to what needs nothing."""
    assert closed(text) == text
