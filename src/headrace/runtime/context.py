"""What an executor is given: its artifacts, its parameters, a place for temporary files, and who listens to it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from headrace.authoring import Artifact
from headrace.errors import DefinitionError, InputResolutionError
from headrace.runtime.implementation import OWN, STOCK, Implementation
from headrace.runtime.partial_results import PartialResults
from headrace.runtime.processes.fresh_processes import FreshProcesses
from headrace.runtime.processes.side_processes import SideProcesses
from headrace.runtime.progress import Progress

__all__ = ["ExecutionContext"]

# Custom properties of artifacts: one line for people, and for the cache the digest of the payload with what its
# files looked like (see `headrace.files.payloads`).
SUMMARY_PROPERTY = "headrace_summary"
DIGEST_PROPERTY = "headrace_digest"
FILES_PROPERTY = "headrace_files"

_log = logging.getLogger(__name__)

ProtoType = TypeVar("ProtoType", bound=Message)


@dataclass(frozen=True)
class ExecutionContext:
    """One execution of one node, as its executor sees it.

    Attributes:
        node_id: The node's id in the pipeline.
        inputs: Artifacts for each input key; a key without artifacts is absent or an empty list.
        outputs: Artifacts for each output key; the executor fills the folder at each one's `uri`.
        parameters: TFX's exec properties, in the encodings in which TFX records them (JSON text for lists
            and protos).
        tmp_path: A folder for temporary files, removed after the execution.
        beam_pipeline_args: The arguments of the pipeline for Beam, as given by the user.
        progress: Where the executor says what it does; under TFX's own runners nobody listens.
        partial_results: What it keeps for later executions; under TFX's own runners nothing.
        side_processes: Processes beside its own, for steps of `headrace.runtime.spread.Spread`; perhaps none.
        fresh_processes: Starts processes that ran none of the user's code.
    """

    node_id: str
    inputs: Mapping[str, Sequence[Artifact]]
    outputs: Mapping[str, Sequence[Artifact]]
    parameters: Mapping[str, Any]
    tmp_path: str
    beam_pipeline_args: Sequence[str] = field(default=())
    progress: Progress = field(default_factory=Progress)
    partial_results: PartialResults = field(default_factory=PartialResults)
    side_processes: SideProcesses = field(default_factory=SideProcesses)
    fresh_processes: FreshProcesses = field(default_factory=FreshProcesses)
    # What it says of itself; the last counts.
    _ran: list[Implementation] = field(
        init=False, repr=False, compare=False, default_factory=lambda: [Implementation(OWN)]
    )

    def input(self, key: str) -> Artifact:
        """Return the one artifact of input `key`.

        Raises:
            InputResolutionError: If there is none, or more than one.
        """
        artifacts = self.inputs.get(key) or []
        if len(artifacts) != 1:
            raise InputResolutionError(
                f"{self.node_id}: input '{key}' has {len(artifacts)} artifacts where 1 is needed.",
                "run the node that makes it, or narrow the channel with a Resolver.",
            )
        return artifacts[0]

    def optional_input(self, key: str) -> Artifact | None:
        """Return the one artifact of input `key`, or `None` where there is none."""
        return self.input(key) if self.inputs.get(key) else None

    def output(self, key: str) -> Artifact:
        """Return the one artifact of output `key`.

        Raises:
            DefinitionError: If the component does not declare this output.
        """
        artifact = self.optional_output(key)
        if artifact is None:
            raise DefinitionError(f"{self.node_id}: this component was given no output '{key}' to write.")
        return artifact

    def optional_output(self, key: str) -> Artifact | None:
        """Return the artifact of output `key`, or `None` where the node does not make it."""
        artifacts = self.outputs.get(key) or []
        return artifacts[0] if artifacts else None

    def parameter(self, key: str, default: Any = None) -> Any:
        """Return the exec property `key`; `default` where it is absent or `None`."""
        value = self.parameters.get(key)
        return default if value is None else value

    def json_parameter(self, key: str, default: Any = None) -> Any:
        """Return the value encoded as JSON text in exec property `key`; `default` where it is absent.

        Raises:
            DefinitionError: If the text is not JSON.
        """
        text = self.parameters.get(key)
        if text is None or text == "":
            return default
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise DefinitionError(
                f"{self.node_id}: parameter '{key}' is not JSON: {error}. Given: {text!r}.",
                f"give '{key}' as JSON text.",
            ) from error

    def proto_parameter(self, key: str, proto_class: type[ProtoType]) -> ProtoType:
        """Return exec property `key`, a proto in JSON form as TFX records it; an empty proto where absent.

        Raises:
            DefinitionError: If the text does not parse as `proto_class`.
        """
        value = self.parameters.get(key)
        if isinstance(value, proto_class):
            return value
        proto = proto_class()
        if value:
            try:
                json_format.Parse(value, proto)
            except json_format.ParseError as error:
                raise DefinitionError(
                    f"{self.node_id}: parameter '{key}' is not a {proto_class.DESCRIPTOR.name}: {error}"
                ) from error
        return proto

    def summarize(self, output_key: str, text: str) -> None:
        """Record one line that says what the output holds, such as `"train 9,998 rows, eval 5,004 rows"`.

        It is kept with the artifact, so that a cached node shows it too.
        """
        self.output(output_key).set_string_custom_property(SUMMARY_PROPERTY, text)

    @property
    def implementation(self) -> Implementation:
        """What does the work: Headrace's own implementation unless the executor says otherwise."""
        return self._ran[-1]

    def ran_stock(self, reason: str) -> None:
        """Record that TFX's own implementation does the work, which is slower; the log and the run's summary say so.

        Args:
            reason: Why, as a sentence without its full stop, such as `"force_tf_compat_v1 is on"`.
        """
        self._record(Implementation(STOCK, reason))

    def ran_own(self, reason: str) -> None:
        """Record that a part of the work is not Headrace's own and therefore slower.

        Args:
            reason: What is not, and why, as a sentence without its full stop.
        """
        self._record(Implementation(OWN, reason))

    def _record(self, implementation: Implementation) -> None:
        self._ran.append(implementation)
        _log.warning("%s: %s.", self.node_id, implementation.note)
