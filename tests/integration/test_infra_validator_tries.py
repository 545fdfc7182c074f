"""How often a model is tried before it is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tfx.proto import infra_validator_pb2

from headrace.components.infra_validator import executor
from headrace.components.infra_validator.process import ServerFailure

_LATER = ServerFailure("did not load within 1 s", may_pass_later=True)
_NEVER = ServerFailure("failed to load: no graph", may_pass_later=False)


class Blessing(SimpleNamespace):
    """The output artifact, as far as the executor writes to it."""

    def set_int_custom_property(self, name: str, value: int) -> None:
        self.properties[name] = value


class Context:
    """What the executor is given, with nothing but the number of tries."""

    def __init__(self, folder: Path, num_tries: int) -> None:
        self.node_id = "InfraValidator"
        self.tmp_path = str(folder)
        self.inputs: dict[str, Any] = {}
        self.blessing = Blessing(uri=str(folder / "blessing"), properties={})
        self.line = ""
        self._spec = infra_validator_pb2.ValidationSpec(num_tries=num_tries)

    def proto_parameter(self, key: str, kind: Any) -> Any:
        return self._spec if key == "validation_spec" else kind()

    def output(self, key: str) -> Blessing:
        return self.blessing

    def summarize(self, key: str, line: str) -> None:
        self.line = line


@pytest.mark.parametrize(
    ("num_tries", "outcomes", "num_made", "is_blessed"),
    [
        (3, ["fine"], 1, True),
        (3, [_LATER, "fine"], 2, True),
        (3, [_LATER, _LATER, "fine"], 3, True),
        (3, [_LATER, _LATER, _LATER, "fine"], 3, False),
        (1, [_LATER, "fine"], 1, False),
        (3, [_NEVER, "fine"], 1, False),
        (3, [_LATER, _NEVER, "fine"], 2, False),
        (0, [_LATER] * 4 + ["fine"], 5, True),
    ],
)
def test_what_may_pass_later_is_tried_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    num_tries: int,
    outcomes: list[Any],
    num_made: int,
    is_blessed: bool,
):
    """As often as was asked for, five times where nothing was; what can never pass is not tried again."""
    context = Context(tmp_path, num_tries)
    waiting = list(outcomes)

    def run_once(*_: object) -> str:
        outcome = waiting.pop(0)
        if isinstance(outcome, ServerFailure):
            raise outcome
        return f"INFRA BLESSED: {outcome}"

    monkeypatch.setattr(executor, "_run", run_once)
    monkeypatch.setattr(executor, "_trial", lambda context: SimpleNamespace(records=()))

    executor.Executor().execute(context)  # type: ignore[arg-type]

    assert len(outcomes) - len(waiting) == num_made
    assert context.blessing.properties["blessed"] == int(is_blessed)
    name = "INFRA_BLESSED" if is_blessed else "INFRA_NOT_BLESSED"
    assert [path.name for path in Path(context.blessing.uri).iterdir()] == [name]
    last = outcomes[num_made - 1]
    assert context.line == ("INFRA BLESSED: fine" if is_blessed else f"INFRA NOT BLESSED: {last.reason}")
