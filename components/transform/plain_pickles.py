"""Pickles of TFT's cache format, loaded without running what they may name.

A cache may come from another pipeline, another store or stock TFX. Its manifest and the size of its data are pickles of
plain values; of its entries, only those of quantiles are pickles, of one class of tfx_bsl.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Collection
from typing import Any

from headrace.components.transform import tft_internals

_SKETCHES = frozenset(
    {
        ("tfx_bsl.cc.tfx_bsl_extension.sketches", "QuantilesSketch"),
        ("tfx_bsl.cc.tfx_bsl_extension", "QuantilesSketch"),
        ("tfx_bsl.sketches", "QuantilesSketch"),
    }
)


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, allowed: Collection[tuple[str, str]]) -> None:
        super().__init__(io.BytesIO(content))
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        """Return a class that is allowed."""
        if (module, name) == ("_codecs", "encode"):
            # How the oldest protocol, that of manifests, writes bytes.
            return _latin1
        if (module, name) in self._allowed:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in an analyzer cache")


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in encoding {encoding} have no place in an analyzer cache")
    return text.encode("latin1")


def load_values(content: bytes) -> Any:
    """Return dicts, lists, numbers and texts.

    Raises:
        pickle.UnpicklingError: If the pickle names anything else; other errors where it is damaged.
    """
    return _Unpickler(content, ()).load()


def load_sketch(content: bytes) -> Any:
    """Return a sketch of quantiles; see `load_values` for what is raised."""
    return _Unpickler(content, _SKETCHES).load()


def install() -> None:
    """Let TFT decode its entries so; harmless when repeated."""
    tft_internals.decode_sketches_with(load_sketch)
