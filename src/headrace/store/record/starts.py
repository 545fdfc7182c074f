"""How a run was started, signed so that only this user's own word counts: see `headrace.store.read.starts`."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any

from headrace.files import signatures
from headrace.store.open.store import Store
from headrace.store.read.starts import SIGNED_AS


def signed(store: Store, run_id: str, details: Mapping[str, Any]) -> str:
    """Return what to record so that `read_start` trusts it; empty where this user can have no key.

    Args:
        store: The open store.
        run_id: The run.
        details: Its configuration, script and folder.
    """
    if not signatures.identity():
        return ""
    content = {
        "store": store.store_id,
        "run": run_id,
        "configuration": details.get("configuration"),
        "script": _relative(str(details.get("script") or ""), store.project_path),
        "folder": _relative(str(details.get("folder") or ""), store.project_path),
    }
    return base64.b64encode(signatures.sign(json.dumps(content).encode(), SIGNED_AS)).decode("ascii")


def _relative(path: str, project_path: str) -> str:
    """A path below the project without the project's: a store that is moved keeps its word."""
    is_below = path == project_path or path.startswith(project_path.rstrip(os.sep) + os.sep)
    return os.path.relpath(path, project_path) if is_below else path
