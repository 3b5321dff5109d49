"""The files of a site's folder: which are read, and how one is replaced."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PAGES = (".html", ".htm")
MARKDOWN = (".md", ".mdx", ".markdown")
# HTML with code between the signs that `template_code` knows, and with code in braces.
TEMPLATES = (".liquid", ".njk", ".php", ".vue", ".xhtml")
BRACES = (".astro", ".svelte")
# Code with HTML in it: where an image stands in it, only its own parser knows.
CODE = (".cshtml", ".ejs", ".erb", ".hbs", ".jsp", ".jsx", ".tsx", ".twig")
SOURCES = (*MARKDOWN, *TEMPLATES, *BRACES, *CODE)


def pages(folder: Path, suffixes: tuple[str, ...] = PAGES) -> Iterator[str]:
    """The files in ``folder`` with one of ``suffixes``, as paths in it, in order; what is hidden
    and what is a link is left out."""
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            path = Path(where, name)
            if name.lower().endswith(suffixes) and name[0] != "." and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


def replace(path: Path, before: bytes, after: bytes) -> str:
    """Put new bytes in a file's place, at once or not at all; why not, if not."""
    temporary = ""
    try:
        if path.read_bytes() != before:
            return "has changed meanwhile; run the command again"
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:60]}.", dir=path.parent)
        with open(handle, "wb") as file:
            file.write(after)
        shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        return f"cannot be written: {error.strerror}"
    return ""
