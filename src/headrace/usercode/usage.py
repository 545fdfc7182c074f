"""What some code uses, as it is counted: files with their digests, libraries, variables, the command line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from headrace.usercode.named_destinations import Destinations

_texts: dict[str, str] = {}


@dataclass(frozen=True)
class Source:
    """What counts of one file.

    Attributes:
        digest: Digest of its statements without comments and formatting; of the bytes of a data file.
        text: The statements as they are written; empty for a data file.
    """

    digest: str
    text: str = ""

    @property
    def text_digest(self) -> str:
        """Under what the text is kept; the content's digest for a data file."""
        if not self.text:
            return self.digest
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        _texts[digest] = self.text
        return digest


@dataclass
class Usage:
    """All that some functions use.

    Attributes:
        files: What counts of each file, by its path.
        libraries: Dotted names of the modules of libraries that are imported, Headrace's own among them.
        environment: Names of the environment variables that are read.
        reads_arguments: Whether the command line is read.
        destinations: Which paths, names of files, and names of what holds such are of what is written.
        lists_folders: Whether folders are listed that the code does not name.
        names: Names of the files that count: of modules, and of data files in their common folder. The files of
            the functions themselves have none.
    """

    files: dict[str, Source] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)
    environment: set[str] = field(default_factory=set)
    reads_arguments: bool = False
    destinations: Destinations = field(default_factory=Destinations)
    lists_folders: bool = False
    names: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """One digest of the sources, wherever they lie."""
        return combined_digest({path: source.digest for path, source in self.files.items()}, self.names)

    def add(self, other: Usage) -> None:
        """Add what others use, but for their files."""
        self.libraries |= other.libraries
        self.environment |= other.environment
        self.reads_arguments = self.reads_arguments or other.reads_arguments


def combined_digest(found: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Return one digest for digests by path: of what is there and under which names, not of where it lies."""
    lines = sorted(f"{names.get(path, '')} {digest}" for path, digest in found.items())
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def text_of(digest: str) -> str:
    """Return the text with a `Source.text_digest` that this process has seen; empty for another."""
    return _texts.get(digest, "")
