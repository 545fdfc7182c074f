"""Stores from elsewhere: what they may hold that would lead a write out of them."""

from __future__ import annotations

import os

from headrace.errors import StoreError
from headrace.files import shared_files
from headrace.store.open import identity

# Where files come and go: a link there would lead into somebody else's. So deep it is looked for.
_DEPTHS = {"artifacts": 8, "logs": 1, "unpublished": 1, "kept": 1, "sources": 1, "cells": 1}


def refuse_links(store_path: str, *, is_read: bool = False) -> None:
    """Refuse links in a store that is from elsewhere: what is written there would land where they lead.

    Those of a store that was opened here before are its user's, such as one to a larger disk. No more is
    searched than the folders in which files are made.

    Args:
        store_path: The store's folder.
        is_read: Whether nothing of it is written: then only what lies in it at once is looked at, such as the database,
            beside which SQLite makes files.

    Raises:
        StoreError: If there is one.
        OSError: If a folder cannot be read.
    """
    own_path = os.path.join(store_path, "metadata.db")
    if not os.path.lexists(own_path) or identity.read(store_path):
        return
    found = shared_files.find_link(store_path, depth=1)
    for name, depth in _DEPTHS.items():
        path = os.path.join(store_path, name)
        if not found and not is_read and os.path.isdir(path):
            found = shared_files.find_link(path, depth)
    if found:
        where = f", which leads to {os.path.realpath(found)}" if os.path.islink(found) else ""
        raise StoreError(
            f"the store {store_path} is a copy or from elsewhere, and {found} is no plain file or folder{where}: "
            "what is written there would land outside of the store.",
            "remove it, or put what it names in its place. A link of your own can be made again "
            "once a command has worked in the store.",
        )
