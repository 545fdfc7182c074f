"""Let TensorFlow load models from folders that have [ ] * ? in their path.

Its readers of checkpoints take the path for a file pattern (`CheckpointReader` and `RestoreV2`, in C++), and find
nothing where a folder is called `proj [v1]`. Through a symbolic link without these signs they find it. A SavedModel's
variables are looked for in one place, for reading as for writing, which is replaced here.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import tempfile
from typing import Any


def without_signs(path: str) -> str:
    """Return a path of the same file or folder that is no pattern; the path itself where it is none."""
    if not glob.has_magic(path):
        return path
    folder, name = os.path.split(os.path.abspath(path))
    links = tempfile.gettempdir()
    if glob.has_magic(name) or glob.has_magic(links):
        return path
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    link = os.path.join(links, f"headrace-link-{os.getpid()}-{digest}")
    with contextlib.suppress(FileExistsError):
        os.symlink(folder, link)
    return os.path.join(link, name)


def accept_any_folder() -> None:
    """Have this process's TensorFlow load and save variables in any folder. To call it again changes nothing."""
    from headrace.formats import tensorflow_internals

    def replaced(original: Any) -> Any:
        if getattr(original, "is_headrace", False):
            return original

        def get_variables_path(export_dir: Any) -> str:
            return without_signs(os.fspath(original(export_dir)))

        get_variables_path.is_headrace = True  # type: ignore[attr-defined]
        return get_variables_path

    tensorflow_internals.replace_variables_path(replaced)
