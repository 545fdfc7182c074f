"""What Headrace knows of an artifact type: how it is read, said in a line, shown and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from headrace.errors import DefinitionError
from headrace.formats.changes import Change

if TYPE_CHECKING:
    from headrace.authoring import Artifact
    from headrace.reports.blocks.blocks import Block
    from headrace.results.result import Result
    from headrace.store.session import Subject

Content = TypeVar("Content")


def _no_tone(summary: str) -> str:
    return ""


@dataclass(frozen=True)
class Headline:
    """A line of its own below the table of a run's nodes.

    Attributes:
        label: The word before it, such as `"Verdict"`.
        tone: Given the artifact's summary, returns `"good"`, `"warning"`, `"bad"` or the empty string, which colours
            the line.
        is_alone: Whether the summary stands there in the place of a line in the table, after the node's name.
        otherwise: What is said of an artifact without a summary, `{uri}` in it being the artifact's; empty for nothing.

    Raises:
        DefinitionError: If `label` or `otherwise` is no text, or `tone` cannot be called.
    """

    label: str
    tone: Callable[[str], str] = _no_tone
    is_alone: bool = True
    otherwise: str = ""

    def __post_init__(self) -> None:
        for name in ("label", "otherwise"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise DefinitionError(f"Headline: {name} is {value!r}, no text.", f"give {name} a text.")
        if not callable(self.tone):
            raise DefinitionError(
                f"Headline: tone is {self.tone!r}, which cannot be called.", "give tone a function."
            )


@dataclass(frozen=True)
class ArtifactType(Generic[Content]):
    """How the artifacts of one type are read, said in a line, shown and compared. Every part may be left out.

    Nothing of it runs before an artifact is shown. Import heavy libraries inside the functions: a run that made such an
    artifact looks at `headline` when it ends.

    Attributes:
        read: Returns what an artifact's files hold.
        summarize: Returns one line on what was read. It is used where the component that made the artifact recorded
            none (`ExecutionContext.summarize`).
        changes: Returns what differs between two that were read, the older first; for `headrace diff`.
        page: Returns the blocks of an artifact, for `headrace show`, pages and notebooks. Without it, its properties
            and files are shown.
        overlay: Returns the blocks of two artifacts drawn over each other, for `headrace show ARTIFACT --with OTHER`.
        headline: A line of its own at the end of a run.
        is_open: Whether it is unfolded on the page of a run.
        result: Returns the class of what `headrace.load` gives, one derived from `headrace.results.Result`. Without it
            that is `Result` itself, whose `content` is what `read` returns.

    Raises:
        DefinitionError: If `summarize` or `changes` is given without `read`, or one of them cannot be called.

    Example:
        >>> drift = ArtifactType(
        ...     read=lambda artifact: open(f"{artifact.uri}/drift.txt").read(), summarize=lambda text: f"drift {text}"
        ... )
    """

    read: Callable[[Artifact], Content] | None = None
    summarize: Callable[[Content], str] | None = None
    changes: Callable[[Content, Content], Iterable[Change]] | None = None
    page: Callable[[Subject], Sequence[Block]] | None = None
    overlay: Callable[[Subject, Subject], Sequence[Block]] | None = None
    headline: Headline | None = None
    is_open: bool = False
    result: Callable[[], type[Result]] | None = None

    def __post_init__(self) -> None:
        for name in ("read", "summarize", "changes", "page", "overlay", "result"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise DefinitionError(
                    f"ArtifactType: {name} is {value!r}, which cannot be called.", f"give {name} a function."
                )
        if self.headline is not None and not isinstance(self.headline, Headline):
            raise DefinitionError(
                f"ArtifactType: headline is {self.headline!r}, no Headline.",
                "give a Headline, or leave it out.",
            )
        if self.read is None and (self.summarize or self.changes):
            raise DefinitionError(
                "ArtifactType: summarize and changes are given what read returns, and there is no read.",
                "give read as well.",
            )
