"""The review page in pictures: ``make film`` takes them for docs/review-in-pictures.md.

The function runs here on a folder of 3,000 images, which are the drawn samples in other colours; a
stand-in for the model answers the one question that is asked.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page

from functions.adapters.folder import BUCKET, FolderImages, database
from functions.cli.sample_pictures import SAMPLES, draw_into
from functions.core.document import Document, Proposal, Review, Source, Status
from functions.core.review_priority import prioritised
from functions.core.transitions import ended
from tests.support.answers import gemini
from tests.support.chromium import chromium
from tests.support.model_server import ModelServer
from tools.bench.bench_review import fetched, seed_folder, served
from tools.screenshots import written

ROOT = Path(__file__).parent.parent
FILM = ROOT / "docs" / "images" / "review"
COUNT, DECIDED = 3000, 24
_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_HUES = tuple(range(0, 256, 32))
_REASONS = (
    *("low_similarity", "over_length", "person_guess", "hint_obeyed", "doubtful"),
    *("file_mentioned", "wrong_language", "similarity_unknown", "decorative_doubt"),
)
_OTHERS = {
    "landscape.jpg": {
        "de": "Grüne Hügel unter einer tiefen gelben Sonne",
        "ar": "تلال خضراء تحت شمس صفراء منخفضة",
        "ja": "低い黄色の太陽の下の緑の丘",
    }
}


def pictures(folder: Path) -> list[tuple[str, str]]:
    """Put 3,000 images into ``folder``: the name of each, and the sample that it shows."""
    kept = folder / "samples"
    draw_into(kept)
    samples = [each.name for each in SAMPLES if each.name in written()]
    variants: dict[tuple[str, int], Path] = {}
    made = []
    for name in samples:
        with Image.open(kept / name) as image:
            for hue in _HUES:
                path = kept / f"{hue}-{name.replace('/', '-')}"
                _turned(image, hue).save(path)
                variants[name, hue] = path
    for number in range(COUNT):
        sample = samples[number % len(samples)]
        name = f"{sample.rpartition('.')[0].replace(' ', '-')}/{number:04}{Path(sample).suffix}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(variants[sample, _HUES[number // len(samples) % len(_HUES)]], folder / name)
        made.append((name, sample))
    shutil.rmtree(kept)
    return made


def _turned(image: Image.Image, hue: int) -> Image.Image:
    """``image``, upright and on white, with its colours turned around the wheel."""
    clear = ImageOps.exif_transpose(image).convert("RGBA")
    opaque = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    first, *rest = opaque.convert("RGB").convert("HSV").split()
    turned = first.point([(value + hue) % 256 for value in range(256)])
    return Image.merge("HSV", (turned, *rest)).convert("RGB")


def documents(folder: Path) -> Iterator[Document]:
    """What a shop's images have after a night of captioning; nearly all are to be reviewed."""
    chance, images, texts = random.Random(3), FolderImages(folder), written()
    for number, (name, sample) in enumerate(pictures(folder)):
        upload = images.look_up(BUCKET, name)
        assert upload
        row, at = texts[sample], _NOW - timedelta(minutes=number)
        alt, caption = ((row.get(each) or [""])[0] for each in ("alt", "caption"))
        document = Document(
            bucket=BUCKET,
            name=name,
            generation=upload.generation,
            status=Status.CAPTIONED,
            created_at=at,
            updated_at=at,
            content_type=upload.content_type,
            size=upload.size,
            width=1200,
            height=800,
            md5=upload.md5,
            source=Source.MODEL,
            language="en",
            alt_text=alt,
            caption=caption or alt,
            decorative=not alt,
            tags=tuple(name.split("/")[0].split("-")),
            translations={
                tag: {"alt_text": text, "caption": text, "source": "model"}
                for tag, text in _OTHERS.get(sample, {}).items()
            },
            model="gemini:gemini-3.5-flash-lite",
            model_version="gemini-3.5-flash-lite",
            metadata_synced=True,
        )
        if number >= DECIDED:
            review = Review(True, (chance.choice(_REASONS),))
            document = replace(document, review=review, similarity=chance.uniform(0.1, 0.6))
        else:
            review = Review(approved_by="ada@example.com", approved_at=at)
            document = replace(document, review=review)
        yield prioritised(ended(document, document.status, at, captioned_at=at))


def of_another_picture(document: Document) -> Document:
    """``document`` as an overwritten image with a person's text has it."""
    alt_text = document.alt_text.replace("Green", "Rolling green").replace("low yellow", "red")
    proposal = Proposal(alt_text=alt_text, caption=document.caption, language="en")
    review = Review(True, ("image_changed",))
    changed = replace(document, source=Source.HUMAN, proposal=proposal, review=review)
    return prioritised(changed)


def main() -> int:
    """Take the pictures and write them to docs/images/review/."""
    FILM.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, ModelServer() as model:
        folder = Path(made)
        path = database(folder)
        path.parent.mkdir(exist_ok=True)
        every = list(documents(folder))
        first = next(n for n, each in enumerate(every) if n >= DECIDED and each.translations)
        every[first] = of_another_picture(every[first])
        seed_folder(every, path)
        environment = {
            "CAPTION_LOCAL": made,
            "GEMINI_API_KEY": "k",
            "GOOGLE_GEMINI_BASE_URL": model.url,
            "CAPTION_EMBEDDING_MODEL": "",
        }
        with served(environment) as url, chromium() as browser:
            Film(browser, url, model).take()
    return 0


