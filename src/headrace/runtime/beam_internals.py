"""Beam's internal modules that Headrace builds on. Importing this module loads Beam.

Beam 2.74 and 2.77 have them. Without the in-process runner nothing runs here, so importing this one then says so.
"""

from __future__ import annotations

from headrace.internals import Library

_BEAM = Library("Beam", "apache-beam")

with _BEAM.importing():
    from apache_beam.internal import pickler
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from apache_beam.utils import shared

__all__ = ["FnApiRunner", "pickler", "shared"]
