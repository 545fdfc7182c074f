"""The whole process: `python -m headrace`."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

_CHECK = """
import sys
sys.argv = ["headrace", *{arguments}]
try:
    from headrace.cli.main import main
    main()
except SystemExit as end:
    code = end.code
heavy = ["tensorflow", "apache_beam", "tfx", "pydantic", "rich", "yaml", "numpy", "ml_metadata"]
print([name for name in heavy if name in sys.modules], code)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments):
    """Help answers at once because it imports click alone."""
    done = subprocess.run(
        [sys.executable, "-c", _CHECK.format(arguments=arguments)], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[] 0"


def test_help_takes_less_than_a_second():
    """Of a processor, and the best of three: this machine may be busy."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "headrace", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 1.0
