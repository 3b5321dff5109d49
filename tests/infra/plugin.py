"""The part of Terraform's plugin protocol, version 6, that plans and applies of providers need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "tfplugin6.Provider"

# Field numbers are the protocol's. "=" is bytes, "$" string, "#" a number, "?" a bool, a name is a
# message; "*" repeats, "%" is a map from strings.
_MESSAGES = """
DynamicValue: msgpack=1 json=2
Step: attribute_name$1
AttributePath: *steps:Step@1
Diagnostic: severity#1 summary$2 detail$3 attribute:AttributePath@4
Attribute: name$1 type=2 required?4 optional?5 computed?6 sensitive?7 write_only?11
Block: *attributes:Attribute@2 *block_types:NestedBlock@3
NestedBlock: type_name$1 block:Block@2 nesting#3 min_items#4 max_items#5
Schema: version#1 block:Block@2
Capabilities: plan_destroy?1
RawState: json=1
GetProviderSchema.Request:
GetProviderSchema.Response: provider:Schema@1 %resource_schemas:Schema@2 \
  %data_source_schemas:Schema@3 *diagnostics:Diagnostic@4 server_capabilities:Capabilities@6
ValidateProviderConfig.Request: config:DynamicValue@1
ValidateProviderConfig.Response: *diagnostics:Diagnostic@2
ValidateResourceConfig.Request: type_name$1 config:DynamicValue@2
ValidateResourceConfig.Response: *diagnostics:Diagnostic@1
ValidateDataResourceConfig.Request: type_name$1 config:DynamicValue@2
ValidateDataResourceConfig.Response: *diagnostics:Diagnostic@1
UpgradeResourceState.Request: type_name$1 version#2 raw_state:RawState@3
UpgradeResourceState.Response: upgraded_state:DynamicValue@1 *diagnostics:Diagnostic@2
ConfigureProvider.Request: terraform_version$1 config:DynamicValue@2
ConfigureProvider.Response: *diagnostics:Diagnostic@1
ReadResource.Request: type_name$1 current_state:DynamicValue@2 private=3
ReadResource.Response: new_state:DynamicValue@1 *diagnostics:Diagnostic@2 private=3
PlanResourceChange.Request: type_name$1 prior_state:DynamicValue@2 \
  proposed_new_state:DynamicValue@3 config:DynamicValue@4 prior_private=5
PlanResourceChange.Response: planned_state:DynamicValue@1 *requires_replace:AttributePath@2 \
  planned_private=3 *diagnostics:Diagnostic@4 legacy_type_system?5
ApplyResourceChange.Request: type_name$1 prior_state:DynamicValue@2 planned_state:DynamicValue@3 \
  config:DynamicValue@4 planned_private=5
ApplyResourceChange.Response: new_state:DynamicValue@1 private=2 *diagnostics:Diagnostic@3 \
  legacy_type_system?4
ReadDataSource.Request: type_name$1 config:DynamicValue@2
ReadDataSource.Response: state:DynamicValue@1 *diagnostics:Diagnostic@2
StopProvider.Request:
StopProvider.Response:
"""
_FIELD = re.compile(r"([*%]?)(\w+)(?:([=$#?])|:(\w+)@)(\d+)")
_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "=": _Field.TYPE_BYTES,
    "$": _Field.TYPE_STRING,
    "#": _Field.TYPE_INT64,
    "?": _Field.TYPE_BOOL,
}


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="stand_in/tfplugin6.proto", package="tfplugin6", syntax="proto3"
    )
    outer: dict[str, descriptor_pb2.DescriptorProto] = {}
    for line in _MESSAGES.replace("\\\n", "").strip().splitlines():
        name, _, fields = line.partition(":")
        first, _, rest = name.partition(".")
        message = outer.setdefault(first, descriptor_pb2.DescriptorProto(name=first))
        if rest:
            message = message.nested_type.add(name=rest)
        for mark, field, kind, of, number in _FIELD.findall(fields):
            _add(message, name, mark, field, kind, of, int(number))
    file.message_type.extend(outer.values())
    return file


def _add(
    message: descriptor_pb2.DescriptorProto,
    path: str,
    mark: str,
    name: str,
    kind: str,
    of: str,
    number: int,
) -> None:
    made = message.field.add(name=name, number=number)
    made.label = _Field.LABEL_REPEATED if mark else _Field.LABEL_OPTIONAL
    made.type = _TYPES[kind] if kind else _Field.TYPE_MESSAGE
    if mark == "%":
        entry = message.nested_type.add(name=name.title().replace("_", "") + "Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
        entry.field.add(
            name="value",
            number=2,
            type=_Field.TYPE_MESSAGE,
            type_name=f".tfplugin6.{of}",
            label=_Field.LABEL_OPTIONAL,
        )
        made.type_name = f".tfplugin6.{path}.{entry.name}"
    elif of:
        made.type_name = f".tfplugin6.{of}"


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_described())
METHODS = sorted(set(re.findall(r"^(\w+)\.Request", _MESSAGES, re.M)))


def message(name: str) -> Any:
    """The message's class, such as ``ReadResource.Response``."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"tfplugin6.{name}"))


@contextmanager
def served(methods: Mapping[str, Callable[[Any], Any]]) -> Iterator[str]:
    """Serve a provider on a loopback port while the context lasts; yields its address."""
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            lambda request, _, answer=answer: answer(request),
            request_deserializer=message(f"{name}.Request").FromString,
            response_serializer=lambda response: response.SerializeToString(),
        )
        for name, answer in methods.items()
    }
    server = grpc.server(
        ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", 64 << 20)],
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()
