"""One `headrace run`, from its options to its exit code."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headrace import secrets
from headrace.cli.failures import CANCELLED, RUN_FAILED
from headrace.cli.options import DEFAULT_STORE
from headrace.cli.pipelines import pipeline_source
from headrace.cli.pipelines.command_line import Command, apply_options, read_settings
from headrace.config.document import Document
from headrace.config.run_config import RunConfig, apply_settings, check_document
from headrace.errors import ConfigError, StoreError
from headrace.orchestration.engine import interrupts
from headrace.orchestration.events import NodeState, RunResult
from headrace.run_options import RunOptions, Ways
from headrace.ui.listings import result_data
from headrace.ui.live import LiveDisplay
from headrace.ui.plain import PlainDisplay, QuietDisplay
from headrace.ui.screen import open_error_screen, open_screen
from headrace.ui.streams import Stream, lent_output
from headrace.ui.summary import print_plan, print_summary

if TYPE_CHECKING:
    from headrace.store.session import Start

Display = LiveDisplay | PlainDisplay | QuietDisplay


def carry_out(command: Command, commands: frozenset[str]) -> int:
    """Run as the command line says and return the exit code.

    Args:
        command: The command line.
        commands: The commands that exist: no other is suggested.

    Raises:
        HeadraceError: If the configuration or the definition is wrong.
    """
    document = read_settings(command)
    given = {option.name: value for option, value in command.given(Ways.ONE_RUN).items()}
    latest = [name for name in ("resume_from", "base_run") if given.get(name) == "latest"]
    if latest:
        from headrace.store.session import open_store

        named = document.values.get("store")
        path = named if isinstance(named, str) else DEFAULT_STORE
        # Found once: of several runs of a script, the first is not the latest to the second. A pipeline may keep its
        # metadata elsewhere; then the run itself looks there.
        with contextlib.suppress(StoreError), open_store(path) as stored:
            given.update(dict.fromkeys(latest, stored.run("latest").run_id))
    return _start(document, command, commands, given)


def resume_session(run_id: str, store: str, command: Command, commands: frozenset[str]) -> int:
    """Go on with an earlier run, in its folder and with its settings, and return the exit code.

    Args:
        run_id: The run, or `"latest"`.
        store: The folder of its store.
        command: What the command line says anew.
        commands: The commands that exist.

    Raises:
        HeadraceError: If there is no such run, nothing says how to make its pipeline again, or what says so was
            not written by this user in this store.
    """
    from headrace.store.session import open_store

    with open_store(store) as stored:
        run_id = stored.run(run_id).run_id
        start = stored.start(run_id)
    settings = dict(start.configuration)
    if not start.pipeline:
        raise ConfigError(
            f"run {run_id} was not started by headrace run, so its pipeline is not known here.",
            "start it the same way again: what it finished is served from the cache.",
        )
    if not start.is_trusted:
        raise _untrusted(run_id, start, store)
    # Started with `python script.py`: the script is executed again, with Headrace as its runner.
    settings["pipeline"] = start.pipeline
    # Messages name the store as the reader would type it, who is not in the run's folder perhaps.
    is_here = not os.path.isdir(start.folder) or os.path.samefile(start.folder, os.curdir)
    settings.pop("store", None)
    is_usual = is_here and store == DEFAULT_STORE
    named = None if is_usual else store if is_here else os.path.abspath(store)
    command = replace(command, options={**command.options, "store": named})
    if not is_here:
        # Relative paths in the pipeline start where the run was started.
        os.chdir(start.folder)
    document = Document(settings, {(key,): f"run {run_id}" for key in settings})
    apply_settings(document, command.settings)
    hidden = secrets.hidden_in(document.values.get("parameters", {}))
    if hidden:
        raise ConfigError(
            f"run {run_id} was given secrets, which are not recorded: {', '.join(hidden)}.",
            f"give them again: headrace resume {run_id} "
            + " ".join(f"--set {name}=VALUE" for name in hidden),
        )
    apply_options(document, command)
    return _start(document, command, commands, {"resume_from": run_id})


def _untrusted(run_id: str, start: Start, store: str) -> ConfigError:
    """What a person types to run what a record names that this user did not write in this store."""
    words = ["headrace", "run", start.pipeline]
    for key, value in secrets.mask_values(start.configuration).items():
        if key == "parameters" and isinstance(value, Mapping):
            words += [
                part
                for name, inner in value.items()
                for part in (
                    "--set",
                    f"{name}={'VALUE' if secrets.hidden_in({name: inner}) else json.dumps(inner)}",
                )
            ]
        elif key not in ("pipeline", "store"):
            words += ["--set", f"run.{key}={json.dumps(value)}"]
    words += ["--resume-from", run_id, "--store", os.path.abspath(store)]
    folder = f"cd {shlex.quote(start.folder)} && " if start.folder else ""
    return ConfigError(
        f"run {run_id} is not resumed: its record names {start.pipeline}"
        f"{f' in {start.folder}' if start.folder else ''}, and this user did not write it in this store, which is "
        "a copy, shared, or from elsewhere.",
        f"read that code, and if you trust it, run: {folder}{shlex.join(words)}",
    )


def _start(
    document: Document, command: Command, commands: frozenset[str], of_one_run: Mapping[str, Any]
) -> int:
    # Where the command runs, modules are found as `python -m` finds them.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    config = check_document(document)
    # Of JSON nothing but JSON reaches standard output, whatever the pipeline's own code prints.
    with lent_output() if command.output.as_json else contextlib.nullcontext() as alone:
        source = pipeline_source.find_source(
            pipeline_source.required_text(config.pipeline), frozenset(config.parameters)
        )
        session = _CommandRuns(command, config, commands, {**config.run_options(), **of_one_run}, alone)
        return session.run_source(source, document)


def exit_code(results: Sequence[RunResult]) -> int:
    """Return 0 where every run did its work, 1 where one failed, 130 where one was cancelled, 143 by SIGTERM, 129 by SIGHUP."""
    for result in results:
        if result.stopped_by:
            return interrupts.exit_code(result.stopped_by)
    if any(node.state is NodeState.CANCELLED for result in results for node in result.nodes):
        has_failed = any(result.failed for result in results)
        return RUN_FAILED if has_failed else CANCELLED
    return 0 if all(result.is_success for result in results) else RUN_FAILED


class _CommandRuns:
    """The settings and the screen of one command, together.

    Args:
        command: What the command line said.
        config: The configuration.
        commands: The commands that exist.
        given: Options of the run that file or command line gave; they go before those of a script.
        alone: Where JSON goes, and nothing else does; `None` where no JSON is wanted.
    """

    def __init__(
        self,
        command: Command,
        config: RunConfig,
        commands: frozenset[str],
        given: Mapping[str, Any],
        alone: Stream | None,
    ) -> None:
        self._output = command.output
        self._is_dry = command.is_dry
        self._config = config
        self._commands = commands
        self._given = given
        # Kept now: a script sees its own arguments in sys.argv.
        self._arguments = tuple(sys.argv[1:])
        self._alone = alone
        # A plan is all that a dry run gives.
        self._screen = open_error_screen() if self._output.as_json else open_screen(is_vital=self._is_dry)

    def run_source(self, source: pipeline_source.Source, document: Document) -> int:
        """Run what a source makes or starts, and return the exit code."""
        if isinstance(source, pipeline_source.ScriptSource):
            return self._run_script(source)
        with self._display(f"{source.name}: loading") as display:
            created = pipeline_source.create_pipeline(source, self._config, document)
            options = RunOptions(**self._given)
            if created.takes_beam_arguments:
                options = replace(options, beam_pipeline_args=())
            result = self._run(created.pipeline, options, display)
        self._show(result)
        return exit_code([result])

    def _display(self, title: str) -> Display:
        if self._output.quiet or self._is_dry:
            return QuietDisplay()
        if self._output.plain or not self._screen.is_live:
            return PlainDisplay(self._screen, title)
        return LiveDisplay(self._screen, title)

    def _run_script(self, source: pipeline_source.ScriptSource) -> int:
        from headrace.cli.pipelines.runner_interception import run_script

        if self._config.parameters:
            raise ConfigError(
                f"{source.path} is a script, which takes no parameters. Given: {', '.join(self._config.parameters)}.",
                "define create_pipeline(...) with these parameters in the file, or leave them out.",
            )

        def run_pipeline(pipeline: Any, options: RunOptions) -> RunResult:
            # What the script said gives way to what the user says here.
            with self._display(f"{source.name}: planning") as display:
                result = self._run(
                    pipeline, replace(options, **self._given), display, os.path.abspath(source.path)
                )
            self._show(result)
            return result

        if not (self._output.quiet or self._is_dry):
            # A script may print and ask: nothing is drawn in place while it has the terminal.
            self._screen.console.print(f"{source.name}: loading", style="dim")
        with pipeline_source.user_code(source.path):
            results = run_script(source.path, run_pipeline, is_dry=self._is_dry)
        return exit_code(results)

    def _run(self, pipeline: Any, options: RunOptions, display: Display, script: str = "") -> RunResult:
        from headrace.orchestration.engine.start import run

        return run(
            pipeline,
            options,
            display=display.listen,
            script=script,
            command=shlex.join(["headrace", *self._arguments]),
            configuration=self._config.settings(),
        )

    def _show(self, result: RunResult) -> None:
        if self._alone is not None:
            self._alone.write(json.dumps(result_data(result), default=str) + "\n")
            self._alone.flush()
        if result.is_plan:
            if not self._output.as_json:
                again = secrets.mask_arguments([part for part in self._arguments if part != "--dry-run"])
                print_plan(self._screen, result, [shlex.join(["headrace", *again])])
            return
        quiet = self._output.quiet
        next_commands = [] if quiet else self._next_commands(result)
        print_summary(self._screen, result, next_commands=next_commands, with_table=not quiet)

    def _next_commands(self, result: RunResult) -> list[str]:
        store = f" --store {shlex.quote(self._config.store)}" if self._config.store else ""
        wanted = [f"resume {result.run_id}{store}"] if not result.is_success else []
        wanted += [f"show {result.run_id}{store}", f"runs{store}"]
        return [f"headrace {text}" for text in wanted if text.split()[0] in self._commands]
