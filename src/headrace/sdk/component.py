"""The base of every Headrace component, and executor specs that name a class without importing it."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from headrace.sdk.light import authoring

with authoring():
    from tfx.dsl.components.base.base_component import BaseComponent
    from tfx.dsl.components.base.executor_spec import BeamExecutorSpec, ExecutorClassSpec
    from tfx.utils import import_utils


class _NamedClass:
    """The part both specs share: an executor class known by its path until someone needs it."""

    _class_path: str
    extra_flags: list[str]

    @property
    def executor_class(self) -> type[Any]:
        """The class itself; importing it loads TensorFlow and Beam. TFX's notebook launcher asks for it."""
        return cast("type[Any]", import_utils.import_class_by_path(self._class_path))

    @property
    def class_path(self) -> str:
        """Dotted path of the executor class, as the pipeline's IR names it."""
        return self._class_path


class NamedExecutorSpec(_NamedClass, ExecutorClassSpec):
    """An `ExecutorClassSpec` for a plain Python executor, given by class path.

    Args:
        class_path: Dotted path of a `BaseExecutor` subclass.
    """

    def __init__(self, class_path: str) -> None:
        self._class_path = class_path
        self.extra_flags = []


class NamedBeamExecutorSpec(_NamedClass, BeamExecutorSpec):
    """A `BeamExecutorSpec` given by class path: the pipeline's Beam arguments reach the executor.

    Args:
        class_path: Dotted path of a `BaseBeamExecutor` subclass.
    """

    def __init__(self, class_path: str) -> None:
        self._class_path = class_path
        self.extra_flags = []
        self.beam_pipeline_args: list[str] = []


class Component(BaseComponent):
    """A TFX component whose declaration is light: its executor is named, not imported.

    Subclasses set `SPEC_CLASS` and `EXECUTOR_SPEC` as in TFX, and `TFX_TYPE`, the MLMD type under which
    stock TFX records the same component, so that stores written by either are read by both.
    """

    TFX_TYPE: ClassVar[str] = ""

    @classmethod
    def get_class_type(cls) -> str:
        """The MLMD execution type: that of the stock component this one stands in for."""
        return cls.TFX_TYPE or cast("str", super().get_class_type())
