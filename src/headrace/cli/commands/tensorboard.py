"""`headrace tensorboard`."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import click

from headrace.cli.options import store_option

if TYPE_CHECKING:
    from headrace.store.results import RunResult

_ARTIFACT_TYPE = "ModelRun"
_SECONDS_TO_END = 10


@click.command("tensorboard", short_help="Start TensorBoard on the training of one run or several.")
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@store_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Where to listen; 0 for any free port. TensorBoard's own, 6006.",
)
@click.option("--host", default="localhost", show_default=True, help="Where to listen: this machine alone.")
def tensorboard_command(runs: tuple[str, ...], store: str, port: int | None, host: str) -> None:
    """Start TensorBoard on what the trainers of each RUN recorded; the latest run where none is named.

    It shows each training as RUN/NODE, and a Tuner's trials as RUN/NODE/TRIAL, those of several runs together. It ends
    with Ctrl-C.
    """
    import signal
    import subprocess
    import sys
    import tempfile

    from headrace.store.session import open_store

    folders: dict[str, str] = {}
    with open_store(store) as stored:
        for run in dict.fromkeys(runs or ("latest",)):
            folders.update(_recorded(stored.run(run)))
    with tempfile.TemporaryDirectory(prefix="headrace-tensorboard-") as root:
        for name, folder in folders.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            os.symlink(os.path.abspath(folder), os.path.join(root, name))
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", root, "--host", host]
        command += [] if port is None else ["--port", str(port)]
        click.echo(f"TensorBoard shows {', '.join(folders)}.")
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONWARNINGS": "ignore"}
        process = subprocess.Popen(command, env={**quiet, **os.environ})
        # A polite kill ends TensorBoard too, and removes the folder; so does Ctrl-C to what a script started in
        # the background, where Python ignores it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.default_int_handler)
        code = 0
        try:
            code = process.wait()
        except KeyboardInterrupt:
            pass
        finally:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    raise SystemExit(code)


def _recorded(result: RunResult) -> dict[str, str]:
    """Return the folders of a run's trainings by their name, `RUN/NODE` or `RUN/NODE/TRIAL`.

    Raises:
        StoreError: If it trained nothing, or what it recorded is gone.
    """
    from headrace.errors import StoreError, listed

    found = [
        (node.node_id, output)
        for node in result.nodes
        for output in node.outputs
        if output.type_name == _ARTIFACT_TYPE
    ]
    if not found:
        raise StoreError(
            f"run {result.run_id} trained nothing that TensorBoard could show: none of its nodes, "
            f"{listed([node.node_id for node in result.nodes])}, made a {_ARTIFACT_TYPE}.",
            "name a run with a Trainer; list the runs with: headrace runs",
        )
    gone = [output for _, output in found if not os.path.isdir(output.uri)]
    if gone:
        raise StoreError(
            f"the files of {_ARTIFACT_TYPE} {gone[0].artifact_id} of run {result.run_id} are gone: there is no "
            f"{gone[0].uri}.",
            f"make them again with what made them: {result.details.get('command', result.pipeline_name)}",
        )
    several = Counter(node_id for node_id, _ in found)
    names = [
        # Of a Tuner's trials, each in a folder of its number.
        os.path.join(
            result.run_id, node_id, *([os.path.basename(output.uri)] if several[node_id] > 1 else [])
        )
        for node_id, output in found
    ]
    return {
        name if names.count(name) == 1 else f"{name}.{output.artifact_id}": output.uri
        for name, (_, output) in zip(names, found)
    }
