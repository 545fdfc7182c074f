"""What differs between the generations of TFX that Headrace runs on.

tfx 1.16 (TensorFlow 2.16, Beam 2.74, protobuf 3.20) and tfx 1.21 (TensorFlow 2.21, Beam 2.77, protobuf 6).
The rest of the code asks this module for a feature and never for a version. Importing it loads nothing.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os


def has_module(name: str) -> bool:
    """Whether a package ships the module `name`, found on disk: no parent package is imported.

    Args:
        name: Dotted name of a module that is a `.py` file or a package.
    """
    package, *parts = name.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return False
    return any(
        os.path.exists(os.path.join(folder, *parts) + ".py") or os.path.isdir(os.path.join(folder, *parts))
        for folder in spec.submodule_search_locations
    )


def _version(package: str) -> tuple[int, ...]:
    parts = importlib.metadata.version(package).split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())


# SQL conditions on statistics: TFDV 1.21 ships neither the proto nor the parameter, and TFX 1.21 does not
# declare it.
HAS_CUSTOM_VALIDATION = has_module("tensorflow_data_validation.anomalies.proto.custom_validation_config_pb2")

# Slices given as SQL, in `StatsOptions` and in slicing specs: gone with the same library (ZetaSQL).
HAS_SQL_SLICES = has_module("tfx_bsl.arrow.sql_util")

# Conditions that ML Metadata checks in its database, `ListOptions.filter_query`: 1.21 still declares the field
# and refuses each use of it.
HAS_FILTER_QUERY = _version("ml-metadata") < (1, 21)
