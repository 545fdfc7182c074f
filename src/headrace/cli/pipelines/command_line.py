"""What the command line of `headrace run` and `headrace resume` said, and how it goes into the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.config.document import Document, read_document
from headrace.config.run_config import apply_settings
from headrace.errors import ConfigError
from headrace.files import is_file
from headrace.run_options import OPTIONS, Option, Ways

# What a folder's own pipeline is found by.
PROJECT_CONFIG = "headrace.yaml"
PROJECT_PIPELINE = "pipeline.py"


@dataclass(frozen=True)
class Output:
    """What the command prints.

    Attributes:
        quiet: How it ended and nothing before.
        plain: One line per change, also on a terminal.
        as_json: The result as JSON on standard output, and all else on standard error.
    """

    quiet: bool = False
    plain: bool = False
    as_json: bool = False


@dataclass(frozen=True)
class Command:
    """What the command line said.

    Attributes:
        pipeline: The pipeline's name, function or file; `None` where the configuration names it.
        config_path: The configuration file.
        settings: Texts of `--set`.
        options: Options of the run, under their names in `RunOptions`; `None` and nothing where not given.
        output: What to print.
    """

    pipeline: str | None = None
    config_path: str | None = None
    settings: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    output: Output = Output()

    def given(self, ways: Ways) -> dict[Option, Any]:
        """Return the options that were given, of those that these ways take.

        Raises:
            ConfigError: If one was given nothing, as by a variable of the shell that is not set.
        """
        found = {option: self.options.get(option.name) for option in OPTIONS if option.ways is ways}
        for option, value in found.items():
            if value == "":
                raise ConfigError(f"{option.flag} was given an empty text.", "give a value, or leave it out.")
        return {option: value for option, value in found.items() if value is not None and value != ()}

    @property
    def is_dry(self) -> bool:
        """Whether nothing is to be executed."""
        return bool(self.options.get("dry_run"))


def read_settings(command: Command) -> Document:
    """Return the configuration file, with `--set` written over it, and the options over both.

    Where neither a pipeline nor a file is named, the folder's own `headrace.yaml` is the file; where there is none, the
    folder's own `pipeline.py` is the pipeline.

    Raises:
        ConfigError: If the file or a `--set` cannot be read, or an option is empty.
    """
    path = command.config_path
    if path is None and command.pipeline is None and is_file(PROJECT_CONFIG):
        path = PROJECT_CONFIG
    document = read_document(path) if path else Document()
    if path is None and command.pipeline is None and is_file(PROJECT_PIPELINE):
        document.set(("pipeline",), PROJECT_PIPELINE, "this folder")
    apply_settings(document, command.settings)
    apply_options(document, command)
    return document


def apply_options(document: Document, command: Command) -> None:
    """Write the options that were given over a document; those of one run have no place in it."""
    if command.pipeline is not None:
        document.set(("pipeline",), command.pipeline, "command line")
    for option, value in command.given(Ways.EVERYWHERE).items():
        flag = f"--no-{option.word}" if value is False else option.flag
        document.set((option.word,), list(value) if isinstance(value, tuple) else value, flag)
