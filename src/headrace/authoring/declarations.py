"""The base of every Headrace component, and executor specs that name a class without importing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, cast, get_args

from headrace.authoring.light import authoring
from headrace.authoring.outputs import Outputs, OutputsT, UndeclaredOutputs
from headrace.errors import ConnectionTypeError, DefinitionError, did_you_mean, listed

with authoring():
    from tfx.dsl.components.base.base_component import BaseComponent
    from tfx.dsl.components.base.base_executor import BaseExecutor
    from tfx.dsl.components.base.executor_spec import BeamExecutorSpec, ExecutorClassSpec, ExecutorSpec
    from tfx.types import component_spec as tfx_component_spec
    from tfx.types.channel import BaseChannel
    from tfx.utils import import_utils


class ComponentSpec(tfx_component_spec.ComponentSpec, validate=False):  # type: ignore[call-arg]
    """TFX's `ComponentSpec`, with errors that name the component, the input and what would fit.

    Raises:
        ConnectionTypeError: If an input is connected to an artifact of another type, or to no channel.
        DefinitionError: If a required argument is missing.
    """

    def _parse_parameters(self, raw_args: Mapping[str, Any]) -> None:
        where = type(self).__name__.removesuffix("Spec")
        for key, declared in self.INPUTS.items():
            value = raw_args.get(key)
            if value is None:
                if not declared.optional:
                    raise DefinitionError(
                        f"{where}: input '{key}' is missing. It takes a channel of {declared.type.__name__}.",
                        f"connect it: {key}=some_component.outputs['...'].",
                    )
                continue
            check_channel(where, key, declared.type, value)
        super()._parse_parameters(raw_args)


def check_channel(where: str, key: str, wanted: type[Any], value: Any) -> None:
    """Check what an input is connected to.

    Raises:
        ConnectionTypeError: If it is no channel, or one of another artifact type.
    """
    if not isinstance(value, BaseChannel):
        outputs = getattr(value, "outputs", None)
        hint = f"did you mean its .outputs[...]? It has {listed(outputs)}. " if outputs else ""
        raise ConnectionTypeError(
            f"{where}: input '{key}' takes a channel of {wanted.__name__}, and was given a "
            f"{type(value).__name__}.",
            f"{hint}Connect an output: {key}=some_component.outputs['...'].",
        )
    if value.type.TYPE_NAME != wanted.TYPE_NAME:
        producer = getattr(value, "producer_component_id", None)
        output_key = getattr(value, "output_key", None)
        source = f"{producer}.outputs['{output_key}']" if producer else "a channel"
        raise ConnectionTypeError(
            f"{where}: input '{key}' takes {wanted.__name__}, and {source} holds {value.type.__name__}.",
            f"{did_you_mean(key, [output_key] if output_key else [])}connect an output of type "
            f"{wanted.__name__}.",
        )


class _NamedClass:
    """The part both specs share: an executor class known by its path until someone needs it."""

    _class_path: str
    extra_flags: list[str]

    @property
    def executor_class(self) -> type[BaseExecutor]:
        """The class itself; importing it loads TensorFlow and Beam. TFX's notebook launcher asks for it."""
        return cast("type[BaseExecutor]", import_utils.import_class_by_path(self._class_path))

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


_input_files: dict[str, tuple[str, ...]] = {}


def input_files_of(class_path: str) -> tuple[str, ...] | None:
    """Return the `INPUT_FILES` of the component with an executor; `None` where none that is loaded says any."""
    return _input_files.get(class_path)


class Component(BaseComponent, Generic[OutputsT]):
    """A TFX component whose declaration is light: its executor is named, not imported.

    Subclasses set `SPEC_CLASS` and `EXECUTOR_SPEC` as in TFX, and `TFX_TYPE`, the MLMD type under which
    stock TFX records the same component, so that stores written by either are read by both.

    `class Mine(Component[MineOutputs])` tells editors and type checkers the names of the outputs, see
    `headrace.authoring.outputs`; without it each name is taken for one.

    `INPUT_FILES` names the parameters that are paths of input files or folders, or hold some in JSON: the cache
    compares the content of these, of no others. Where it is `None`, each parameter is looked at for paths that exist.
    """

    TFX_TYPE: ClassVar[str] = ""
    INPUT_FILES: ClassVar[tuple[str, ...] | None] = None
    _outputs_class: ClassVar[type[Outputs]] = UndeclaredOutputs

    def __init__(
        self, spec: tfx_component_spec.ComponentSpec, custom_executor_spec: ExecutorSpec | None = None
    ) -> None:
        super().__init__(spec, custom_executor_spec)
        spec.outputs = self._outputs_class(spec.outputs)

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        class_path = getattr(getattr(cls, "EXECUTOR_SPEC", None), "class_path", "")
        if class_path and cls.INPUT_FILES is not None:
            _input_files[class_path] = cls.INPUT_FILES
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Outputs):
                    cls._outputs_class = argument

    @property
    def outputs(self) -> OutputsT:
        """The channels of what the component makes: `outputs.examples`, or `outputs["examples"]` as in TFX."""
        return cast("OutputsT", self.spec.outputs)

    def __repr__(self) -> str:
        from headrace.authoring.descriptions import describe_node

        return describe_node(self)

    @classmethod
    def get_class_type(cls) -> str:
        """The MLMD execution type: that of the stock component this one stands in for."""
        return cls.TFX_TYPE or cast("str", super().get_class_type())
