"""Forks one command after the other from a process that has imported what each would import first.

Reads one line of JSON for each command from standard input: `arguments`, those of `headrace`, or `call`, the name of a
function of `tortured` with its arguments; `folder`, `environment`, `output` (a file), `file_limit` (bytes; 0 for none).
Writes two lines for each: the process's id, and when it has ended its exit code, negative for a signal.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from typing import Any

import tortured


def import_ahead() -> None:
    """Import what a run imports before it looks at its pipeline; Beam and TensorFlow load during the run, as ever."""
    import headrace.cli.main
    import headrace.orchestration.engine.start
    import headrace.store.garbage.collection
    import headrace.ui.plain
    import headrace.ui.summary  # noqa: F401

    tortured.small()


def become(job: dict[str, Any]) -> int:
    """Do what a process of its own would do; return its exit code."""
    os.setsid()
    # Whoever started the torture, with `nohup` or in the background: a command gets its signals.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.chdir(job["folder"])
    os.environ.update(job["environment"])
    tempfile.tempdir = None
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    silent = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((silent, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(output)
    os.close(silent)
    if job["file_limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_limit"], job["file_limit"]))
    sys.argv = ["headrace", *job["arguments"]]
    if job["call"]:
        return int(getattr(tortured, job["call"])(*job["arguments"]))
    from headrace.cli.main import main

    main()
    return 0


def ended_as_python_ends(job: dict[str, Any]) -> int:
    """Run the job; turn what it raises into an exit code as the interpreter does."""
    try:
        return become(job)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        traceback.print_exc()
        return 130
    except BaseException:
        traceback.print_exc()
        return 1


def main() -> None:
    """Serve until standard input ends."""
    import_ahead()
    print("ready", flush=True)
    # Not sys.stdin: a forked process must find nothing in its buffer.
    requests = open(os.dup(0), encoding="utf-8")  # noqa: SIM115 - as long as the process
    while line := requests.readline():
        pid = os.fork()
        if not pid:
            code = ended_as_python_ends(json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
