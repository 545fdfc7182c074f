"""One `headrace run`, from its options to its exit code."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from headrace import secrets
from headrace.cli.failures import CANCELLED, RUN_FAILED
from headrace.cli.options import DEFAULT_STORE
from headrace.cli.pipelines import pipeline_source
from headrace.config.document import Document, read_document
from headrace.config.run_config import RunConfig, apply_settings, check_document
from headrace.errors import ConfigError
from headrace.orchestration.engine import interrupts
from headrace.orchestration.events import NodeState, RunResult
from headrace.ui.live import LiveDisplay
from headrace.ui.plain import PlainDisplay, QuietDisplay
from headrace.ui.screen import Screen, open_screen
from headrace.ui.summary import print_plan, print_summary

if TYPE_CHECKING:
    from headrace.store.session import Start

Display = LiveDisplay | PlainDisplay | QuietDisplay


@dataclass(frozen=True)
class Options:
    """What the command line said, option by option."""

    pipeline: str | None = None
    config_path: str | None = None
    settings: Sequence[str] = ()
    from_nodes: Sequence[str] = ()
    to_nodes: Sequence[str] = ()
    only: Sequence[str] = ()
    store: str | None = None
    no_cache: bool = False
    workers: int | None = None
    fail: str | None = None
    dry_run: bool = False
    quiet: bool = False
    plain: bool = False
    resume_from: str | None = None


def read_settings(options: Options) -> Document:
    """Return the configuration file, with `--set` written over it, and the options over both.

    Raises:
        ConfigError: If the file or a `--set` cannot be read.
    """
    document = read_document(options.config_path) if options.config_path else Document()
    apply_settings(document, options.settings)
    apply_options(document, options)
    return document


def apply_options(document: Document, options: Options) -> None:
    """Write the options that were given over a document."""
    given: dict[str, Any] = {
        "pipeline": options.pipeline,
        "from": list(options.from_nodes) or None,
        "to": list(options.to_nodes) or None,
        "only": list(options.only) or None,
        "store": options.store,
        "cache": False if options.no_cache else None,
        "workers": options.workers,
        "fail": options.fail,
    }
    for key, value in given.items():
        if value is not None:
            document.set((key,), value, f"--{key}" if key != "pipeline" else "command line")


def run_session(options: Options, commands: frozenset[str]) -> int:
    """Run as the options say and return the exit code.

    Args:
        options: The command line.
        commands: The commands that exist: no other is suggested.

    Raises:
        HeadraceError: If the configuration or the definition is wrong.
    """
    document = read_settings(options)
    resume_from = options.resume_from or ""
    if resume_from:
        from headrace.store.session import open_store

        store = document.values.get("store")
        with open_store(store if isinstance(store, str) else DEFAULT_STORE) as stored:
            resume_from = stored.run(resume_from).run_id
    return _start(document, options, commands, resume_from)


def resume_session(run_id: str, store: str, options: Options, commands: frozenset[str]) -> int:
    """Go on with an earlier run, in its folder and with its settings, and return the exit code.

    Args:
        run_id: The run, or `"latest"`.
        store: The folder of its store.
        options: What the command line says anew.
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
    options = replace(options, store=None if is_usual else store if is_here else os.path.abspath(store))
    if not is_here:
        # Relative paths in the pipeline start where the run was started.
        os.chdir(start.folder)
    document = Document(settings, {(key,): f"run {run_id}" for key in settings})
    apply_settings(document, options.settings)
    hidden = secrets.hidden_in(document.values.get("parameters", {}))
    if hidden:
        raise ConfigError(
            f"run {run_id} was given secrets, which are not recorded: {', '.join(hidden)}.",
            f"give them again: headrace resume {run_id} "
            + " ".join(f"--set {name}=VALUE" for name in hidden),
        )
    apply_options(document, options)
    return _start(document, options, commands, resume_from=run_id)


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


def _start(document: Document, options: Options, commands: frozenset[str], resume_from: str = "") -> int:
    # Where the command runs, modules are found as `python -m` finds them.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    config = check_document(document)
    source = pipeline_source.find_source(
        pipeline_source.required_text(config.pipeline), frozenset(config.parameters)
    )
    # A plan is all that a dry run gives.
    screen = open_screen(is_vital=options.dry_run)
    session = _Session(options, config, screen, commands, resume_from)
    if isinstance(source, pipeline_source.ScriptSource):
        return session.run_script(source)
    with session.display(f"{source.name}: loading") as display:
        pipeline = pipeline_source.create_pipeline(source, config, document)
        result = session.run(pipeline, {}, display)
    session.show(result)
    return exit_code([result])


