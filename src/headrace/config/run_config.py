"""The settings of a run: what a configuration file and the command line can say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from headrace.config.document import Document, KeyPath, parse_value
from headrace.errors import ConfigError, did_you_mean, listed
from headrace.run_options import NAMES, FailWord

_RUN_PREFIX = "run"
# As deep as values of a configuration file may be.
_MAX_KEYS = 50


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


NodeIds = Annotated[list[str], BeforeValidator(_as_list)]


class RunConfig(BaseModel):
    """One run, as configured. A description says what a key takes; messages quote it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    pipeline: str | None = Field(
        None, description="the name of a ready pipeline, 'module:function', or a file such as 'pipeline.py'"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="a mapping of the pipeline's parameters to values"
    )
    store: str | None = Field(None, description="the folder of the store, as text")
    cache: bool | None = Field(None, description="true or false")
    workers: int | None = Field(None, ge=1, description="a whole number from 1: nodes at the same time")
    server: bool | None = Field(
        None, description="true or false: whether the workers' server stays for the next run"
    )
    fail: FailWord | None = Field(
        None, description="'fast' (a failure stops the run) or 'late' (only what depends on it)"
    )
    beam_pipeline_args: list[str] = Field(
        default_factory=list, description="a list of Beam arguments, such as ['--direct_num_workers=2']"
    )
    from_nodes: NodeIds = Field(default_factory=list, alias="from", description="a list of node ids")
    to_nodes: NodeIds = Field(default_factory=list, alias="to", description="a list of node ids")
    only: NodeIds = Field(default_factory=list, description="a list of node ids")

    def run_options(self) -> dict[str, Any]:
        """Return the options of a run that were set, under their names in `RunOptions`."""
        values = {name: getattr(self, name) for name in NAMES if name in RunConfig.model_fields}
        return {name: value for name, value in values.items() if value is not None and value != []}

    def settings(self) -> dict[str, Any]:
        """Return what was set, under the keys of a configuration file."""
        return self.model_dump(by_alias=True, exclude_defaults=True)


_DESCRIPTIONS = {field.alias or name: field.description for name, field in RunConfig.model_fields.items()}


def apply_settings(document: Document, settings: Sequence[str]) -> None:
    """Write `--set` texts over a document.

    `key=value` sets a parameter of the pipeline, `a.b=value` one inside a mapping, `run.workers=4` a key of
    the run. Values are read as YAML.

    Raises:
        ConfigError: If a text is not UTF-8, has no `=`, no key, or a value that is not YAML.
    """
    for text in settings:
        if any("\ud800" <= character <= "\udfff" for character in text):
            shown = text.encode("utf-8", "backslashreplace").decode()
            raise ConfigError(
                f"--set {shown}: this holds bytes that are not UTF-8.",
                "set the terminal to UTF-8, or write the value into a configuration file in UTF-8.",
            )
        key, equals, value = text.partition("=")
        origin = f"--set {text}"
        path = tuple(part.strip() for part in key.split("."))
        if not equals or not all(path) or len(path) > _MAX_KEYS:
            raise ConfigError(
                f"{origin}: this does not set anything.",
                "write --set key=value, such as --set train_steps=100, or --set run.workers=2.",
            )
        is_run_key = path[0] == _RUN_PREFIX and len(path) > 1
        full = path[1:] if is_run_key else ("parameters", *path)
        document.set(full, parse_value(value, origin), origin)


def check_document(document: Document) -> RunConfig:
    """Check a document's keys and values.

    Raises:
        ConfigError: For the first key that is unknown or has a value of another kind, with the place where
            it was written, the keys that exist, and the likely typo.
    """
    try:
        return RunConfig.model_validate(
            # A known key without a value, as where its lines are commented out, is not set.
            {
                key: value
                for key, value in document.values.items()
                if value is not None or key not in _DESCRIPTIONS
            }
        )
    except ValidationError as error:
        # Unknown keys first: a typo often explains the rest.
        details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
        raise _error(document, details[0]) from None


def _error(document: Document, detail: Any) -> ConfigError:
    path: KeyPath = tuple(str(part) for part in detail["loc"])
    key = path[0]
    origin = document.origin(path[:1])
    if detail["type"] == "extra_forbidden":
        near = did_you_mean(key, _DESCRIPTIONS)
        hint = "" if near else "If it is a parameter of the pipeline, put it below 'parameters:'. "
        return ConfigError(
            f"{origin}: unknown key '{key}'. Keys are {listed(_DESCRIPTIONS)}.",
            f"{near}{hint}Correct or remove it.",
        )
    value = document.values.get(key)
    return ConfigError(
        f"{origin}: '{key}' is {value!r}. It takes {_DESCRIPTIONS.get(key, 'another value')}.",
        "correct the value.",
    )
