"""`headrace new`: what is said before a project is written, and what is refused."""

from __future__ import annotations

import pytest


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """A small table in the working folder."""
    monkeypatch.chdir(tmp_path)
    lines = [f"{number},{number * 1.37 % 11:.3f},{'ab'[number % 2]}" for number in range(40)]
    (tmp_path / "rows.csv").write_text("\n".join(["row,size,kind", *lines]) + "\n")
    return tmp_path


def test_what_was_found_is_said_and_the_project_is_written(headrace, rows):
    """The table with roles and reasons, where the data are, the files, and the next command."""
    result = headrace("new", "wine", "--data", "rows.csv", "--label", "kind")

    assert result.exit_code == 0, result.output
    assert result.output == (
        "rows.csv: a CSV file, 40 rows looked at\n"
        "Column  Taken for  Because\n"
        "row     id         counts the rows\n"
        "size    number     numbers from 0 to 10.96\n"
        "kind    label      is to be predicted\n"
        "\n"
        "'kind' is predicted as two classes: it has 2 different words; 'b' is what is predicted\n"
        "\n"
        "The data stay where they are, and are found by a path from this folder: `../rows.csv`.\n"
        "\n"
        "Written: wine/ with .github/workflows/pipeline.yml, .gitignore, README.md, features.py, headrace.yaml, "
        "model.py, notebook.ipynb, pipeline.py, pyproject.toml, requirements.txt, tests/test_pipeline.py\n"
        "Next: cd wine && headrace run\n"
    )
    assert (rows / "wine" / "pipeline.py").exists()


def test_a_dry_run_writes_nothing(headrace, rows):
    """And says what it would."""
    result = headrace("new", "wine", "--data", "rows.csv", "--label", "kind", "--dry-run")

    assert "Would be written: wine/ with" in result.output
    assert not (rows / "wine").exists()


def test_without_a_terminal_a_missing_label_is_an_error_with_what_there_is(headrace, rows):
    """And a proposal."""
    result = headrace("new", "wine", "--data", "rows.csv")

    assert result.exit_code == 1
    assert result.stderr == (
        "DataError: nothing says what is to be predicted. rows.csv has 'kind', 'row', 'size'.\n"
        "  Fix: give --label COLUMN, such as --label 'kind'.\n"
    )


def test_on_a_terminal_the_label_is_chosen_and_the_project_confirmed(headrace, rows, monkeypatch):
    """By number or by name; what is neither is asked again."""
    monkeypatch.setattr("headrace.cli.commands.new._is_terminal", lambda: True)

    chosen = headrace("new", "one", "--data", "rows.csv", input="colour\n2\ny\n")
    declined = headrace("new", "two", "--data", "rows.csv", "--label", "kind", input="n\n")

    assert "There is no column 'colour'." in chosen.output
    assert "'size' is predicted as regression" in chosen.output
    assert (rows / "one").exists()
    assert (declined.exit_code, (rows / "two").exists()) == (1, False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Give --data with your own data, or --from"),
        (["--data", "rows.csv", "--from", "taxi"], "Give --data with your own data, or --from"),
        (["--from", "taxi", "--label", "tips"], "go with --data"),
        (["--from", "taxy"], "did you mean 'taxi'?"),
        (["--data", "row.csv", "--label", "kind"], "did you mean 'rows.csv'?"),
        (["--data", "rows.csv", "--label", "kin"], "did you mean 'kind'? Correct --label."),
        (["--data", "rows.csv", "--label", "kind", "--time", "when"], "Correct --time."),
        (["--data", "rows.csv", "--label", "kind", "--query", "SELECT 1"], "--data is no database"),
        (["--data", ".", "--label", "kind"], ""),
    ],
)
def test_what_cannot_be_meant_is_said(headrace, rows, arguments, told):
    """Nothing is written then."""
    result = headrace("new", "wine", *arguments)

    assert (result.exit_code == 0) == (told == ""), result.output
    assert told in result.stderr
    assert (rows / "wine").exists() == (told == "")