def exit_code(results: Sequence[RunResult]) -> int:
    """Return 0 where every run did its work, 1 where one failed, 130 where one was cancelled, 143 by SIGTERM, 129 by SIGHUP."""
    for result in results:
        if result.stopped_by:
            return interrupts.exit_code(result.stopped_by)
    if any(node.state is NodeState.CANCELLED for result in results for node in result.nodes):
        has_failed = any(result.failed for result in results)
        return RUN_FAILED if has_failed else CANCELLED
    return 0 if all(result.is_success for result in results) else RUN_FAILED


class _Session:
    """The options, the settings and the screen of one command, together."""

    def __init__(
        self, options: Options, config: RunConfig, screen: Screen, commands: frozenset[str], resume_from: str
    ) -> None:
        self._options = options
        self._config = config
        self._screen = screen
        self._commands = commands
        self._resume_from = resume_from
        # Kept now: a script sees its own arguments in sys.argv.
        self._arguments = tuple(sys.argv[1:])

    def display(self, title: str) -> Display:
        if self._options.quiet or self._options.dry_run:
            return QuietDisplay()
        if self._options.plain or not self._screen.is_live:
            return PlainDisplay(self._screen, title)
        return LiveDisplay(self._screen, title)

    def run_script(self, source: pipeline_source.ScriptSource) -> int:
        from headrace.cli.pipelines.runner_interception import run_script

        if self._config.parameters:
            raise ConfigError(
                f"{source.path} is a script, which takes no parameters. Given: {', '.join(self._config.parameters)}.",
                "define create_pipeline(...) with these parameters in the file, or leave them out.",
            )

        def run_pipeline(pipeline: Any, keywords: Mapping[str, Any]) -> RunResult:
            if self._config.beam_pipeline_args:
                pipeline_source.add_beam_arguments(pipeline, self._config.beam_pipeline_args)
            with self.display(f"{source.name}: planning") as display:
                result = self.run(pipeline, keywords, display)
            self.show(result)
            return result

        if not (self._options.quiet or self._options.dry_run):
            # A script may print and ask: nothing is drawn in place while it has the terminal.
            self._screen.console.print(f"{source.name}: loading", style="dim")
        with pipeline_source.user_code(source.path):
            results = run_script(source.path, run_pipeline, is_dry=self._options.dry_run)
        return exit_code(results)

    def run(self, pipeline: Any, keywords: Mapping[str, Any], display: Display) -> RunResult:
        """Hand a pipeline to the engine; what the script said gives way to what the user says here."""
        from headrace.orchestration.engine.run import run

        config = self._config
        arguments: dict[str, Any] = {
            "store": config.store,
            "from_nodes": tuple(config.from_nodes) or None,
            "to_nodes": tuple(config.to_nodes) or None,
            "only": tuple(config.only) or None,
            "enable_cache": config.cache,
            "max_workers": config.workers,
            "fail_fast": config.fail_fast if config.fail else None,
            "resume_from": self._resume_from or None,
        }
        given = {name: value for name, value in arguments.items() if value is not None}
        return run(
            pipeline,
            **{
                **keywords,
                **given,
                "dry_run": self._options.dry_run,
                "listener": display.listen,
                "command": shlex.join(["headrace", *self._arguments]),
                "configuration": config.settings(),
            },
        )

    def show(self, result: RunResult) -> None:
        if self._options.dry_run:
            again = secrets.mask_arguments([part for part in self._arguments if part != "--dry-run"])
            print_plan(self._screen, result, [shlex.join(["headrace", *again])])
            return
        next_commands = [] if self._options.quiet else self._next_commands(result)
        print_summary(self._screen, result, next_commands=next_commands, with_table=not self._options.quiet)

    def _next_commands(self, result: RunResult) -> list[str]:
        store = f" --store {shlex.quote(self._config.store)}" if self._config.store else ""
        wanted = [f"resume {result.run_id}{store}"] if not result.is_success else []
        wanted += [f"show {result.run_id}{store}", f"runs{store}"]
        return [f"headrace {text}" for text in wanted if text.split()[0] in self._commands]
