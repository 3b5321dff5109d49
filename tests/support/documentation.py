"""The pages that people read, as the tests read them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    path: path.read_text("utf-8")
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "infra" / "README.md"])
}
ALL = "\n".join(PAGES.values())


def page(name: str) -> str:
    """The text of ``docs/{name}.md``."""
    return PAGES[ROOT / "docs" / f"{name}.md"]
