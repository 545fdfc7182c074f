"""TFX's file access (`tfx.dsl.io.fileio`) in a process without TensorFlow, which is TFX's way to all but local files.

Local paths are served by TFX's plain implementation. The first other path, such as `gs://...`, loads TensorFlow.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from headrace.authoring import tfx_internals

# Lower is preferred: TensorFlow's has 10, the plain implementation 20.
_PRIORITY = 15


class _LoadsTensorFlow(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        load_plugin()
        return getattr(sys.modules[tfx_internals.PLUGIN].TensorflowFilesystem, name)


class _ElsewhereFiles(metaclass=_LoadsTensorFlow):
    """Takes the place of TensorFlow's implementation until it is needed."""

    SUPPORTED_SCHEMES: tuple[str, ...] = ()


def register() -> None:
    """Register what stands in for TensorFlow's implementation."""
    from tfx.dsl.io import filesystem_registry
    from tfx.dsl.io.plugins import local

    class LocalFiles(local.LocalFilesystem):
        """The plain implementation, where the folder of a bare file name may be made, as with TensorFlow's."""

        @staticmethod
        def makedirs(path: Any) -> None:
            if path:
                os.makedirs(path, exist_ok=True)

    registry = filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY
    registry.register(LocalFiles, priority=_PRIORITY)
    registry.register(_ElsewhereFiles, priority=_PRIORITY, use_as_fallback=True)


def load_plugin() -> None:
    """Load TensorFlow, and let TFX's access to files use it from now on."""
    import tensorflow  # noqa: F401 - the reload below finds it

    for plugin in tfx_internals.loaded_without(tfx_internals.GUARDED_TENSORFLOW).values():
        importlib.reload(plugin)
