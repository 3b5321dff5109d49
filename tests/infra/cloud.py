"""A stand-in for Google Cloud behind Terraform's google and archive providers.

Terraform's core is the real one; this answers it by the provider's own schema
(``google_provider.json``: types, defaults, what forces a replacement) and keeps what was made.
It knows of the cloud what decides over a plan: an API that is off refuses, a name that is taken
is taken, an index gets its ``__name__``, a protected database stays.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgpack

from tests.infra import plugin

Values = dict[str, Any]
Fields = dict[str, Any]
SCHEMA: dict[str, dict[str, Fields]] = json.loads(
    (Path(__file__).parent / "google_provider.json").read_text("utf-8")
)
UNKNOWN = msgpack.ExtType(0, b"\0")
NUMBERS = {"my-shop-123": "123456789012"}
_SCALARS = {"String": "string", "Int": "number", "Float": "number", "Bool": "bool"}
_EMPTY = {"String": "", "Int": 0, "Float": 0, "Bool": False, "List": [], "Set": [], "Map": {}}
# What may be made again where it is: a grant, an API, a setting of a field.
_REPEATABLE = re.compile(r"_iam_member$|project_service|firestore_field")
# No name of theirs has to be unique: the API numbers them.
_NUMBERED = re.compile(
    r"notification|alert_policy|dashboard|ruleset|secret_version|notification_channel"
)
_SERVICES = {
    "artifact_registry": "artifactregistry",
    "cloud_run": "run",
    "cloud_scheduler": "cloudscheduler",
    "cloudfunctions2": "cloudfunctions",
    "firebaserules": "firebaserules",
    "firestore": "firestore",
    "logging": "logging",
    "monitoring": "monitoring",
    "project_iam_custom_role": "iam",
    "project_iam_member": "cloudresourcemanager",
    "pubsub": "pubsub",
    "secret_manager": "secretmanager",
    "service_account": "iam",
    "storage": "storage",
}


@dataclass(frozen=True)
class Done:
    """What was done to a resource: ``create``, ``update`` or ``delete``."""

    verb: str
    type: str
    values: Values


@dataclass
class Cloud:
    """What exists, what was done in which order, what the last plan would have of each kind, and
    what is refused."""

    enabled: set[tuple[str, str]] = field(default_factory=set)
    things: dict[str, tuple[str, Values]] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    archived: dict[str, str] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    planned: dict[str, list[Values]] = field(default_factory=lambda: defaultdict(list))
    refusal: Callable[[str, str, Values], str] = lambda *_: ""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def with_project(cls, *projects: str) -> Cloud:
        """A cloud in which the two APIs are on that switch on the others."""
        first = ("serviceusage", "cloudresourcemanager")
        return cls({(project, f"{each}.googleapis.com") for project in projects for each in first})

    def kept(self) -> str:
        """What exists, as ``held`` takes it."""
        return json.dumps([[*self.enabled], self.things, self.keys, next(self._numbers) + 1])

    @classmethod
    def held(cls, kept: str) -> Cloud:
        """A cloud of its own with what another had kept."""
        enabled, things, keys, number = json.loads(kept)
        return cls(
            {(project, service) for project, service in enabled},
            {name: (kind, values) for name, (kind, values) in things.items()},
            keys=keys,
            _numbers=itertools.count(number),
        )

    def adopt(self, state: Mapping[str, Any]) -> None:
        """Hold what a state of Terraform's says that there is."""
        self._numbers = itertools.count(1_000)  # beyond those in the state
        for resource in state["resources"]:
            for each in resource["instances"] if resource["mode"] == "managed" else ():
                values = _complete(SCHEMA["resource"][resource["type"]], each["attributes"])
                self._keep(resource["type"], values)

    def all(self, kind: str) -> list[Values]:
        return [values for type_, values in self.things.values() if type_ == kind]

    def create(self, kind: str, values: Values) -> Values:
        self._allowed("create", kind, values)
        if kind == "google_secret_manager_secret_version":
            values["version"] = str(next(self._numbers))
        named = self._identity(kind, values)
        values["id"] = named or f"{kind}/{next(self._numbers)}"
        if values["id"] in self.things and not _REPEATABLE.search(kind):
            raise Refused(f"Error 409: {kind} {named} already exists")
        self._keep(kind, values)
        self.done.append(Done("create", kind, values))
        return values

    def update(self, kind: str, values: Values) -> Values:
        self._allowed("update", kind, values)
        self._keep(kind, values)
        self.done.append(Done("update", kind, values))
        return values

    def delete(self, kind: str, values: Values) -> None:
        self._allowed("delete", kind, values)
        if values.get("delete_protection_state") == "DELETE_PROTECTION_ENABLED":
            raise Refused("Error 400: the database is protected from deletion")
        self.things.pop(values["id"], None)
        self.done.append(Done("delete", kind, values))

    def _keep(self, kind: str, values: Values) -> None:
        self.things[values["id"]] = (kind, values)
        if kind == "google_project_service":
            self.enabled.add((values["project"], values["service"]))

    def _allowed(self, verb: str, kind: str, values: Values) -> None:
        if refused := self.refusal(verb, kind, values):
            raise Refused(refused)
        self.needs_service(kind, values.get("project"))

    def needs_service(self, kind: str, project: str | None) -> None:
        """Refuse what belongs to an API that is not switched on."""
        name = kind.removeprefix("google_")
        service = next((s for part, s in _SERVICES.items() if name.startswith(part)), None)
        if project and service and (project, f"{service}.googleapis.com") not in self.enabled:
            raise Refused(f"Error 403: {service}.googleapis.com is not enabled in {project}")

    def _identity(self, kind: str, values: Values) -> str:
        if _NUMBERED.search(kind):
            return ""
        if kind == "google_storage_bucket":
            return f"{kind}/{values['name']}"
        chosen = {
            name: values.get(name)
            for name, each in SCHEMA["resource"][kind].items()
            if each.get("ForceNew") or name in {"name", "project"}
        }
        return f"{kind}/{json.dumps(chosen, sort_keys=True)}"


