"""Protobuf messages as the JSON of the API: one shape for OpenAPI and for the answer itself."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from pydantic import BaseModel, create_model

from services.kit.errors import InvalidInputError

M = TypeVar("M", bound=Message)
_INTEGERS = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64,
             FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64}  # fmt: skip
_PLAIN: dict[int, type] = {
    FieldDescriptor.CPPTYPE_STRING: str, FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_DOUBLE: float, FieldDescriptor.CPPTYPE_FLOAT: float,
} | dict.fromkeys(_INTEGERS, int)  # fmt: skip


def plain(message: Message) -> Any:
    """A message as JSON value: every field present, names as in the proto, integers as numbers."""
    if isinstance(message, Struct):
        return json_format.MessageToDict(message)
    return {field.name: _field(message, field) for field in message.DESCRIPTOR.fields}


def _is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _field(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.message_type is None:
        absent = field.has_presence and not field.is_repeated and not message.HasField(field.name)
        return None if absent else list(value) if field.is_repeated else value
    if _is_map(field):
        return {key: plain(v) if isinstance(v, Message) else v for key, v in value.items()}
    if field.is_repeated:
        return [plain(item) for item in value]
    return plain(value) if message.HasField(field.name) else None


@cache
def _model(descriptor: Descriptor) -> Any:
    if descriptor.full_name == "google.protobuf.Struct":
        return dict[str, Any]
    fields: dict[str, Any] = {field.name: (_annotation(field), ...) for field in descriptor.fields}
    return create_model(descriptor.name, **fields)


def _annotation(field: Any) -> Any:
    if _is_map(field):
        value = field.message_type.fields_by_name["value"]
        kind: Any = _model(value.message_type) if value.message_type else _PLAIN[value.cpp_type]
        return dict[str, kind]
    one: Any = _model(field.message_type) if field.message_type else _PLAIN.get(field.cpp_type, str)
    if field.is_repeated:
        return list[one]
    return one | None if field.has_presence else one


def answer(message: type[Message]) -> type[BaseModel]:
    """The model that OpenAPI shows for a message."""
    return _model(message.DESCRIPTOR)  # type: ignore[no-any-return]


def parse(body: BaseModel, message: type[M], **more: Any) -> M:
    """A request body as protobuf message; None means absent.

    Raises:
        InvalidInputError: free-form content that is nested too deeply, or holds text or numbers that are none.
    """
    try:
        values = body.model_dump(mode="json", exclude_none=True) | more
        return json_format.ParseDict(values, message())
    except (json_format.ParseError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInputError("内容嵌套过深，或含有无法保存的文字、数值，请修改后重新提交") from error
