"""A fault to plant, as a row of the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        area: The table's file.
        name: Its name, unique among all.
        slip: What goes wrong with it, as a sentence.
        file: The file that it is planted in, relative to the root of the tree.
        old: A text that occurs there exactly once.
        new: The text in its place.
        tests: Tests that should notice, the quickest first, as pytest takes them.
    """

    area: str
    name: str
    slip: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def fits(self, root: Path) -> bool:
        """Whether its text is in the code exactly once."""
        path = root / self.file
        return path.exists() and path.read_text(encoding="utf-8").count(self.old) == 1

    def planted(self, text: str) -> str:
        """Return a file's text with the fault."""
        return text.replace(self.old, self.new)


def read_table(folder: Path) -> list[Mutant]:
    """Return all mutants.

    Raises:
        ValueError: If a row lacks something, changes nothing, or has the name of another.
    """
    found: dict[str, Mutant] = {}
    for path in sorted(folder.glob("*.yaml")):
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        for row in table["mutants"]:
            tests = row.get("tests") or table["tests"]
            mutant = Mutant(
                path.stem,
                row["name"],
                row["slip"],
                row.get("file") or table["file"],
                row["old"],
                row["new"],
                tuple(tests),
            )
            if mutant.name in found or mutant.old == mutant.new:
                raise ValueError(f"{path}: {mutant.name} is there twice, or changes nothing")
            found[mutant.name] = mutant
    return list(found.values())
