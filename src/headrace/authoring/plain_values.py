"""Plain values in the place of TFX's protos: `train_args={"num_steps": 100}` for `trainer_pb2.TrainArgs(num_steps=100)`.

What comes of both is recorded alike, so they have one cache key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from headrace.authoring.light import authoring
from headrace.errors import DefinitionError, did_you_mean, listed

with authoring():
    from tfx.dsl.placeholder.placeholder import Placeholder
    from tfx.orchestration.data_types import RuntimeParameter

# Of a proto: itself, a mapping of its fields in any depth, or that as JSON text.
ProtoLike: TypeAlias = Message | Mapping[str, Any] | str | RuntimeParameter
_WELL_KNOWN = "google.protobuf."


def to_proto(
    value: ProtoLike | None, kind: type[Message], where: str, default: ProtoLike | None = None
) -> Any:
    """Return the proto that an argument of a component stands for.

    Args:
        value: The proto, or a mapping of its fields: names to numbers, texts, lists and mappings.
        kind: The proto's class.
        where: Component and argument, such as `"Trainer: train_args"`.
        default: What stands in the place of `None` and of a mapping without fields.

    Returns:
        The proto. As it is: `None`, JSON text, a placeholder and a runtime parameter; a mapping that holds one, whose
        names are checked here and whose values are known when the pipeline runs.

    Raises:
        DefinitionError: If it is another proto, or has a field or a value that the proto does not; with the place in
            the mapping, the fields there are, and the likely typo.
    """
    if default is not None and (value is None or value == {}):
        value = default
    if value is None or _is_known_late(value):
        return value
    if isinstance(value, Message):
        if value.DESCRIPTOR.full_name != kind.DESCRIPTOR.full_name:
            raise DefinitionError(
                f"{where} is of type {kind.DESCRIPTOR.name}, and was given a value of type {value.DESCRIPTOR.name}.",
                f"give a mapping of the fields of {kind.DESCRIPTOR.name}: {_fields(kind.DESCRIPTOR)}.",
            )
        return value
    if isinstance(value, str):
        _from_mapping(read_json(value, kind, where), kind, where)
        return value
    if not isinstance(value, Mapping):
        raise DefinitionError(
            f"{where} is of type {kind.DESCRIPTOR.name}, and was given a value of type {type(value).__name__}.",
            f"give a mapping of its fields: {_fields(kind.DESCRIPTOR)}.",
        )
    return _from_mapping(value, kind, where)


def as_names(given: str | Iterable[str] | None, where: str) -> list[str]:
    """Return names, such as those of splits, as a list; one may be given without a list around it.

    Args:
        given: A name, or several; `None` for none.
        where: Component and argument, for messages.

    Raises:
        DefinitionError: If it is neither.

    Example:
        >>> as_names("eval", "StatisticsGen: exclude_splits")
        ['eval']
    """
    if given is None:
        return []
    # A text is iterable too: its letters are no names.
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else [given]
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise DefinitionError(
            f"{where} is {given!r}; {wrong[0]!r} is no name.", "give a name, or a list of names: ['eval']."
        )
    return names


def read_json(text: str, kind: type[Message], where: str) -> Mapping[str, Any]:
    """Return the mapping of fields that is written as JSON text.

    Raises:
        DefinitionError: If the text is no JSON, or no mapping.
    """
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise DefinitionError(
            f"{where} is malformed: it is no JSON: {error}. Given: {text[:200]!r}.",
            f"give a mapping of the fields of {kind.DESCRIPTOR.name}: {_fields(kind.DESCRIPTOR)}.",
        ) from error
    if not isinstance(parsed, Mapping):
        raise DefinitionError(
            f"{where} is JSON text of a {type(parsed).__name__}, and stands for a {kind.DESCRIPTOR.name}.",
            f"give a mapping of its fields: {_fields(kind.DESCRIPTOR)}.",
        )
    return parsed


def _from_mapping(value: Mapping[str, Any], kind: type[Message], where: str) -> Any:
    plain = _plain(value)
    _check_names(plain, kind.DESCRIPTOR, where)
    if holds_runtime_parameter(plain):
        return plain
    try:
        return json_format.ParseDict(plain, kind())
    except (json_format.ParseError, TypeError, ValueError) as error:
        text = " ".join(str(error).split()).rstrip(".")
        raise DefinitionError(
            f"{where} is malformed: {text}.", f"write it as {kind.DESCRIPTOR.full_name} defines it."
        ) from error


def holds_runtime_parameter(value: Any) -> bool:
    """Whether a value is known only when the pipeline runs, or has a part that is."""
    if isinstance(value, Mapping):
        return any(holds_runtime_parameter(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return any(holds_runtime_parameter(part) for part in value)
    return _is_known_late(value)


def _is_known_late(value: Any) -> bool:
    return isinstance(value, (RuntimeParameter, Placeholder))


def _plain(value: Any) -> Any:
    """The same with protos inside of it as mappings, and every sequence as a list."""
    if isinstance(value, Message):
        return json_format.MessageToDict(value, preserving_proto_field_name=True)
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        ordered = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [_plain(part) for part in ordered]
    return value


def _check_names(value: Mapping[str, Any], descriptor: Descriptor, where: str) -> None:
    """Check the names of fields and enum values, and where lists and mappings stand, in any depth."""
    # JSON's camelCase is read as well as the proto's own names.
    known = {name: field for field in descriptor.fields for name in (field.json_name, field.name)}
    for name, part in value.items():
        field = known.get(name)
        if field is None:
            names = [one.name for one in descriptor.fields]
            raise DefinitionError(
                f"{where} has no field '{name}'. {descriptor.name} has {listed(names)}.",
                f"{did_you_mean(name, names)}Correct the name.",
            )
        here = f"{where}.{name}"
        # As JSON's null, `None` is a field that is not set.
        if part is None or _is_known_late(part):
            continue
        if _is_repeated(field) and not _is_map(field) and not isinstance(part, list):
            raise DefinitionError(f"{here} is {part!r}, and takes a list.", f"write [{part!r}].")
        for place, item in _items(field, part):
            inner = _value_field(field)
            if inner.message_type is not None:
                _check_part(item, inner.message_type, f"{here}{place}")
            elif inner.enum_type is not None and isinstance(item, str):
                _check_enum(item, inner, f"{here}{place}")


def _check_part(value: Any, descriptor: Descriptor, where: str) -> None:
    """Check what stands for a proto inside of another."""
    if _is_known_late(value) or descriptor.full_name.startswith(_WELL_KNOWN):
        return
    if not isinstance(value, Mapping):
        raise DefinitionError(
            f"{where} is of type {descriptor.name}, and was given a value of type {type(value).__name__}.",
            f"give a mapping of its fields: {_fields(descriptor)}.",
        )
    _check_names(value, descriptor, where)


def _items(field: FieldDescriptor, part: Any) -> Iterable[tuple[str, Any]]:
    """The values of a field, each with its place in it."""
    if _is_map(field):
        return [(f"[{key!r}]", item) for key, item in part.items()] if isinstance(part, Mapping) else []
    if isinstance(part, list):
        return [(f"[{index}]", item) for index, item in enumerate(part)]
    return [("", part)]


def _is_repeated(field: FieldDescriptor) -> bool:
    # The protobuf of TFX 1.21 warns of `label`, and that of 1.16 has nothing else.
    if hasattr(field, "is_repeated"):
        return bool(field.is_repeated)
    return bool(field.label == FieldDescriptor.LABEL_REPEATED)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _value_field(field: FieldDescriptor) -> FieldDescriptor:
    return field.message_type.fields_by_name["value"] if _is_map(field) else field


def _check_enum(given: str, field: FieldDescriptor, where: str) -> None:
    names = [value.name for value in field.enum_type.values]
    if given not in names:
        raise DefinitionError(
            f"{where} is '{given}'. It can be {listed(names)}.",
            f"{did_you_mean(given, names)}Correct the word.",
        )


def _fields(descriptor: Descriptor) -> str:
    return listed(field.name for field in descriptor.fields)
