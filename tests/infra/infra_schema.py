"""The providers' schemas, cut down to what infra/ uses: ``make infra-schema``.

They are taken from the prebuilt provider bindings on the package index, which carry every
resource's arguments, nested blocks and attributes, and for each the address of its documentation
with the provider's version in it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from tests.infra.terraform import INFRA, Module

SCHEMA = Path(__file__).parent / "infra_schema.json"
BINDINGS = ("cdktf-cdktf-provider-google==16.12.1", "cdktf-cdktf-provider-archive==11.0.1")
_DOCS = re.compile(
    r"providers/(?P<provider>hashicorp/[a-z]+)/(?P<version>[\d.]+)/docs"
    r"(?:/(?P<kind>resources|data-sources)/(?P<name>\w+))?(?:#(?P<argument>\w+))?"
)
_KINDS = {"resources": "resource", "data-sources": "data"}


def main() -> None:
    """Download the bindings, and write what infra/ uses to infra_schema.json."""
    module = Module.load(INFRA)
    used = {(each.mode, each.type) for each in module.resources}
    found: dict[str, Any] = {"resource": {}, "data": {}, "provider": {}, "versions": {}}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
        subprocess.run([*command, folder, *BINDINGS], check=True)
        for wheel in sorted(Path(folder).glob("*.whl")):
            _collect(_types(wheel), used, found)
    missing = used - {(kind, name) for kind in ("resource", "data") for name in found[kind]}
    if missing:
        raise SystemExit(f"no binding has {sorted(missing)}: misspelt, or of another provider")
    SCHEMA.write_text(_lines(found), "utf-8")
    print(f"{SCHEMA.name}: {len(used)} resources of {found['versions']}")


def _lines(found: dict[str, Any]) -> str:
    """JSON with a line a resource."""
    groups = []
    for group, members in sorted(found.items()):
        rows = (f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(members.items()))
        groups.append(
            f" {json.dumps(group)}: {{\n{','.join(chr(10) + row for row in rows)[1:]}\n }}"
        )
    return "{\n" + ",\n".join(groups) + "\n}\n"


def _types(wheel: Path) -> dict[str, Any]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith(".jsii.tgz"))
        with archive.open(name) as packed, tarfile.open(fileobj=packed, mode="r|gz") as inner:
            for member in inner:
                if member.name == "package/.jsii":
                    content = inner.extractfile(member)
                    assert content
                    types: dict[str, Any] = json.load(content)["types"]
                    return types
    raise SystemExit(f"{wheel.name} has no description of its types")


def _collect(types: dict[str, Any], used: set[tuple[str, str]], found: dict[str, Any]) -> None:
    for name, described in types.items():
        if described["kind"] != "interface" or not name.endswith("Config"):
            continue
        about = next((_DOCS.search(_docs(each)) for each in described.get("properties", ())), None)
        if not about:
            continue
        if name.endswith(".provider." + name.rpartition(".")[2]):
            block = _block(types, described)
            ours = {k: v for k, v in block["arguments"].items() if "custom_endpoint" not in k}
            found["provider"][about["provider"].partition("/")[2]] = {**block, "arguments": ours}
        elif "cdktf.TerraformMetaArguments" in described.get("interfaces", ()):
            kind = _KINDS.get(about["kind"] or "", "")
            type_ = f"{about['provider'].partition('/')[2]}_{about['name']}"
            if (kind, type_) in used:
                found["versions"][about["provider"]] = about["version"]
                found[kind][type_] = _resource(types, name, described)


def _resource(types: dict[str, Any], name: str, described: dict[str, Any]) -> dict[str, Any]:
    made = types[name.removesuffix("Config")]
    return {**_block(types, described), "attributes": _attributes(types, made)}


def _block(types: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    """Arguments and nested blocks; ``required`` lists those without which it is invalid."""
    arguments, blocks, required = {}, {}, []
    for each in described.get("properties", ()):
        name = _argument(each)
        inner, many = _struct(types, each["type"])
        if inner:
            blocks[name] = {**_block(types, inner), "many": many}
        else:
            arguments[name] = _kind(each["type"])
        if not each.get("optional"):
            required.append(name)
    return {"arguments": arguments, "blocks": blocks, "required": sorted(required)}


def _attributes(types: dict[str, Any], made: dict[str, Any]) -> list[str]:
    """What can be referred to: all that is set, and all that the provider computes."""
    names = {each["name"] for each in made["properties"] if not each.get("static")}
    return sorted(_snake(name) for name in names if not name.endswith("Input"))


def _argument(described: dict[str, Any]) -> str:
    about = _DOCS.search(_docs(described))
    return (about and about["argument"]) or _snake(described["name"])


def _docs(described: dict[str, Any]) -> str:
    docs = described.get("docs", {})
    return f"{docs.get('summary', '')} {docs.get('remarks', '')}"


def _struct(types: dict[str, Any], kind: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    """The interface behind a type, and whether there may be many; None for a plain value."""
    if "union" in kind:
        for each in kind["union"]["types"]:
            inner, many = _struct(types, each)
            if inner:
                return inner, many
    if kind.get("collection", {}).get("kind") == "array":
        return _struct(types, kind["collection"]["elementtype"])[0], True
    described = types.get(kind.get("fqn", ""))
    return (described, False) if described and described["kind"] == "interface" else (None, False)


def _kind(kind: dict[str, Any]) -> str:
    if "union" in kind:
        return _kind(kind["union"]["types"][0])
    if "collection" in kind:
        return "list" if kind["collection"]["kind"] == "array" else "map"
    return str(kind.get("primitive", "any"))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


if __name__ == "__main__":
    main()