class Refused(Exception):
    """What the cloud does not do, in its words."""


@dataclass
class Provider:
    """One provider's side of the protocol."""

    cloud: Cloud
    name: str
    project: str = ""

    def methods(self) -> dict[str, Callable[[Any], Any]]:
        return {each: getattr(self, each) for each in plugin.METHODS}

    def GetProviderSchema(self, _: Any) -> Any:
        return _schema(self.name)

    def ConfigureProvider(self, request: Any) -> Any:
        self.project = _read(request.config).get("project") or ""
        return _answer("ConfigureProvider")

    def ValidateProviderConfig(self, _: Any) -> Any:
        return _answer("ValidateProviderConfig")

    def ValidateResourceConfig(self, request: Any) -> Any:
        fields = SCHEMA["resource"][request.type_name]
        faults = list(_faults(fields, _read(request.config), _read(request.config), ""))
        return _answer("ValidateResourceConfig", faults)

    def ValidateDataResourceConfig(self, _: Any) -> Any:
        return _answer("ValidateDataResourceConfig")

    def StopProvider(self, _: Any) -> Any:
        return _answer("StopProvider")

    def UpgradeResourceState(self, request: Any) -> Any:
        kept = SCHEMA["resource"].get(request.type_name) or SCHEMA["data"][request.type_name]
        answer = _answer("UpgradeResourceState")
        _write(answer.upgraded_state, _complete(kept, json.loads(request.raw_state.json)))
        return answer

    def ReadResource(self, request: Any) -> Any:
        answer = _answer("ReadResource")
        kept = self.cloud.things.get(_read(request.current_state)["id"])
        _write(answer.new_state, kept and _stored(request.type_name, kept[1]))
        return answer

    def PlanResourceChange(self, request: Any) -> Any:
        answer = _answer("PlanResourceChange")
        answer.legacy_type_system = True
        config, prior = _read(request.config), _read(request.prior_state)
        if config is None:
            _write(answer.planned_state, None)
            return answer
        fields = SCHEMA["resource"][request.type_name]
        planned = _planned(fields, config, prior)
        if prior is None and planned.get("project") == UNKNOWN and self.project:
            planned["project"] = self.project
        for name in _replacing(fields, planned, prior) if prior else ():
            answer.requires_replace.add().steps.add().attribute_name = name
        self.cloud.planned[request.type_name].append(planned)
        _write(answer.planned_state, planned)
        return answer

    def ApplyResourceChange(self, request: Any) -> Any:
        answer = _answer("ApplyResourceChange")
        answer.legacy_type_system = True
        kind, prior = request.type_name, _read(request.prior_state)
        planned = _read(request.planned_state)
        try:
            if planned is None:
                self.cloud.delete(kind, prior)
            else:
                self.cloud.keys += [k for k in [_read(request.config).get("secret_data_wo")] if k]
                made = _computed(SCHEMA["resource"][kind], planned, kind)
                planned = (self.cloud.update if prior else self.cloud.create)(kind, made)
        except Refused as refused:
            planned = prior
            _complain(answer, str(refused))
        _write(answer.new_state, planned and _stored(kind, planned))
        return answer

    def ReadDataSource(self, request: Any) -> Any:
        answer = _answer("ReadDataSource")
        config = _read(request.config)
        try:
            _write(answer.state, self._looked_up(request.type_name, config))
        except Refused as refused:
            _complain(answer, str(refused))
        return answer

    def _looked_up(self, kind: str, config: Values) -> Values:
        if kind == "archive_file":
            files = {each["filename"]: each["content"] for each in config["source"]}
            self.cloud.archived = files
            digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
            return {**config, "id": digest, "output_sha256": digest}
        project = config.get("project") or config.get("project_id") or self.project
        api = "storage" if "storage" in kind else "project_iam_member"
        self.cloud.needs_service(api, project)
        number = NUMBERS.get(project) or str(
            int(hashlib.sha256(project.encode()).hexdigest()[:9], 16)
        )
        email = f"service-{number}@gs-project-accounts.iam.gserviceaccount.com"
        told = {"number": number, "project": project, "project_id": project, "id": project}
        told |= {"email_address": email, "member": f"serviceAccount:{email}"}
        return {**config, **{name: told[name] for name in SCHEMA["data"][kind] if name in told}}


