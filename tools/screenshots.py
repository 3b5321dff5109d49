"""The pictures in README: ``make screenshots`` takes them of the real pages.

The sample pictures go through `captions serve` and `captions demo`; a stand-in for Gemini answers
with what people wrote of them (functions/cli/samples.jsonl).
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from playwright.sync_api import Browser

from functions.cli.sample_pictures import SAMPLES, draw_into
from tests.support.answers import Answer, gemini
from tests.support.chromium import chromium
from tests.support.command_line import captions, serving
from tests.support.model_server import Call, ModelServer

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
_WIDTH, _HEIGHT = 1280, 760
# The sample that carries its alt text in the file is not among those.
_CARRIED = {
    "described.jpg": {
        "alt": ["A cup of black coffee beside a red apple on a wooden table."],
        "caption": ["A white cup of black coffee and a small red apple on a brown wooden table."],
    }
}
_WRITTEN = ROOT / "functions" / "cli" / "samples.jsonl"


def main() -> int:
    """Take both pictures and write them to docs/images/."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made, ModelServer() as server, chromium() as browser:
        folder = Path(made, "pictures")
        folder.mkdir()
        server.always(_described(folder))
        key = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": server.url}
        captions("demo", "--folder", folder, where=folder, **key)
        sheet = (folder / ".captions" / "contact-sheet.html").as_uri()
        _take(browser, sheet, "contact-sheet")
        with serving(folder, **key) as serve:
            _take(browser, f"{serve.url()}?show=captioned", "review", ready="#captions img")
    return 0


def written() -> dict[str, Any]:
    """What people wrote of the samples, by their names."""
    rows = map(json.loads, _WRITTEN.read_text("utf-8").splitlines())
    return {row["path"]: row for row in rows}


def _described(folder: Path) -> Any:
    """What people wrote of the sample that a picture is most like."""
    draw_into(folder)
    known = written() | _CARRIED
    looks = {name: _look((folder / name).read_bytes()) for name in known}
    assert looks.keys() <= {each.name for each in SAMPLES}

    def answer(call: Call) -> Answer:
        look = _look(call.images[0])
        name = min(looks, key=lambda each: sum(abs(a - b) for a, b in zip(looks[each], look)))  # noqa: B905
        alt, caption = (next(iter(known[name].get(each) or [""])) for each in ("alt", "caption"))
        return gemini.good(
            alt_text=alt, caption=caption or alt, decorative=not alt, visible_text=""
        )

    return answer


def _look(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        clear = ImageOps.exif_transpose(image).convert("RGBA")
        opaque = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
        return opaque.convert("RGB").resize((8, 8)).tobytes()


def _take(browser: Browser, address: str, name: str, ready: str = "img") -> None:
    page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, locale="en-GB")
    page.goto(address)
    page.wait_for_selector(ready)
    page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as image:
        image.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(path, optimize=True)
    page.close()
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
