"""From what a person writes after `headrace run` to a pipeline: a ready one, a function, or a file."""

from __future__ import annotations

import ast
import contextlib
import os
import shlex
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headrace.cli.pipelines.ready_pipelines import (
    CREATE_FUNCTION,
    find_function,
    find_ready_pipelines,
    read_parameters,
)
from headrace.errors import ConfigError, DefinitionError, HeadraceError, did_you_mean, listed
from headrace.files import addresses, is_file, names_in, open_file
from headrace.usercode import python_files

if TYPE_CHECKING:
    from headrace.config.document import Document
    from headrace.config.run_config import RunConfig

_RUNNER_NAMES = {"LocalDagRunner", "BeamDagRunner"}


@dataclass(frozen=True)
class FunctionSource:
    """A pipeline that a function makes.

    Attributes:
        name: What the reader calls it.
        function: The function as `module:function` or `file.py:function`.
    """

    name: str
    function: str


@dataclass(frozen=True)
class ScriptSource:
    """A pipeline that a script hands to a runner.

    Attributes:
        path: The script.
    """

    path: str

    @property
    def name(self) -> str:
        """What the reader calls it."""
        return os.path.basename(self.path)


Source = FunctionSource | ScriptSource


def find_source(text: str, parameter_names: frozenset[str] = frozenset()) -> Source:
    """Find out what `text` names, without importing it.

    Args:
        text: A ready pipeline's name, `module:function`, `file.py:function` or `file.py`.
        parameter_names: Parameters that are given: a file's `create_pipeline` that needs others is not used.

    Raises:
        DefinitionError: If there is no such pipeline or file, or nothing gives the file's function what it needs.
        UserFunctionError: If the module or function does not exist.
        UnsupportedFeatureError: If it is not on this machine.
    """
    text = addresses.local_path(text, "the pipeline")
    if ":" in text and not text.endswith(".py"):
        from headrace.usercode import functions

        functions.check(text, f"headrace run {text}")
        return FunctionSource(text, text)
    if text.endswith(".py"):
        return _find_in_file(text, parameter_names)
    pipelines = {pipeline.name: pipeline for pipeline in find_ready_pipelines()}
    if text in pipelines:
        return FunctionSource(text, f"{pipelines[text].module}:{CREATE_FUNCTION}")
    if os.path.isfile(f"{text}.py"):
        hint = f"did you mean the file '{text}.py'? "
    else:
        hint = did_you_mean(text, pipelines)
    raise DefinitionError(
        f"there is no pipeline '{text}'. Ready pipelines are {listed(pipelines)}.",
        f"{hint}Give a ready pipeline's name, 'module:function', or a file such as 'pipeline.py'.",
    )


def _find_in_file(path: str, parameter_names: frozenset[str]) -> Source:
    if not os.path.isfile(path):
        folder = os.path.dirname(path)
        here = names_in(folder or ".") if os.path.isdir(folder or ".") else []
        files = [os.path.join(folder, name) for name in here if name.endswith(".py")]
        raise DefinitionError(
            f"there is no file '{path}' (looked in {os.getcwd()}).",
            f"{did_you_mean(path, files)}Correct the path.",
        )
    try:
        with open_file(path) as file:
            text = file.read()
    except OSError as error:
        raise DefinitionError(
            f"{path} cannot be read: {error.strerror or error}.", "give a file that you may read."
        ) from error
    tree = python_files.parse(text, path)
    function = find_function(tree, CREATE_FUNCTION)
    try:
        required = (
            {item.name for item in read_parameters(function) if item.is_required} if function else set()
        )
    except RecursionError as error:
        raise DefinitionError(
            f"{path}:{function.lineno if function else 1}: a default of {CREATE_FUNCTION} is nested too deep.",
            "name the value at the top of the file, and give the name as the default.",
        ) from error
    if function is not None and required <= parameter_names:
        return FunctionSource(os.path.basename(path), f"{path}:{CREATE_FUNCTION}")
    if function is None or _runs_a_pipeline(tree):
        return ScriptSource(path)
    raise DefinitionError(
        f"{path}:{function.lineno}: {CREATE_FUNCTION} needs {listed(required)}, and nothing in the file calls it.",
        f"give each with --set {min(required)}=VALUE, or give the parameters defaults.",
    )


