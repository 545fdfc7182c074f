"""Which warm server fits a run: all that a process cannot change any more once it has loaded its libraries.

The name of a server stands for it. Two runs with the same name may share a server; another user, interpreter, set of
packages, control group or value of a variable that libraries read when they load is another name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping

import headrace

# Raised when a server and a run of other versions would no longer understand each other.
_PROTOCOL = 1
_PACKAGE_PATH = os.path.dirname(os.path.abspath(headrace.__file__))
# Variables that native code reads when it loads, which no record of Python's sees.
_PREFIXES = (
    "ABSL_", "ARROW_", "BLIS_", "CUBLAS_", "CUDA", "CUDNN_", "DNNL_", "GLIBC_TUNABLES", "GLOG_", "GOMP_", "GOTO_", "GRPC_",
    "HIP_", "HSA_", "JAX_", "KERAS_", "KMP_", "LC_", "LD_", "MALLOC_", "MIMALLOC_", "MKL_", "MPL", "NCCL_", "NPY_",
    "NUMEXPR_", "NVIDIA_", "OMP_", "ONEDNN_", "OPENBLAS_", "PROTOCOL_BUFFERS_", "PYTHON", "ROCM_", "ROCR_", "TBB_", "TCMALLOC_",
    "TF_", "TFX_", "TQDM_", "XLA_",
)  # fmt: skip
_VARIABLES = frozenset(
    {
        "CONDA_PREFIX",
        "GCONV_PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "LOCPATH",
        "PATH",
        "TZ",
        "TZDIR",
        "VIRTUAL_ENV",
    }
)
# What scikit-learn gives a process that imports it: a run whose process did so is no other run.
_SET_BY_LIBRARIES = {"KMP_DUPLICATE_LIB_OK": "True", "KMP_INIT_AT_FORK": "FALSE"}
# What a server is started with or changes itself.
_SET_HERE = frozenset({"PYTHONUNBUFFERED", "PYTHONPATH"})
# Lines of /proc/self/status that a process inherits: whose it is, what it may do, and on which processors.
_INHERITED = (
    "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
    "Cpus_allowed", "Mems_allowed", "Speculation_Store_Bypass",
)  # fmt: skip
_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
_DISTRIBUTIONS = (".dist-info", ".egg-info", ".egg-link", ".pth", ".egg")


def name(variables: Mapping[str, str]) -> str:
    """Return the name of the server that fits.

    Args:
        variables: The environment of a run.
    """
    parts = {
        "protocol": _PROTOCOL,
        "python": [os.path.realpath(sys.executable), sys.prefix, sys.base_prefix, sys.version],
        "variables": loading_variables(variables),
        "process": _process(),
        "installed": installed(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def loading_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those that libraries read when they load, whatever they do with them."""
    return {
        key: value
        for key, value in sorted(variables.items())
        if key not in _SET_HERE
        and value != _SET_BY_LIBRARIES.get(key)
        and (key in _VARIABLES or key.startswith(_PREFIXES))
    }


def installed() -> str:
    """Return what stands for the installed packages with their versions, and for Headrace's own source."""
    digest = hashlib.sha256()
    for line in [*_distributions(), *_sources(_PACKAGE_PATH)]:
        digest.update(line.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()


def library_folders() -> tuple[str, ...]:
    """Return the folders of the standard library and of installed packages, those of the user's among them."""
    paths = [sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += site.getsitepackages()
    if site.ENABLE_USER_SITE:
        paths.append(site.getusersitepackages())
    return tuple(dict.fromkeys(os.path.realpath(path) for path in paths))


def package_root() -> str:
    """Return the folder in which the package `headrace` lies."""
    return os.path.dirname(_PACKAGE_PATH)


def _distributions() -> Iterator[str]:
    """Yield a line for each installed distribution: an installer writes its folder anew with each version."""
    for folder in library_folders():
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.name.endswith(_DISTRIBUTIONS):
                    info = entry.stat()
                    yield f"{folder}/{entry.name} {info.st_mtime_ns} {info.st_size}"


def _sources(folder: str) -> Iterator[str]:
    """Yield a line for each Python file; the links of a checkout are followed."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _sources(entry.path)
            elif entry.name.endswith(".py"):
                info = entry.stat()
                yield f"{entry.path} {info.st_mtime_ns} {info.st_size}"


def _process() -> list[object]:
    status = dict(line.split(":\t", 1) for line in _read("/proc/self/status").splitlines() if ":\t" in line)
    limits = [getattr(resource, key) for key in dir(resource) if key.startswith("RLIMIT_")]
    return [
        [status.get(key, "").split() for key in _INHERITED],
        [resource.getrlimit(limit) for limit in sorted(set(limits))],
        [_link(f"/proc/self/ns/{key}") for key in _NAMESPACES],
        _read("/proc/self/cgroup"),
        _read("/proc/self/attr/current"),
        _read("/proc/self/oom_score_adj"),
        _link("/proc/self/root"),
        [os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)],
    ]


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\0\n")
    except OSError:
        return ""
