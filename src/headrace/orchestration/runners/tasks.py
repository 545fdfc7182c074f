"""What a run gives to whoever executes its nodes, and gets back: one task, one outcome."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import ClassVar

from headrace.files.payloads import Payload
from headrace.orchestration.earlier_runs import Outcome


@dataclass(frozen=True)
class Address:
    """Which process a task's worker is forked from.

    Attributes:
        needs_libraries: Whether that is one with the libraries loaded that the run's nodes need.
        code: Stands for the user's code that the process has read; empty where a library's is to run.
    """

    needs_libraries: bool
    code: bytes = b""

    NUM_BYTES: ClassVar[int] = 33

    def to_bytes(self) -> bytes:
        """Return it as `NUM_BYTES` bytes."""
        return bytes([self.needs_libraries]) + self.code.ljust(self.NUM_BYTES - 1, b"\0")

    @classmethod
    def from_bytes(cls, content: bytes) -> Address:
        """Return what `to_bytes` wrote."""
        return cls(bool(content[0]), content[1:] if any(content[1:]) else b"")


@dataclass(frozen=True)
class Task:
    """One call of an executor, or of a driver too heavy for the orchestrating process.

    Attributes:
        node_id: The node, for messages.
        kind: `"executor"` or `"driver"`.
        class_path: Dotted path of the class.
        spec_type: Full name of the executable spec's proto type.
        spec: The serialized executable spec.
        execution_info: The serialized `ExecutionInvocation` of TFX.
        main_path: The script whose `__main__` holds the class; empty where no script is needed.
        earlier_runs: How the runs ended that it started before this one.
        module_path: The file of the class's module, where that was loaded by its path; empty otherwise.
        connection_config: For a driver, the serialized MLMD connection; empty otherwise.
        arguments: The script's own command-line arguments, which TFX hands to executors as extra flags.
        tmp_path: Where the worker puts temporary files, removed after it; the system's place where empty.
        kept_path: Where executors keep partial results for later executions; nowhere where empty.
        maker: Stands for all that these depend on beside the inputs.
        is_users: Whether the class is of the user's code: of a script, a file, or a module of the project.
        needs_libraries: Whether to wait for the libraries that the run's nodes need.
    """

    node_id: str
    kind: str
    class_path: str
    spec_type: str
    spec: bytes
    execution_info: bytes
    main_path: str = ""
    earlier_runs: tuple[Outcome, ...] = ()
    connection_config: bytes = b""
    arguments: tuple[str, ...] = ()
    tmp_path: str = ""
    kept_path: str = ""
    maker: str = ""
    module_path: str = ""
    is_users: bool = False
    needs_libraries: bool = True

    @property
    def address(self) -> Address:
        """Where its worker is forked from: one process reads the user's code, for all tasks with it."""
        if not self.is_users:
            return Address(self.needs_libraries)
        module = self.class_path.rpartition(".")[0]
        # A script is read up to the run that goes on: with each that has ended further. What code leaves in the temporary
        # folder when it is read goes with the run.
        run = (os.path.dirname(self.tmp_path), len(self.earlier_runs))
        read = (module, self.module_path or self.main_path, run)
        return Address(self.needs_libraries, hashlib.sha256(repr(read).encode()).digest())


@dataclass(frozen=True)
class Done:
    """The call returned.

    Attributes:
        output: Serialized `ExecutorOutput`, or `DriverOutput` for a driver.
        digests: What each output artifact holds, by its uri.
    """

    output: bytes
    digests: dict[str, Payload]
