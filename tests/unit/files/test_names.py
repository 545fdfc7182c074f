"""Names that become files and folders: which are taken, and what is said of the others."""

from __future__ import annotations

import os

import pytest

from headrace.errors import DefinitionError
from headrace.files import names

RULE = "use letters, digits, '-', '_' and '.', not '.' at the start, at most 200 bytes."


@pytest.mark.parametrize(
    "run_id", ["nightly", "2026-11-30-1", "v1.2_b", "key-nightly", "x.tmp", "über", "-", "x" * 200]
)
def test_run_ids_that_are_taken(run_id: str):
    """No beginning and no ending of a run id is special."""
    assert names.check_run_id(run_id) == run_id


@pytest.mark.parametrize(
    ("run_id", "shown"),
    [
        ("", "''"),
        (".", "'.'"),
        ("..", "'..'"),
        (".hidden", "'.hidden'"),
        ("a/b", "'a/b'"),
        ("a b", "'a b'"),
        ("a\0b", r"'a\x00b'"),
        ("a\nb", r"'a\nb'"),
        ("nightly\n", r"'nightly\n'"),
        ("a\x1b[2Jb", r"'a\x1b[2Jb'"),
        ("a\u202eb", r"'a\u202eb'"),
        ("a\udcffb", r"'a\udcffb'"),
        ("x" * 250, f"'{'x' * 39}...' (250 characters)"),
        ("ü" * 101, f"'{'ü' * 101}'"),
    ],
)
def test_run_ids_that_are_refused(run_id: str, shown: str):
    """What is not printable is shown escaped."""
    with pytest.raises(DefinitionError) as caught:
        names.check_run_id(run_id)

    assert str(caught.value) == f"{shown} cannot be a run id.\n  Fix: {RULE}"


@pytest.mark.parametrize(
    ("run_id", "meaning"),
    [
        ("latest", "a word of the commands"),
        ("dry-run", "a word of the commands"),
        ("5", "the number of an artifact"),
    ],
)
def test_words_that_mean_something_else_on_the_command_line_are_no_run_ids(run_id: str, meaning: str):
    with pytest.raises(DefinitionError) as caught:
        names.check_run_id(run_id)

    assert str(caught.value) == (
        f"'{run_id}' cannot be a run id: it is {meaning}.\n  Fix: choose another, such as 'run-{run_id}'."
    )


@pytest.mark.parametrize("name", ["Trainer", "my node (2)", "a.b", "tränen", "[v1]", "x" * 200])
def test_names_that_folders_can_have(name: str):
    """TFX's own names are wider than run ids."""
    assert names.check_folder_name(name, "node id") == name
    assert names.is_folder_path(f"{name}/{name}")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../../escaped", "/etc", ".unfinished", "a\0", "a\n", "x" * 201]
)
def test_names_that_no_folder_gets(name: str):
    with pytest.raises(DefinitionError, match="cannot be a node id"):
        names.check_folder_name(name, "node id")
    assert not names.is_folder_path(f"a/{name}")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("2026-11-30-1", "2026-11-30-1"),
        ("/tmp/x/pwned", "tmp-x-pwned"),
        ("../..", "unnamed"),
        (".hidden", "hidden"),
        ("a\nb", "a-b"),
        ("", "unnamed"),
    ],
)
def test_a_file_named_after_what_a_store_says_stays_where_it_is_written(name: str, slug: str):
    assert names.slug(name) == slug
    assert os.path.basename(names.slug(name)) == names.slug(name)
    assert names.is_plain(names.slug(name))
