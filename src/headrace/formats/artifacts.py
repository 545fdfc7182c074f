"""Where the payload of an artifact lies: splits, files and formats, as TFX lays them out.

Light: only names and paths, no payload is read.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Sequence

from headrace.authoring import Artifact
from headrace.authoring.light import authoring
from headrace.errors import DataError, EmptyDataError, UnknownSplitError, did_you_mean, listed
from headrace.files import matching_files
from headrace.formats import split_names as split_names_rule
from headrace.runtime.context import DIGEST_PROPERTY

with authoring():
    from tfx.types import artifact_utils

SPLIT_PREFIX = "Split-"
FILE_FORMAT_PROPERTY = "file_format"
PAYLOAD_FORMAT_PROPERTY = "payload_format"
_CUSTOM_PATTERNS_PROPERTY = "custom_split_pattern"


def split_names(artifact: Artifact) -> list[str]:
    """Return the artifact's splits, in the order in which they were recorded.

    Examples made outside TFX may only have a file pattern for each split.

    Raises:
        DataError: If a name could lead out of the artifact's folder, as in a store from elsewhere.
    """
    where = f"{artifact.type_name} artifact {artifact.id}"
    text = artifact.split_names
    try:
        names = list(artifact_utils.decode_split_names(text)) if text else None
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{where}: its splits are recorded as {text!r}, which is no list of names."
        ) from error
    names = list(_custom_patterns(artifact)) if names is None else names
    split_names_rule.check_recorded(names, where)
    return names


def _custom_patterns(examples: Artifact) -> dict[str, str]:
    """Return the file pattern of each split, of Examples that were made outside TFX."""
    text = examples.get_string_custom_property(_CUSTOM_PATTERNS_PROPERTY) or "{}"
    try:
        patterns = json.loads(text)
    except (ValueError, RecursionError):
        patterns = None
    if not isinstance(patterns, dict) or not all(isinstance(one, str) for one in patterns.values()):
        raise DataError(
            f"{examples.type_name} artifact {examples.id}: the patterns of its splits are recorded as {text[:200]!r}, "
            "which is no JSON object of texts."
        )
    return patterns


def content_digest(artifact: Artifact) -> str:
    """Return what stands for an artifact's content, as recorded with it; empty where the content is not known."""
    return str(artifact.get_string_custom_property(DIGEST_PROPERTY))


def encode_split_names(names: Iterable[str]) -> str:
    """Return the JSON text in which TFX records split names."""
    return str(artifact_utils.encode_split_names(list(names)))


def check_splits(artifact: Artifact, names: Iterable[str], where: str, parameter: str = "the name") -> None:
    """Check that the artifact has the splits `names`.

    Args:
        artifact: The artifact.
        names: The splits.
        where: Who needs them, for the message.
        parameter: What names them, as the message tells the reader to correct.

    Raises:
        UnknownSplitError: If it has not, naming those it has.
    """
    known = split_names(artifact)
    for name in names:
        if name not in known:
            raise UnknownSplitError(
                f"{where}: there is no split '{name}'. {artifact.type_name} artifact {artifact.id} has splits "
                f"{listed(known)}.",
                f"{did_you_mean(name, known)}Correct {parameter}, or add an output split named '{name}' to ExampleGen.",
            )


def keep_splits(artifact: Artifact, exclude: Sequence[str], where: str) -> list[str]:
    """Return the artifact's splits without those in `exclude`, in their order.

    Raises:
        UnknownSplitError: If `exclude` names a split that the artifact does not have.
    """
    check_splits(artifact, exclude, where)
    return [name for name in split_names(artifact) if name not in exclude]


def split_path(artifact: Artifact, split: str) -> str:
    """Return the folder of one split: `{uri}/Split-{split}`, or the older `{uri}/{split}` where that exists."""
    return split_folder(artifact.uri, split)


def new_split_folder(uri: str, split: str) -> str:
    """Return the folder that one split of the artifact at `uri` is written to: `{uri}/Split-{split}`."""
    return os.path.join(uri, f"{SPLIT_PREFIX}{split}")


def split_folder(uri: str, split: str) -> str:
    """Return the folder of one split of the artifact at `uri`: see `split_path`."""
    path = new_split_folder(uri, split)
    older = os.path.join(uri, split)
    return older if not os.path.isdir(path) and os.path.isdir(older) else path


def split_files(examples: Artifact, split: str) -> list[str]:
    """Return the data files of one split of an Examples artifact, sorted.

    Raises:
        EmptyDataError: If there is none.
    """
    patterns = _custom_patterns(examples)
    folder, pattern = split_path(examples, split), "*"
    if split in patterns:
        folder, pattern = examples.uri, patterns[split]
    # Of the folder each sign counts as it is: [ ] may stand in its path.
    files = matching_files(os.path.join(glob.escape(folder), pattern))
    if not files:
        raise EmptyDataError(
            f"Examples artifact {examples.id} has no file for split '{split}' ({os.path.join(folder, pattern)}).",
            "run the ExampleGen that made it again.",
        )
    return files


def file_format(examples: Artifact) -> str:
    """Return how the files are written: `"tfrecords_gzip"`, `"tfrecords"` or `"parquet"`."""
    return str(examples.get_string_custom_property(FILE_FORMAT_PROPERTY) or "tfrecords_gzip")


def payload_format(examples: Artifact) -> str:
    """Return what a record is: `"FORMAT_TF_EXAMPLE"`, `"FORMAT_PARQUET"` or another name of TFX's enum."""
    return str(examples.get_string_custom_property(PAYLOAD_FORMAT_PROPERTY) or "FORMAT_TF_EXAMPLE")
