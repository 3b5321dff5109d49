"""The tables of infra/README.md: ``make infra`` writes them, a test holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.infra.terraform import INFRA, MODULE, Module

README = INFRA / "README.md"


def written(readme: str, module: Module) -> str:
    """``readme`` with its tables made anew, each between the comments that name it."""
    tables = {
        "variables": _variables(module),
        "outputs": _outputs(module),
        "plan": _plan(module),
    }
    for name, rows in tables.items():
        text = "\n".join(rows)
        readme = re.sub(
            rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)",
            lambda match, text=text: match[1] + text + match[2],  # type: ignore[misc]
            readme,
            flags=re.S,
        )
    return readme


def _variables(module: Module) -> Iterator[str]:
    yield "| variable | default | meaning |\n|---|---|---|"
    for name, each in module.variables.items():
        default = f"`{_literal(each['default'])}`" if "default" in each else "required"
        yield f"| `{name}` | {default} | {_cell(each['description'])} |"


def _outputs(module: Module) -> Iterator[str]:
    yield "| output | meaning |\n|---|---|"
    for name, each in module.outputs.items():
        yield f"| `{name}` | {_cell(each['description'])} |"


def _plan(module: Module) -> Iterator[str]:
    yield "| file | resources |\n|---|---|"
    for file in sorted({each.file for each in module.resources}):
        made = [each for each in module.resources if each.file == file and each.mode == "resource"]
        names = ", ".join(
            f"`{each.address.removeprefix('google_')}`{_many(each.body)}" for each in made
        )
        if names:
            yield f"| `{file}` | {names} |"


def _many(body: dict[str, Any]) -> str:
    return " (each)" if "for_each" in body else " (if)" if "count" in body else ""


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(f'"{each}"' for each in value) + "]"
    if isinstance(value, dict):
        return "{}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8"), Module.load(MODULE)), "utf-8")
