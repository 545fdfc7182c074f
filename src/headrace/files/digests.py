"""Digests of contents: of files, folders and artifacts. The cache compares these and nothing else."""

from __future__ import annotations

from headrace.files.payloads import describe, file_digest, file_digests, tree_digest

__all__ = ["describe", "file_digest", "file_digests", "tree_digest"]
