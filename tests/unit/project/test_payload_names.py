"""The names of payload files and of recorded properties are written down once: who writes and who reads share them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FORMATS = ROOT / "src" / "headrace" / "formats"
# `metadata` is a folder of a TransformGraph, `quarantine` one of Examples, and both are words.
WORDS = frozenset({"metadata", "quarantine"})


def modules() -> list[Path]:
    """Every module of the library and of the components; a pipeline may name a file of its own data so."""
    found = [path for top in ("src/headrace", "components") for path in (ROOT / top).rglob("*.py")]
    assert len(found) > 400
    return found


def texts_of(tree: ast.AST) -> Iterator[str]:
    """The texts in a module that are no docstrings and hold no blank, as sentences do."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str) and " " not in node.value:
            yield node.value


def constants_of(tree: ast.Module, *endings: str) -> Iterator[str]:
    """The texts in constants of a module whose names end so."""
    for node in tree.body:
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Name) and target.id.endswith(endings):
                yield from texts_of(node.value)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def file_names() -> set[str]:
    """The names of files, folders and prefixes in `headrace.formats`."""
    endings = ("_FILE", "_FILES", "_FOLDER", "_PREFIX")
    return {name for path in FORMATS.rglob("*.py") for name in constants_of(parsed(path), *endings)} - WORDS


def strays(names: set[str], tree: ast.AST) -> list[str]:
    """The texts of a module that name such a file; one without a dot counts where it is the whole text."""
    return [
        text
        for text in texts_of(tree)
        for name in names
        if (name in text if "." in name or name.endswith("-") else name == text)
    ]


def test_payload_files_are_named_in_formats_alone():
    """A component that writes and a page that reads cannot drift apart."""
    names = file_names()

    found = {
        str(path.relative_to(ROOT)): stray
        for path in modules()
        if FORMATS not in path.parents and (stray := strays(names, parsed(path)))
    }

    assert found == {}


def test_that_test_would_see_one():
    """All kinds of payloads are among the names, and a name in a path or an f-string is seen."""
    names = file_names()

    assert {
        "schema.pbtxt",
        "FeatureStats.pb",
        "SchemaDiff.pb",
        "Quartiles.json",
        "Numbers.json",
        "Contents.json",
        "Distributions.parquet",
        "Drift.json",
        "saved_model.pb",
        "verdict.json",
        "eval_config.json",
        "classes.json",
        "history.json",
        "tuner_results.json",
        "transform_fn",
        "prediction_logs",
        "BLESSED",
        "INFRA_NOT_BLESSED",
        "Split-",
    } <= names
    planted = 'open(f"{uri}/Split-{split}")\nlist(folder / "verdict.json", "BLESSED", "See BLESSED.")\n'
    assert sorted(strays(names, ast.parse(planted))) == ["/Split-", "BLESSED", "verdict.json"]


def test_recorded_properties_are_named_once():
    """What is recorded under one name is read under the same."""
    trees = {path: parsed(path) for path in modules()}
    names = {
        text
        for path, tree in trees.items()
        for text in constants_of(tree, "_PROPERTY")
        if text.startswith("headrace_") or (FORMATS in path.parents and "_" in text)
    }
    assert {"headrace_summary", "headrace_digest", "headrace_run", "pushed_destination"} <= names

    places: dict[str, list[str]] = {name: [] for name in names}
    for path, tree in trees.items():
        for name in names & set(texts_of(tree)):
            places[name].append(str(path.relative_to(ROOT)))

    assert {name: found for name, found in places.items() if len(found) > 1} == {}