@contextmanager
def attached(cloud: Cloud) -> Iterator[str]:
    """Serve both providers; yields the value of TF_REATTACH_PROVIDERS."""
    with ExitStack() as stack:
        addresses = {
            name: stack.enter_context(plugin.served(Provider(cloud, name).methods()))
            for name in ("google", "archive")
        }
        yield json.dumps(
            {
                f"registry.terraform.io/hashicorp/{name}": {
                    "Protocol": "grpc",
                    "ProtocolVersion": 6,
                    "Pid": os.getpid(),
                    "Test": True,
                    "Addr": {"Network": "tcp", "String": address},
                }
                for name, address in addresses.items()
            }
        )


@lru_cache
def _schema(provider: str) -> Any:
    answer = _answer("GetProviderSchema")
    answer.server_capabilities.plan_destroy = False
    names = ["user_project_override", "project", "region", "billing_project", "default_labels"]
    kinds: Fields = {"user_project_override": "Bool", "default_labels": "Map"}
    if provider == "google":
        made = {name: {"type": kinds.get(name, "String"), "Optional": True} for name in names}
        _describe(answer.provider.block, made)
    else:
        answer.provider.block.SetInParent()
    for mode, schemas in (
        ("resource", answer.resource_schemas),
        ("data", answer.data_source_schemas),
    ):
        for name, fields in SCHEMA[mode].items():
            if name.startswith(provider):
                _describe(schemas[name].block, fields)
    return answer


def _describe(block: Any, fields: Fields) -> None:
    for name, each in fields.items():
        if _is_block(each):
            nested = block.block_types.add(type_name=name, max_items=each.get("MaxItems", 0))
            nested.nesting = 3 if each["type"] == "Set" else 2
            nested.min_items = 1 if each.get("Required") else 0
            _describe(nested.block, each["block"])
            nested.block.SetInParent()
        else:
            flags = {
                ours: bool(each.get(theirs))
                for ours, theirs in (
                    ("required", "Required"), ("optional", "Optional"), ("computed", "Computed"),
                    ("sensitive", "Sensitive"), ("write_only", "WriteOnly"),
                )
            }  # fmt: skip
            block.attributes.add(name=name, type=json.dumps(_type(each)).encode(), **flags)


def _is_block(described: Fields) -> bool:
    # The provider's library takes a block that may be computed for an attribute.
    return "block" in described and not described.get("Computed")


def _type(described: Fields) -> Any:
    kind = described["type"]
    if kind in _SCALARS:
        return _SCALARS[kind]
    if "block" in described:
        inner: Any = ["object", {name: _type(each) for name, each in described["block"].items()}]
    else:
        inner = _SCALARS[described.get("elem", "String")]
    return [kind.lower(), inner]


def _planned(fields: Fields, config: Values, prior: Values | None) -> Values:
    """What will be: what is configured, else the default, else what the cloud said before."""
    planned: Values = {}
    for name, each in fields.items():
        given, before = config.get(name), (prior or {}).get(name)
        if _is_block(each):
            befores = itertools.chain(before or [], itertools.repeat(None))
            planned[name] = [
                _planned(each["block"], one, old)
                for one, old in zip(given or [], befores, strict=False)
            ]
        elif each.get("WriteOnly"):
            planned[name] = None
        elif given is not None:
            planned[name] = given
        elif "Default" in each:
            planned[name] = each["Default"]
        elif each.get("Computed"):
            planned[name] = before if prior is not None else UNKNOWN
        else:
            planned[name] = None
    return planned


def _replacing(fields: Fields, planned: Values, prior: Values) -> Iterator[str]:
    for name, each in fields.items():
        new, old = planned.get(name), prior.get(name)
        if _same(new, old):
            continue
        if each.get("ForceNew") or (_is_block(each) and _forces(each["block"], new, old)):
            yield name


