"""Where a page is written."""

import os

import pytest

from headrace.cli.report_commands import page_name


@pytest.mark.parametrize(
    ("run_id", "name"),
    [
        ("2026-11-21-1", "2026-11-21-1.html"),
        ("nightly_3.b", "nightly_3.b.html"),
        ("/tmp/x/pwned", "tmp-x-pwned.html"),
        ("../../home/me/x", "home-me-x.html"),
        ("..", "run.html"),
        ("", "run.html"),
        ("a\0b\n\x1b[2J", "a-b-2J.html"),
        ("\u202eé", "run.html"),
        ("x" * 500, "x" * 200 + ".html"),
    ],
)
def test_a_runs_page_is_named_in_the_working_folder(run_id, name):
    """A store from elsewhere may call a run as it likes: that names no other place."""
    assert page_name(run_id) == name
    assert os.path.basename(name) == name
