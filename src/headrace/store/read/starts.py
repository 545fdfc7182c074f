"""How a run was started, told from what anybody else wrote into a store.

To resume a run is to execute the code that its record names. A store may be a copy, shared, or from elsewhere, so a
record counts only where this user's key signed it, for this run of this store; see `headrace.files.signatures`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.files import signatures
from headrace.store.open import identity
from headrace.store.open.store import Store
from headrace.store.read import run_records
from headrace.store.records import Json

# In a run's record: what was signed, in base64.
START_PROPERTY = "start"
SIGNED_AS = "start of a run"


@dataclass(frozen=True)
class Start:
    """How a run was started.

    Attributes:
        folder: Where.
        configuration: The settings of `headrace run`; without a pipeline where something else started it.
        script: The script that a person started; empty where none can be started again.
        is_trusted: Whether this user recorded it in this store.
    """

    folder: str = ""
    configuration: Mapping[str, Json] = field(default_factory=dict)
    script: str = ""
    is_trusted: bool = False

    @property
    def pipeline(self) -> str:
        """What `headrace run` takes to start it again; empty where nothing is known."""
        return str(self.configuration.get("pipeline") or self.script)

    @classmethod
    def of(cls, details: Mapping[str, Any], *, project_path: str = "", is_trusted: bool = False) -> Start:
        """Return what a run's details say; a relative path starts at the project, which may have been moved."""
        configuration = details.get("configuration")
        folder, script = (str(details.get(key) or "") for key in ("folder", "script"))
        return cls(
            os.path.normpath(os.path.join(project_path, folder)) if folder else "",
            dict(configuration) if isinstance(configuration, Mapping) else {},
            os.path.normpath(os.path.join(project_path, script)) if script else "",
            is_trusted,
        )


def read_start(store: Store, run_id: str) -> Start:
    """Return how a run of an open store was started; of one that there is not, nothing."""
    with store.handle() as handle:
        record = run_records.record_of(handle, run_id)
    details = record.get("details")
    details = details if isinstance(details, Mapping) else {}
    content = _verified(str(record.get(START_PROPERTY) or ""))
    # A store that cannot be written keeps its id too.
    if content and (content.get("store"), content.get("run")) == (identity.read(store.path) or None, run_id):
        return Start.of(content, project_path=store.project_path, is_trusted=True)
    return Start.of(details)


def _verified(text: str) -> dict[str, Any]:
    try:
        content = signatures.verified(base64.b64decode(text, validate=True), SIGNED_AS)
    except ValueError:
        return {}
    return dict(json.loads(content)) if content else {}