def _runs_a_pipeline(tree: ast.Module) -> bool:
    """Whether a file mentions one of TFX's runners, or `headrace.run`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _RUNNER_NAMES:
            return True
        if isinstance(node, ast.Attribute):
            is_engine = isinstance(node.value, ast.Name) and (node.value.id, node.attr) == ("headrace", "run")
            if node.attr in _RUNNER_NAMES or is_engine:
                return True
        if isinstance(node, ast.ImportFrom) and node.module == "headrace":
            return any(alias.name == "run" for alias in node.names)
    return False


@dataclass(frozen=True)
class Created:
    """What a function made.

    Attributes:
        pipeline: The pipeline, or its compiled form.
        takes_beam_arguments: Whether the function took the configured arguments for Beam as a parameter.
    """

    pipeline: Any
    takes_beam_arguments: bool


def create_pipeline(source: FunctionSource, config: RunConfig, document: Document) -> Created:
    """Call the source's function with the configured parameters.

    Raises:
        ConfigError: If a parameter is unknown, missing or of another type.
        UserFunctionError: If the function does not exist.
        DefinitionError: If the function raises, with its own line, or returns no pipeline.
    """
    from headrace.authoring import light
    from headrace.config.parameters import check_parameters
    from headrace.usercode import functions

    light.stay_light_with_runners()
    place = functions.parse(source.function).place
    with user_code(place):
        function = functions.load(source.function, f"headrace run {source.name}")
    parameters = dict(config.parameters)
    takes_beam = "beam_pipeline_args" in _parameter_names(function)
    if takes_beam and config.beam_pipeline_args:
        parameters.setdefault("beam_pipeline_args", list(config.beam_pipeline_args))
    arguments = check_parameters(function, parameters, name=source.name, document=document)
    with user_code(place):
        pipeline = function(**arguments)
    if not _is_pipeline(pipeline):
        raise DefinitionError(
            f"{source.function} returned {type(pipeline).__name__}, not a pipeline.",
            "return the tfx Pipeline that it makes.",
        )
    return Created(pipeline, takes_beam)


def _is_pipeline(value: Any) -> bool:
    # A compiled one is known by its name: TFX's modules need not be loaded to refuse another value.
    compiled = getattr(getattr(value, "DESCRIPTOR", None), "full_name", "") == "tfx.orchestration.Pipeline"
    return compiled or (hasattr(value, "components") and hasattr(value, "pipeline_info"))


def _parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()


@contextlib.contextmanager
def user_code(place: str) -> Iterator[None]:
    """Turn what a user's file raises while a pipeline is defined into an error that names its own line.

    Args:
        place: The file, or the module's dotted name.

    Raises:
        DefinitionError: For any exception but Headrace's own, which pass through; so does what the engine
            raises when a script calls it.
    """
    try:
        yield
    except HeadraceError:
        raise
    except Exception as error:
        engine = f"{os.sep}headrace{os.sep}orchestration{os.sep}"
        if any(engine in frame.filename for frame in traceback.extract_tb(error.__traceback__)):
            raise
        raise _definition_error(error, place) from error


def _definition_error(error: Exception, place: str) -> DefinitionError:
    from headrace.orchestration import failures

    frame = failures.find_user_frame(error) or _frame_in(error, place)
    text = failures.message_of(error).replace("\n", "\n    ")
    if isinstance(error, SyntaxError):
        return DefinitionError(
            f"{error.filename}:{error.lineno}: {error.msg}.", "correct the syntax of that line."
        )
    return DefinitionError(
        f"{frame or place}:\n    {type(error).__name__}: {text}",
        "correct that line; headrace --debug run ... shows the whole traceback.",
    )


def _frame_in(error: Exception, path: str) -> str:
    """The last line of a file that took part, wherever the file lies; empty where none did."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{path}:{frames[-1].lineno}, {frames[-1].name}" if frames else ""


def required_text(text: str | None) -> str:
    """Return the pipeline's text, or say that none was given.

    Raises:
        ConfigError: If neither the command line nor the configuration names a pipeline.
    """
    if text:
        return text
    names = [pipeline.name for pipeline in find_ready_pipelines()]
    above = os.path.dirname(os.getcwd())
    if is_file(os.path.join(above, "headrace.yaml")):
        hint = f"go to the project's folder: cd {shlex.quote(above)}; or "
    else:
        near = [name for name in names_in(".") if is_file(os.path.join(name, "headrace.yaml"))]
        hint = f"go to a project's folder: cd {shlex.quote(near[0])}; or " if near else ""
    raise ConfigError(
        "no pipeline is named, and this folder has neither a headrace.yaml that names one nor a pipeline.py. "
        f"Ready pipelines are {listed(names)}.",
        f"{hint}give one, such as: headrace run {names[0] if names else 'pipeline.py'}; or make one of your own: "
        "headrace new NAME --data FILE --label COLUMN",
    )
