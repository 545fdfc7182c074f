#!/bin/sh
# Make .venv from the tested lock file that fits this machine, with the project in it, editable.
# Run again, it does nothing until a lock file, pyproject.toml, the Python or the folder changed.
#
# POSIX sh alone: it must run where no fitting Python is, and say so.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
python=$venv/bin/python
stamp=$venv/headrace-stamp
log=$venv/set-up.log
# HOME may be another folder than the user's own, where pyenv and uv are.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6)

# With this set, every start of TensorFlow would compile its modules anew (13 s instead of 4).
unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH
# Never fetch an interpreter: the ones that are here are found below.
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1

fail() {
    printf 'set-up: %s\n' "$1" >&2
    exit 1
}

# Sets: glibc, versions (of Python that fit, best first).
check_system() {
    [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
        fail "the tested versions of TFX are for Linux on x86-64, and this is $(uname -s) on $(uname -m); run it in such a container or virtual machine, for example Debian 13 with Python 3.13."
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p')
    [ -n "$glibc" ] ||
        fail "TFX's packages need glibc, and this Linux has another C library; use a Debian or Ubuntu image instead of Alpine."
    major=${glibc%%.*}
    minor=${glibc#*.}
    minor=${minor%%.*}
    if [ "$major" -gt 2 ] || [ "$minor" -ge 39 ]; then
        versions='3.13 3.12 3.11 3.10'
    else
        versions=3.10
    fi
}

# Sets: version (of the virtual environment's Python), generation (of TFX), lock.
choose_generation() {
    version=$("$python" -c 'import platform; print(platform.python_version())')
    case "$version" in
    3.10.*) generation=1.16 lock=requirements/tfx-1.16-py3.10.txt ;;
    *) generation=1.21 lock=requirements/tfx-1.21.txt ;;
    esac
}

# Prints the interpreter behind command $1 if it starts and is one of the versions that fit.
fitting() {
    "$1" -c '
import sys
if "%d.%d" % sys.version_info[:2] in sys.argv[1].split() and sys.maxsize > 2**32:
    print(sys.executable)
' "$versions" 2>/dev/null
}

# Prints a fitting Python: .python-version first, then the best version there is.
find_python() {
    asked=$(sed -n 's/^\([0-9]*\.[0-9]*\).*/\1/p;q' .python-version 2>/dev/null || true)
    for version in $asked $versions; do
        for candidate in "$(command -v "python$version" || true)" \
            "${PYENV_ROOT:-/nonexistent}/versions/$version"*/bin/python \
            "${HOME:-/nonexistent}/.pyenv/versions/$version"*/bin/python \
            "$home/.pyenv/versions/$version"*/bin/python; do
            if [ -x "$candidate" ] && found=$(fitting "$candidate") && [ -n "$found" ]; then
                echo "$found"
                return
            fi
        done
    done
    for candidate in python3 python; do
        if found=$(fitting "$candidate") && [ -n "$found" ]; then
            echo "$found"
            return
        fi
    done
    uv=$(find_uv)
    for version in $versions; do
        if [ -n "$uv" ] && candidate=$("$uv" python find --no-project "$version" 2>/dev/null) &&
            found=$(fitting "$candidate") && [ -n "$found" ]; then
            echo "$found"
            return
        fi
    done
}

# Prints a uv that starts. One on PATH may be a pyenv shim for a version that is not active.
find_uv() {
    for candidate in "$venv/bin/uv" "$(command -v uv || true)" "${HOME:-/nonexistent}/.local/bin/uv" \
        "$home/.local/bin/uv" "$home"/.pyenv/versions/*/bin/uv; do
        if [ -x "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
}

# Says what there is instead of a fitting Python, and the way out.
fail_without_python() {
    there=$(python3 -c 'import sys; print("Python %d.%d" % sys.version_info[:2])' 2>/dev/null || echo 'no Python 3')
    if [ "$versions" = 3.10 ]; then
        fail "this system (glibc $glibc) can install TFX 1.16 only, which needs Python 3.10, and there is $there here; install Python 3.10 (pyenv install 3.10, or uv python install 3.10) and run the command again, or use Debian 13 or Ubuntu 24.04, where Python 3.10 to 3.13 fit."
    fi
    fail "TFX needs Python 3.10, 3.11, 3.12 or 3.13, and there is $there here; install one (apt install python3.13, pyenv install 3.13, or uv python install 3.13) and run the command again."
}

# Whether extension modules can be compiled. pyfarmhash, which TFX requires, has no wheels.
can_compile() {
    include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null)
    echo '#include <Python.h>' | c++ -x c++ -fsyntax-only -I"$include" - 2>/dev/null
}

# Runs a command with its output in the log; on failure shows the end of it, addresses left out.
logged() {
    if ! "$@" >>"$log" 2>&1; then
        # Asked for only now: where a wheel of it was made before, no compiler is needed.
        if grep -q 'Failed.*pyfarmhash' "$log" && ! can_compile; then
            fail "TFX needs pyfarmhash, which is compiled while it is installed, and there is no C++ compiler with Python's headers here; install them (apt install g++ python3-dev) and run the command again."
        fi
        tail -n 20 "$log" | sed 's#[a-z+]*://[^ )>"'"'"']*#(address)#g' >&2
        fail "'$(basename "$1")' failed while installing $lock; its output is above and in $log."
    fi
}

make_venv() {
    rm -rf "$venv"
    uv=$(find_uv)
    if [ -n "$uv" ]; then
        "$uv" venv --quiet --no-project --python "$1" "$venv" || fail "uv could not make $venv with $1."
    elif ! "$1" -m venv "$venv" 2>/dev/null; then
        rm -rf "$venv"
        fail "$1 cannot make virtual environments; install its venv package (apt install python3-venv) or uv, and run the command again."
    fi
}

install() {
    uv=$(find_uv)
    if [ -z "$uv" ]; then
        pinned=$(sed -n 's/^uv==\([^ ;]*\).*/uv==\1/p' "$lock")
        "$python" -m pip install --quiet --disable-pip-version-check "$pinned" >>"$log" 2>&1 || true
        uv=$(find_uv)
    fi
    if [ -n "$uv" ]; then
        logged "$uv" pip sync --python "$python" --compile-bytecode "$lock"
        logged "$uv" pip install --python "$python" --no-deps --no-build-isolation --editable .
    else
        logged "$python" -m pip install --no-deps --requirement "$lock"
        logged "$python" -m pip install --no-deps --no-build-isolation --editable .
    fi
    logged "$python" -m compileall -q src components pipelines
}

check_system
wanted=$(cat requirements/tfx-*.txt pyproject.toml requirements/set_up.sh | cksum)
made_for=$(sed -n 1p "$stamp" 2>/dev/null || true)
made_in=$(sed -n 2p "$stamp" 2>/dev/null || true)
if [ -x "$python" ] && [ "$made_for" = "$wanted" ] && [ "$made_in" = "$PWD" ]; then
    exit 0
fi

# A virtual environment that was moved or has another Python is made anew; another lock is synced into it.
if [ "${made_in:-$PWD}" != "$PWD" ] || [ -z "$(fitting "$python")" ]; then
    base=$(find_python)
    [ -n "$base" ] || fail_without_python
    make_venv "$base"
fi
rm -f "$stamp" "$log"
choose_generation
printf 'Installing TFX %s for Python %s from %s into %s (some minutes the first time) ...\n' \
    "$generation" "$version" "$lock" "$venv"
install
printf '%s\n%s\n' "$wanted" "$PWD" >"$stamp"
echo "Ready: $venv"