class Film:
    """Takes one picture after the other."""

    def __init__(self, browser: Browser, url: str, model: ModelServer) -> None:
        self._browser, self._url, self._model = browser, url, model

    def take(self) -> None:
        """Take all of them."""
        for scheme in ("light", "dark"):
            self._one(f"list-{scheme}", "?show=review", _nothing, scheme=scheme)
            self._one(f"phone-{scheme}", "?show=review", _nothing, 390, 844, scheme)
        _beside("phone", "phone-light", "phone-dark")
        self._one("one-by-one", "?show=review", _one_by_one)
        self._one("language", "?show=review", _language)
        self._one("many", "?show=review", _many)
        self._one("grid", "?show=review&view=grid", _nothing)
        self._one("conflict", "?show=captioned", self._conflict)
        self._one("import", "", self._import)
        self._one("ask", "?show=review", self._ask)

    def _one(
        self,
        name: str,
        query: str,
        act: Callable[[Page], None],
        width: int = 1280,
        height: int = 800,
        scheme: Any = "light",
    ) -> None:
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            locale="en-GB",
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(self._url + query)
        page.wait_for_selector("#captions img")
        page.wait_for_load_state("networkidle")
        act(page)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(200)
        _keep(name, page.screenshot())
        context.close()

    def _conflict(self, page: Page) -> None:
        row = page.locator("#captions > li").nth(1)
        row.get_by_role("button", name="Edit").click()
        page.get_by_label("Alt text").fill("Blue street sign, Lindenallee 12 to 48")
        key = (row.get_attribute("id") or "").removeprefix("caption-")
        self._edit(key, "Street sign: Lindenallee, house numbers 12 to 48")
        row.get_by_role("button", name="Save").click()
        page.wait_for_selector("#conflict[open]")

    def _edit(self, key: str, alt_text: str) -> None:
        headers = {"Content-Type": "application/json", "If-Match": "*"}
        body = json.dumps({"alt_text": alt_text}).encode()
        address = f"{self._url}captions/{key}"
        asked = urllib.request.Request(address, body, headers, method="PATCH")  # noqa: S310
        urllib.request.urlopen(asked).close()  # noqa: S310

    def _import(self, page: Page) -> None:
        with urllib.request.urlopen(f"{self._url}export.csv?q=lighthouse") as answer:  # noqa: S310
            lines = answer.read().decode("utf-8-sig").splitlines(keepends=True)[:7]
        text = "".join(lines).replace("Red and white striped", "Striped")
        (first,) = fetched(f"{self._url}captions?q=lighthouse&limit=1")["captions"]
        self._edit(first["id"], "A lighthouse")
        page.locator(".menu summary").click()
        page.get_by_role("button", name="Import texts").click()
        file: Any = {"name": "texts.csv", "mimeType": "text/csv", "buffer": text.encode()}
        page.locator("#import-file").set_input_files([file])
        page.wait_for_selector("#import-do:not([hidden])")

    def _ask(self, page: Page) -> None:
        said = "The sign reads “Lindenallee”, with the house numbers 12 to 48 below."
        reply = {"visible_text": said, "answerable": True, "answer": said, "language": "en"}
        self._model.answer(gemini.text(json.dumps(reply)))
        page.get_by_label("Search", exact=True).fill("Lindenallee")
        page.wait_for_function(
            "() => document.querySelector('#captions .alt').textContent.includes('Linden')"
        )
        row = page.locator("#captions > li").first
        row.get_by_role("button", name="Edit").click()
        row.locator(".ask summary").click()
        row.get_by_label("Question").fill("What does the sign say?")
        row.get_by_label("Question").press("Enter")
        row.locator(".answer").wait_for()
        page.locator(".editor").evaluate("(form) => form.scrollIntoView({ block: 'end' })")


def _nothing(page: Page) -> None:
    pass


def _one_by_one(page: Page) -> None:
    page.locator("#start").click()
    page.wait_for_selector("#one .stage img")


def _language(page: Page) -> None:
    _one_by_one(page)
    page.get_by_role("tab", name="Arabic").click()


def _many(page: Page) -> None:
    page.locator("#page-selected").check()
    page.locator(".all-matching").click()
    page.wait_for_function("() => document.querySelector('.all-matching').hidden")
    page.locator("#selection [data-act=approve]").click()
    page.wait_for_selector("#ask[open]")


def _keep(name: str, png: bytes) -> None:
    path = FILM / f"{name}.webp"
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(path, quality=72, method=6)
    print(path.relative_to(ROOT), f"{path.stat().st_size // 1024} KiB")


def _beside(name: str, *parts: str) -> None:
    """One picture of several, which go."""
    paths = [FILM / f"{part}.webp" for part in parts]
    images = [Image.open(path).convert("RGB") for path in paths]
    gap = 24
    width = sum(each.width for each in images) + gap * (len(images) - 1)
    sheet = Image.new("RGB", (width, max(each.height for each in images)), "white")
    left = 0
    for each in images:
        sheet.paste(each, (left, 0))
        left += each.width + gap
    sheet.save(FILM / f"{name}.webp", quality=72, method=6)
    for path in paths:
        path.unlink()


if __name__ == "__main__":
    sys.exit(main())