def _forces(fields: Fields, new: list[Values], old: list[Values]) -> bool:
    pairs = itertools.zip_longest(new or [], old or [], fillvalue={})
    return any(True for one, other in pairs for _ in _replacing(fields, one, other))


def _same(one: Any, other: Any) -> bool:
    blank = (None, "", [], {}, 0, False)
    return _sorted(one) == _sorted(other) or (one in blank and other in blank)


def _sorted(value: Any) -> Any:
    return (
        sorted(map(str, value))
        if isinstance(value, list) and value and not isinstance(value[0], dict)
        else value
    )


def _computed(fields: Fields, planned: Values, kind: str) -> Values:
    """``planned`` with what the cloud makes of it in the place of what was not known."""
    made: Values = {}
    for name, each in fields.items():
        value = planned.get(name)
        if _is_block(each):
            made[name] = [_computed(each["block"], one, kind) for one in value or []]
        elif value == UNKNOWN:
            made[name] = _EMPTY[each["type"]]
        else:
            made[name] = value
    _NAMING.get(kind, lambda _: None)(made)
    return made


def _named(pattern: str, **others: str) -> Callable[[Values], None]:
    def fill(values: Values) -> None:
        if "name" in values and not values["name"]:
            values["name"] = pattern.format(**values)
        for name, each in others.items():
            if name in values:
                values[name] = each.format(**values)

    return fill


def _serve(values: Values) -> None:
    for each in values.get("service_config") or ():
        each["uri"] = f"https://{values['name']}-{values['project']}.a.run.app"


def _index(values: Values) -> None:
    """An index as the API returns it: ``__name__`` stands before a vector."""
    fields = values.get("fields") or []
    if fields and fields[-1]["vector_config"] and "__name__" not in str(fields):
        named = {**dict.fromkeys(fields[0]), "field_path": "__name__", "order": "ASCENDING"}
        values["fields"] = [*fields[:-1], {**named, "vector_config": []}, fields[-1]]


_ACCOUNT = "{account_id}@{project}.iam.gserviceaccount.com"
_NAMING: dict[str, Callable[[Values], None]] = {
    "google_cloudfunctions2_function": _serve,
    "google_firestore_index": _index,
    "google_project_iam_custom_role": _named("projects/{project}/roles/{role_id}"),
    "google_secret_manager_secret": _named("projects/{project}/secrets/{secret_id}"),
    "google_service_account": _named(
        f"projects/{{project}}/serviceAccounts/{_ACCOUNT}",
        email=_ACCOUNT,
        member=f"serviceAccount:{_ACCOUNT}",
    ),
}


def _stored(kind: str, values: Values) -> Values:
    return {name: values.get(name) for name in SCHEMA["resource"][kind]}


def _complete(fields: Fields, kept: Values) -> Values:
    """A state of any release, by this schema: what it lacks is empty."""
    whole: Values = {}
    for name, each in fields.items():
        value = kept.get(name)
        if "block" in each:
            whole[name] = [_complete(each["block"], one) for one in value or []]
        else:
            text = each["type"] == "String" and isinstance(value, int | float)
            whole[name] = str(value) if text else value
    return whole


def _faults(fields: Fields, config: Values, whole: Values, path: str) -> Iterator[str]:
    """What the provider's own checks say: values of a list, arguments that go together."""
    for name, each in fields.items():
        value = config.get(name)
        if value in (None, [], UNKNOWN):
            needed = each.get("ExactlyOneOf") if not path else None
            if needed and not any(whole.get(one) not in (None, []) for one in {name, *needed}):
                yield f"{name}: one of {sorted({name, *needed})} must be set"
            continue
        allowed = re.findall(r'"([^"]*)"', each.get("Validate", ""))
        if "ValidateEnum" in each.get("Validate", "") and value not in allowed:
            yield f"{path}{name}: {value} is none of {allowed}"
        if len(value) > each["MaxItems"] if "MaxItems" in each else False:
            yield f"{path}{name}: at most {each['MaxItems']}"
        if _is_block(each):
            for one in value:
                yield from _faults(each["block"], one, whole, f"{path}{name}.")


def _read(value: Any) -> Any:
    return msgpack.unpackb(value.msgpack, ext_hook=lambda *_: UNKNOWN, strict_map_key=False)


def _write(value: Any, content: Any) -> None:
    value.msgpack = msgpack.packb(content)


def _answer(method: str, faults: list[str] | None = None) -> Any:
    answer = plugin.message(f"{method}.Response")()
    for each in faults or ():
        _complain(answer, each)
    return answer


def _complain(answer: Any, fault: str) -> None:
    answer.diagnostics.add(severity=1, summary=fault)
