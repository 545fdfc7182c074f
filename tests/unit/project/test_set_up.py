"""What `make` says on machines on which TFX cannot be installed: one plain sentence and the way out."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_TOOLS = (
    "sh",
    "sed",
    "cut",
    "cat",
    "cp",
    "cksum",
    "dirname",
    "basename",
    "id",
    "mkdir",
    "rm",
    "tail",
    "grep",
)


# What uv does where a wheel must be built.
_BUILD_PYFARMHASH = "echo 'Failed to build pyfarmhash==0.3.2'; echo 'see https://a.b/c'; exit 1"


class Machine:
    """A folder with a copy of the project's set-up and a PATH on which all but some basic tools is made up."""

    def __init__(self, path: Path) -> None:
        self.bin = path / "bin"
        self.bin.mkdir()
        self.project = path / "project"
        shutil.copytree(ROOT / "requirements", self.project / "requirements")
        shutil.copy(ROOT / "pyproject.toml", self.project)
        (self.project / ".python-version").write_text("3.10\n")
        for tool in _TOOLS:
            place = shutil.which(tool)
            assert place is not None
            (self.bin / tool).symlink_to(place)
        self.add("getent", "echo root:x:0:0::/nonexistent:/bin/sh")

    def add(self, name: str, script: str) -> None:
        """Put a made-up command on the PATH."""
        (self.bin / name).write_text(f"#!{self.bin / 'sh'}\n{script}\n")
        (self.bin / name).chmod(0o755)

    def set_system(self, kernel: str, processor: str, libc: str | None) -> None:
        """Choose what `uname` and `getconf` answer."""
        self.add("uname", f'case "$1" in -s) echo {kernel};; -m) echo {processor};; esac')
        self.add("getconf", f"echo {libc}" if libc else "exit 1")

    def set_python(self, version: str) -> None:
        """Choose the only Python: it names its version, and fits nothing."""
        self.add("python3", f'case "$2" in *print*Python*) echo "Python {version}";; esac')

    def add_fitting_python(self, version: str) -> None:
        """Put a Python on the PATH that fits, and a uv that makes virtual environments of it."""
        self.add(f"python{version}", f'case "$2" in *platform*) echo {version}.0;; *) echo "$0";; esac')
        python = self.bin / f"python{version}"
        make = f"mkdir -p .venv/bin; cp {python} .venv/bin/python"
        self.add("uv", f'case "$1-$2" in venv-*) {make};; pip-sync) {_BUILD_PYFARMHASH}; esac')

    def set_up(self) -> tuple[int, str, str]:
        """Run the set-up; return its exit status and what it printed."""
        done = subprocess.run(
            [self.bin / "sh", "requirements/set_up.sh"],
            cwd=self.project,
            env={"PATH": str(self.bin), "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_debian_12_with_its_own_python(machine: Machine):
    """Python 3.11 on glibc 2.36: neither generation of TFX fits."""
    machine.set_system("Linux", "x86_64", "glibc 2.36")
    machine.set_python("3.11")

    assert machine.set_up() == (
        1,
        "",
        "set-up: this system (glibc 2.36) can install TFX 1.16 only, which needs Python 3.10, and there is "
        "Python 3.11 here; install Python 3.10 (pyenv install 3.10, or uv python install 3.10) and run the "
        "command again, or use Debian 13 or Ubuntu 24.04, where Python 3.10 to 3.13 fit.\n",
    )


def test_a_python_that_is_too_new(machine: Machine):
    """Python 3.14 on a new system."""
    machine.set_system("Linux", "x86_64", "glibc 2.41")
    machine.set_python("3.14")

    assert machine.set_up() == (
        1,
        "",
        "set-up: TFX needs Python 3.10, 3.11, 3.12 or 3.13, and there is Python 3.14 here; install one "
        "(apt install python3.13, pyenv install 3.13, or uv python install 3.13) and run the command again.\n",
    )


def test_no_python_at_all(machine: Machine):
    """A bare container."""
    machine.set_system("Linux", "x86_64", "glibc 2.41")

    code, _, error = machine.set_up()

    assert code == 1
    assert "and there is no Python 3 here" in error


def test_a_mac(machine: Machine):
    """Each generation has packages for one kind of Mac; neither was tested there."""
    machine.set_system("Darwin", "x86_64", None)

    assert machine.set_up() == (
        1,
        "",
        "set-up: the tested versions of TFX are for Linux on x86-64, and this is Darwin on x86_64; run it in such "
        "a container or virtual machine, for example Debian 13 with Python 3.13.\n",
    )


@pytest.mark.parametrize(("version", "libc"), [("3.10", "2.36"), ("3.13", "2.41")])
def test_no_compiler(machine: Machine, version: str, libc: str):
    """TFX requires a package that has no wheels."""
    machine.set_system("Linux", "x86_64", f"glibc {libc}")
    machine.add_fitting_python(version)

    code, _, error = machine.set_up()

    assert (code, error) == (
        1,
        "set-up: TFX needs pyfarmhash, which is compiled while it is installed, and there is no C++ compiler with "
        "Python's headers here; install them (apt install g++ python3-dev) and run the command again.\n",
    )


def test_another_failure_of_the_installer(machine: Machine):
    """The end of its output is shown, without the addresses in it."""
    machine.set_system("Linux", "x86_64", "glibc 2.41")
    machine.add_fitting_python("3.13")
    machine.add("c++", "exit 0")

    code, _, error = machine.set_up()

    assert (code, error) == (
        1,
        "Failed to build pyfarmhash==0.3.2\nsee (address)\n"
        "set-up: 'uv' failed while installing requirements/tfx-1.21.txt; its output is above and in "
        ".venv/set-up.log.\n",
    )


def test_another_c_library(machine: Machine):
    """Alpine's musl answers nothing to `getconf GNU_LIBC_VERSION`."""
    machine.set_system("Linux", "x86_64", None)

    assert machine.set_up() == (
        1,
        "",
        "set-up: TFX's packages need glibc, and this Linux has another C library; use a Debian or Ubuntu image "
        "instead of Alpine.\n",
    )


def test_nothing_to_do_the_second_time(machine: Machine):
    """With the stamp of this lock file, project file and folder, nothing is installed."""
    machine.set_system("Linux", "x86_64", "glibc 2.36")
    environment = machine.project / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(machine.bin / "sh")
    locks = ("requirements/tfx-1.16-py3.10.txt", "requirements/tfx-1.21.txt")
    names = (*locks, "pyproject.toml", "requirements/set_up.sh")
    content = b"".join((machine.project / name).read_bytes() for name in names)
    stamp = subprocess.run(["cksum"], input=content, capture_output=True, check=True).stdout.decode()
    (environment / "headrace-stamp").write_text(f"{stamp}{machine.project}\n")

    assert machine.set_up() == (0, "", "")


@pytest.mark.parametrize("name", ["tfx-1.16-py3.10.txt", "tfx-1.21.txt"])
def test_lock_files_name_no_place(name: str):
    """A lock file holds names and versions: no address of a registry and no path of the machine it was made on."""
    text = (ROOT / "requirements" / name).read_text()

    assert "://" not in text
    assert "--" not in text.replace("--hash", "")
    assert str(ROOT) not in text
    assert all(line.startswith((" ", "#")) or "==" in line for line in text.splitlines())
