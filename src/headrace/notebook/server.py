"""Workers that wait between the steps of a session, with the heavy libraries loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from headrace.authoring import BaseNode
from headrace.orchestration.runners.base import NodeRunner
from headrace.orchestration.runners.choice import make_runner

# What the executors of components load, before and after the one that is asked for; never the user's own
# modules, which change between cells.
_FIRST = ("tensorflow", "apache_beam")
_LATER = (
    "tensorflow_data_validation",
    "tensorflow_transform",
    "tensorflow_model_analysis",
    "keras",
)


class KeptWorkers:
    """One server for the steps of a session; a new one where the surroundings of the process changed."""

    def __init__(self) -> None:
        self._workers: NodeRunner | None = None
        self._surroundings: object = None

    def for_component(self, component: BaseNode) -> NodeRunner:
        """Return workers that suit a component: the server loads TensorFlow only for a session that needs it."""
        modules = _modules(component)
        surroundings = (os.getcwd(), tuple(sys.path), dict(os.environ), bool(modules))
        is_enough = self._surroundings == surroundings or self._surroundings == (*surroundings[:-1], True)
        if self._workers is None or not is_enough:
            self.close()
            self._workers = make_runner(lambda: modules)
            self._surroundings = surroundings
        return self._workers

    def close(self) -> None:
        """End the server."""
        if self._workers is not None:
            self._workers.close()
            self._workers = None


def _modules(component: BaseNode) -> Sequence[str]:
    path = str(getattr(component.executor_spec, "class_path", ""))
    module = path.rpartition(".")[0]
    if not module.startswith(("headrace.components.", "tfx.components.")):
        return ()
    return [*_FIRST, module, *_LATER]
