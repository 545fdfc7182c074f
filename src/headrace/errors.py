"""Every error that Headrace raises on purpose.

::

    HeadraceError
    ├── DefinitionError (ValueError)      a pipeline or component that cannot run as written
    │   ├── ConnectionTypeError (TypeError)   an input connected to an artifact of another type
    │   ├── CycleError                    nodes that wait for each other
    │   ├── DuplicateNodeError            two nodes with one id
    │   ├── OptionError (TypeError)       an option that there is not
    │   ├── UnknownNodeError              a node id that the pipeline does not have
    │   ├── UnknownOutputError (AttributeError, KeyError)   an output that the component does not have
    │   └── UnsupportedFeatureError       something TFX can declare and Headrace refuses, saying why
    ├── UserFunctionError (ValueError)    a module or function named by the user that cannot be imported
    ├── ConfigError (ValueError)          a configuration file, key or value
    ├── DataError (ValueError)            what the data holds
    │   ├── MissingFileError              an input file or pattern that matches nothing
    │   ├── EmptyDataError                input without a single row
    │   ├── MalformedFileError            input that does not parse, with the line where it stops
    │   ├── UnsupportedColumnError        a column of a type that has no tf.Example form
    │   ├── UnknownSplitError             a split that the artifact does not have
    │   ├── SchemaMismatchError           data that contradicts the schema
    │   └── AnomaliesError                anomalies that the pipeline was told to stop on
    ├── TrainingError                     training that cannot give a usable model, such as a NaN loss
    ├── ModelError                        a model without the signature or file that is needed
    │   └── ModelInputError (SchemaMismatchError)  rows that are not what the model's signature takes
    ├── ExecutorError                     a node whose executor failed; `__cause__` or `detail` says why
    ├── RunError                          a run that did not do its work
    ├── InputResolutionError              inputs that no artifact in the store satisfies
    ├── StoreError                        the metadata store or artifact folder: full, read-only, foreign
    ├── UnreachableError                  an address whose store does not answer, or refuses
    └── SetupError                        this machine or environment lacks something

Each carries `problem` (where, what was given, what exists) and `fix` (what to do next). No subclass
changes `__init__`, so every error crosses a process boundary by pickle unchanged.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HeadraceError(Exception):
    """Root of all errors raised on purpose.

    Args:
        problem: Where it happened, what was given and what exists, as full sentences.
        fix: What the reader can do next; empty where nothing can be said.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem, fix)
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.problem}\n  Fix: {self.fix}" if self.fix else self.problem


class DefinitionError(HeadraceError, ValueError):
    """A pipeline or component that cannot run as it is written."""


class ConnectionTypeError(DefinitionError, TypeError):
    """An input is connected to an artifact of another type."""


class CycleError(DefinitionError):
    """Nodes wait for each other."""


class DuplicateNodeError(DefinitionError):
    """Two nodes of one pipeline share an id."""


class OptionError(DefinitionError, TypeError):
    """An option that there is not."""


class UnknownNodeError(DefinitionError):
    """A node id that the pipeline does not have."""


class UnknownOutputError(DefinitionError, AttributeError, KeyError):
    """An output that the component does not have."""


class UnsupportedFeatureError(DefinitionError):
    """Something TFX can declare that Headrace refuses to run."""


class UserFunctionError(HeadraceError, ValueError):
    """A module or function named by the user cannot be imported."""


class ConfigError(HeadraceError, ValueError):
    """A configuration file, key or value is wrong."""


class DataError(HeadraceError, ValueError):
    """The data cannot be processed as it is."""


class MissingFileError(DataError):
    """An input file, or a pattern of input files, matches nothing."""


class EmptyDataError(DataError):
    """Input without a single row."""


class MalformedFileError(DataError):
    """Input that does not parse; the message names the file and the line."""


class UnsupportedColumnError(DataError):
    """A column of a type that has no tf.Example form."""


class UnknownSplitError(DataError):
    """A split that the artifact does not have."""


class SchemaMismatchError(DataError):
    """Data that contradicts the schema."""


class AnomaliesError(DataError):
    """The data has anomalies that the pipeline was told to stop on."""


class TrainingError(HeadraceError):
    """Training that cannot give a usable model."""


class ModelError(HeadraceError):
    """A model lacks the signature or the files that are needed, or cannot be loaded or asked."""


class ModelInputError(ModelError, SchemaMismatchError):
    """Rows lack what a model's signature takes, or have it in another type or shape."""


class ExecutorError(HeadraceError):
    """A node's executor failed."""


class RunError(HeadraceError):
    """A run did not do its work."""


class InputResolutionError(HeadraceError):
    """No artifact in the store satisfies an input."""


class StoreError(HeadraceError):
    """The metadata store or the artifact folder cannot be used."""


class UnreachableError(HeadraceError):
    """The store behind an address does not answer, or refuses."""


class SetupError(HeadraceError):
    """This machine or this environment lacks something that is needed."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return `"did you mean 'x'? "` for the known name nearest to `given`, or an empty string."""
    near = difflib.get_close_matches(given, list(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'? " if near else ""


def listed(names: Iterable[str]) -> str:
    """Return the names sorted and quoted for a message, or `"none"`."""
    return ", ".join(f"'{name}'" for name in sorted(names)) or "none"
