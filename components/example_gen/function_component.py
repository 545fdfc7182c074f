"""The declaration of what `headrace.sources.example_source` makes of a function. Light."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping

from headrace.authoring import NamedBeamExecutorSpec
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike
from headrace.components.example_gen.component import SourceExampleGen
from headrace.errors import DefinitionError
from headrace.files import read_bytes
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike
from headrace.usercode import functions, python_files

with authoring():
    from tfx.proto import example_gen_pb2

_PATH = "path"


class FunctionExampleGen(SourceExampleGen):
    """Read what a generator function yields into `tf.train.Example` records, divided into splits.

    Where the function's first parameter is `path`, it is called with each file that matches, and yields the file's
    rows: spans, patterns and the cache are those of `CsvExampleGen`, and files are read side by side. Else it is called
    once and yields all rows: the cache knows it by its code and parameters alone.

    Outputs:
        examples: `Examples`, one folder for each split; see `CsvExampleGen`.

    Args:
        function: A generator function at the top level of a file, a module or a notebook's cell, or its text
            `'module:function'`. It yields mappings of feature names to values: int and bool become integers, float
            floats, str bytes in UTF-8, bytes stay; lists and numpy arrays hold several values; `None` is missing. A
            feature with integers in some rows and floats in others is one of floats, as in pandas: where that shows late,
            the function is run a second time. Text beside numbers is an error that names both rows.
        parameters: What it is called with by name, as plain values: they are recorded, and part of the cache key.
        input_base: The folder of the files, where the function takes a path.
        input_config: Named splits, each with a file pattern; see `CsvExampleGen`.
        output_config: See `CsvExampleGen`.
        range_config: See `CsvExampleGen`.
        pattern: The files of the one split, in the place of `input_config`, such as `"span-{SPAN}/*.txt"`.
        output_data_format: See `CsvExampleGen`. For Parquet, the function is run twice: first to know all columns.
        num_shards: See `CsvExampleGen`.
        on_error: What becomes of a row that cannot be a tf.Example, of the rest of a file on which the function fails,
            and of what it yields as `Unreadable`: `"fail"` or `"quarantine"`; see `SourceExampleGen`.
        run_each_time: Whether to run it though code, parameters and files are those of an earlier run.
        splits: See `CsvExampleGen`.
        split_by: See `CsvExampleGen`. Ways that look at all rows first run the function twice.

    Raises:
        DefinitionError: If a parameter cannot be used as given.
        UserFunctionError: If the function cannot be imported by a worker.

    Example:
        >>> FunctionExampleGen("my_project.rows:rows", input_base="data")  # doctest: +SKIP
    """

    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.example_gen.function_executor.Executor")
    # Its parameters may name files: the cache looks at each text that is the path of one.
    INPUT_FILES = None

    def __init__(
        self,
        function: Callable[..., object] | str,
        parameters: Mapping[str, object] | None = None,
        input_base: str | None = None,
        input_config: ProtoLike | None = None,
        output_config: ProtoLike | None = None,
        range_config: ProtoLike | None = None,
        *,
        pattern: str | None = None,
        output_data_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        num_shards: int | None = None,
        on_error: str = "fail",
        run_each_time: bool = False,
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
    ) -> None:
        text = functions.to_text(function)
        name = text.rpartition(":")[2]
        takes_path = _first_parameter(function, text) == _PATH
        _check_place(name, takes_path, input_base, input_config, pattern)
        options: dict[str, object] = {"parameters": dict(parameters or {})}
        if run_each_time:
            options["run_each_time"] = True
        super().__init__(
            options,
            input_base,
            {"splits": [{"name": "single_split", "pattern": pattern}]} if pattern else input_config,
            output_config,
            range_config,
            output_data_format=output_data_format,
            num_shards=num_shards,
            on_error=on_error,
            splits=splits,
            split_by=split_by,
            source=f"headrace.sources.function_source:{'File' if takes_path else ''}FunctionSource",
            source_fn=text,
        )


def _check_place(
    name: str, takes_path: bool, input_base: str | None, input_config: ProtoLike | None, pattern: str | None
) -> None:
    if pattern and input_config:
        raise DefinitionError(
            f"{name}: pattern and input_config are both given.",
            "give pattern for one split, input_config for several.",
        )
    if takes_path and not input_base:
        raise DefinitionError(
            f"{name} takes a path, and input_base is not given.",
            f'give the folder of its files: {name}(input_base="data").',
        )
    if not takes_path and (input_base or input_config or pattern):
        given = "input_base" if input_base else "input_config" if input_config else "pattern"
        raise DefinitionError(
            f"{name}: {given} is given, and the function's first parameter is not `path`: it is called once, without files.",
            f"leave it out, or define {name}(path, ...).",
        )


def _first_parameter(function: Callable[..., object] | str, text: str) -> str:
    """Return the name of a function's first parameter, without importing its module; empty where it has none."""
    if not isinstance(function, str):
        return next(iter(inspect.signature(function).parameters), "")
    functions.check(text, "source_fn")
    reference = functions.parse(text)
    path = functions.source_path(reference, "source_fn")
    tree = python_files.parse(read_bytes(path), path) if path else ast.Module([], [])
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == reference.name:
            return next(
                (one.arg for one in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]), ""
            )
    raise DefinitionError(
        f"{text}: no `def {reference.name}` stands at the top level.", "define the function there."
    )
