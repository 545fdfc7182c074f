"""What a run gives to whoever executes its nodes, and gets back: one task, one outcome."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.files.payloads import Payload
from headrace.orchestration.earlier_runs import Outcome


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


@dataclass(frozen=True)
class Done:
    """The call returned.

    Attributes:
        output: Serialized `ExecutorOutput`, or `DriverOutput` for a driver.
        digests: What each output artifact holds, by its uri.
    """

    output: bytes
    digests: dict[str, Payload]
