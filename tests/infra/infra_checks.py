"""What can be said of Terraform files without a cloud: faults against schemas and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tests.infra.terraform import META, Module, Resource, is_block, references

_MARK = "__is_block__"
_ALWAYS = {"each", "count", "path", "self", "terraform"}
_BOUND = re.compile(r"\bfor\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b")


def schema_faults(module: Module, schema: dict[str, Any]) -> list[str]:
    """Unknown and missing arguments, and blocks and arguments taken for each other."""
    faults = []
    for each in module.resources:
        described = schema[each.mode].get(each.type)
        if described is None:
            faults.append(f"{each.address}: no provider has {each.type}; run make infra-schema")
        else:
            faults += _faults(each.body, described, each.address, META)
    for name, body in module.providers.items():
        faults += _faults(body, schema["provider"][name], f"provider.{name}", {"alias"})
    return faults


def _faults(
    body: dict[str, Any], described: dict[str, Any], path: str, more: set[str]
) -> Iterator[str]:
    given = {key: value for key, value in body.items() if key not in {_MARK, "dynamic"} | more}
    for dynamic in body.get("dynamic", ()):
        for name, filled in dynamic.items():
            if name != _MARK:
                given[name] = filled["content"]
    for name, value in given.items():
        here = f"{path}.{name}"
        block = described["blocks"].get(name)
        if is_block(value) and block:
            if len(value) > 1 and not block["many"]:
                yield f"{here}: at most one"
            for each in value:
                yield from _faults(each, block, here, set())
        elif block:
            yield f"{here}: is a block, without ="
        elif name not in described["arguments"]:
            yield f"{here}: is not known"
        elif is_block(value):
            yield f"{here}: is an argument, with ="
        elif wrong := _wrong(described["arguments"][name], value):
            yield f"{here}: {wrong}"
    for name in described["required"]:
        if name not in given:
            yield f"{path}: lacks {name}"


def _wrong(kind: str, value: Any) -> str:
    """What is wrong with a literal; expressions are known at a plan only."""
    if isinstance(value, str) and "${" in value:
        return ""
    fits = {
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "list": isinstance(value, list),
        "map": isinstance(value, dict),
        "string": isinstance(value, str),
    }
    return "" if fits.get(kind, True) else f"is no {kind}: {value!r}"


def name_faults(module: Module, schema: dict[str, Any]) -> list[str]:
    """References to what is not there, and variables and locals that nothing refers to."""
    known = {each.address: each for each in module.resources}
    faults, used = [], set()
    for place, value in _places(module):
        bound = _ALWAYS | _bound(value)
        for found in references(value):
            used.add(found[:2])
            fault = _unresolved(found, module, known, schema, bound)
            if fault:
                faults.append(f"{place}: {fault}")
    for kind, names in (("var", module.variables), ("local", module.locals)):
        faults += [f"{kind}.{each}: is not used" for each in names if (kind, each) not in used]
    return faults


def cycle(module: Module) -> list[str]:
    """Names that depend on each other in a ring, which no plan can order; none if there is none."""
    graph = {}
    for place, value in _places(module):
        found = {
            ".".join(each[:3] if each[0] == "data" else each[:2]) for each in references(value)
        }
        graph[place] = found - {place}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(each) for each in error.args[1]]
    return []


def _places(module: Module) -> Iterator[tuple[str, Any]]:
    yield from ((each.address, each.body) for each in module.resources)
    for kind, named in (
        ("var", module.variables),
        ("output", module.outputs),
        ("local", module.locals),
        ("provider", module.providers),
    ):
        yield from ((f"{kind}.{name}", value) for name, value in named.items())


def _unresolved(
    found: tuple[str, ...],
    module: Module,
    known: dict[str, Resource],
    schema: dict[str, Any],
    bound: set[str],
) -> str:
    root, *rest = found
    if root in bound:
        return ""
    if root in {"var", "local"}:
        names = module.variables if root == "var" else module.locals
        return "" if rest[0] in names else f"no {root}.{rest[0]}"
    mode, parts = ("data", rest) if root == "data" else ("resource", list(found))
    address = ".".join((["data"] if mode == "data" else []) + parts[:2])
    if address not in known:
        return f"no {address}"
    described = schema[mode].get(parts[0], {})
    if len(parts) > 2 and parts[2] not in described.get("attributes", ()):
        return f"{address} has no {parts[2]}"
    return ""


def _bound(value: Any) -> set[str]:
    """Names that ``for`` and dynamic blocks make."""
    text = str(value)
    names = {name for pair in _BOUND.findall(text) for name in pair if name}
    return names | set(re.findall(r"'dynamic': \[\{'(\w+)'", text))
