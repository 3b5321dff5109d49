"""Prints how long the review page waits among 100,000 captions, and what it reads for that.

``python -m tools.bench.bench_review [--folder] [--documents N] [--pages N]``: on Google's Firestore
emulator, or on a folder's database. Requests are one after the other, over HTTP; reads are
documents that the store was asked for. The browser is Chromium without a window; the pictures are
a stand-in, the same for all.
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

from rich.console import Console
from rich.table import Table

from functions.adapters import firestore, sqlite
from functions.adapters.paging import Position
from functions.core.document import Document, Review, Source, Status, Stored
from functions.core.review_priority import SEVERITY, prioritised
from functions.core.transitions import ended
from functions.http.review import UPLOADS
from tests.support import emulators

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
TIMES = 15
_COLOURS = ("red", "blue", "green", "white", "black", "yellow")
_THINGS = ("mug", "kettle", "bowl", "chair", "lamp", "bicycle", "door", "boat", "cat", "tree")
_PLACES = ("table", "street", "beach", "kitchen", "garden", "market")
_PICTURE = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")


def drawn(count: int) -> Iterator[Document]:
    """Captions as a shop has them; three in a hundred are to be reviewed."""
    chance = random.Random(21)
    reasons = sorted(SEVERITY)
    for number in range(count):
        words = [chance.choice(some) for some in (_COLOURS, _THINGS, _PLACES)]
        rare = f"article {number % 5000:04}"
        text = f"A {words[0]} {words[1]} in the {words[2]}, {rare}"
        at = NOW - timedelta(minutes=count - number)
        document = Document(
            bucket="bench",
            name=f"shop/{words[1]}/{number:06}.jpg",
            generation=1,
            status=Status.CAPTIONED,
            created_at=at,
            updated_at=at,
            content_type="image/jpeg",
            size=2_500_000,
            width=4000,
            height=3000,
            md5=f"{number:022}==",
            source=Source.MODEL,
            language="en",
            caption=f"{text}, with daylight from the left and nothing else in view.",
            alt_text=text,
            tags=(*words, "shop"),
            model="gemini:gemini-3.5-flash-lite",
            model_version="gemini-3.5-flash-lite",
            prompt="1",
            metadata_synced=True,
        )
        if number % 100 < 3:
            review = Review(True, (chance.choice(reasons),))
            document = replace(document, review=review, similarity=chance.uniform(0.05, 0.6))
        yield prioritised(replace(ended(document, document.status, at, captioned_at=at)))


def seed_firestore(count: int) -> None:
    from google.cloud.firestore import Client

    client, documents = Client(), drawn(count)
    captions = client.collection("captions")

    def write(some: list[Document]) -> None:
        batch = client.batch()
        for each in some:
            batch.set(captions.document(each.id), firestore._record(each))
        batch.commit(timeout=120)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(0, count, 16_000):
            some = [each for each, _ in zip(documents, range(16_000), strict=False)]
            list(pool.map(write, (some[at : at + 400] for at in range(0, len(some), 400))))
    client.close()


def seed_folder(documents: Iterable[Document], path: Path) -> None:
    """Store documents in a folder's database, all in one transaction."""
    sqlite.prepare(path)
    with sqlite.connected(path) as db:
        rows = (sqlite._row(each, number) for number, each in enumerate(documents, 1))
        db.executemany("insert into captions values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        db.execute("update counter set version = (select max(version) from captions)")


@dataclass
class Reads:
    """Counts the documents that a store makes of what it has read."""

    count: int = 0

    def of(self, made: Callable[..., Stored]) -> Callable[..., Stored]:
        def counted(*arguments: Any) -> Stored:
            self.count += 1
            return made(*arguments)

        return counted


@contextmanager
def served(environment: Mapping[str, str]) -> Iterator[str]:
    """The function ``review`` on a loopback port, in this process, as ``captions serve`` has it
    where that is a folder's."""
    import functions_framework
    from werkzeug.serving import make_server

    os.environ.update(environment)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = functions_framework.create_app("review", str(ROOT / "main.py"))
    taken = {UPLOADS: "CAPTION_LOCAL" in environment}

    def page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app(environ | taken, start_response)

    server = make_server("127.0.0.1", 0, page, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()


def fetched(address: str) -> Any:
    with urllib.request.urlopen(address) as answer:  # noqa: S310
        return json.load(answer)


def requests(url: str, count: int, reads: Reads) -> Table:
    """A table of what is asked of the server: milliseconds, documents shown and read."""
    table = Table("request", "median ms", "slowest ms", "shown", "read")
    middle = list(drawn(count // 2))[-1]
    doubtful = max((each for each in drawn(count) if each.review.needed), key=_ranked)
    then = f"&cursor={_after(doubtful, True)}"
    asked = {
        "the first screen": "captions?limit=50",
        "to review, by need": "captions?limit=50&review=needed",
        "to review, the next page": f"captions?limit=50&review=needed{then}",
        "to review, one reason": "captions?limit=50&review=needed&reason=injection",
        "a page in the middle": f"captions?limit=50&cursor={_after(middle, False)}",
        "words: kettle": "captions?limit=50&q=kettle",
        "a rare word: 4711": "captions?limit=50&q=4711",
        "a file's name: 099999": "captions?limit=50&q=099999",
        "a tag": "captions?limit=50&tag=beach",
        "a folder": "captions?limit=50&prefix=shop/boat/",
        "a day": "captions?limit=50&since=2026-11-01&until=2026-11-01",
        "totals": "counts?fields=all,review_needed",
    }
    for name, path in asked.items():
        took, shown = [], 0
        try:
            fetched(url + path)
        except HTTPError as error:
            table.add_row(name, f"answers {error.code}", "", "", "")
            continue
        before = reads.count
        for _ in range(TIMES):
            begin = time.perf_counter()
            answer = fetched(url + path)
            took.append(1000 * (time.perf_counter() - begin))
            shown = len(answer.get("captions", ()))
        read = (reads.count - before) / TIMES
        figures = f"{statistics.median(took):.0f}", f"{max(took):.0f}"
        table.add_row(name, *figures, str(shown), f"{read:.0f}")
    return table


def _ranked(document: Document) -> Position:
    return Position.of(document, by_priority=True)


def _after(document: Document, by_priority: bool) -> str:
    return Position.of(document, by_priority).cursor()


def browsing(url: str, pages: int, reads: Reads) -> Table:
    """A table of what a person waits for, and of the page's memory while they go on."""
    from tests.support.chromium import chromium

    table = Table("in the browser", "ms", "MiB of script", "nodes", "read")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        page.set_default_timeout(120_000)
        page.route(
            "**/thumbnail?**", lambda route: route.fulfill(body=_PICTURE, content_type="image/gif")
        )
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")

        def row(name: str, act: Callable[[], object]) -> None:
            before, begin = reads.count, time.perf_counter()
            act()
            took = 1000 * (time.perf_counter() - begin)
            page.wait_for_load_state("networkidle")
            devtools.send("HeapProfiler.collectGarbage")
            metrics = devtools.send("Performance.getMetrics")["metrics"]
            found = {each["name"]: each["value"] for each in metrics}
            table.add_row(
                name,
                f"{took:.0f}",
                f"{found['JSHeapUsedSize'] / 2**20:.1f}",
                f"{found['Nodes']:.0f}",
                f"{reads.count - before:.0f}",
            )

        def rows(change: Callable[[], object]) -> Callable[[], None]:
            def act() -> None:
                before = page.locator("#captions > li").first.get_attribute("id")
                change()
                page.wait_for_function(
                    "before => document.querySelector('#captions > li')?.id !== before", arg=before
                )

            return act

        def opened() -> None:
            page.goto(url, wait_until="commit")
            page.wait_for_selector("#captions > li")

        # Not by the mouse: the page scrolls to its top under it.
        forth = "() => document.querySelector('#after').click()"

        def through() -> None:
            for _ in range(pages // 4):
                rows(lambda: page.evaluate(forth))()

        row("opened, cold", opened)
        row("opened again", opened)
        for quarter in range(1, 5):
            row(f"{quarter * (pages // 4)} pages on", through)
        row(
            "a search, from the last key",
            rows(lambda: page.get_by_label("Search", exact=True).fill("4711")),
        )
        page.goto(url + "?show=review")
        page.wait_for_selector("#captions > li")
        page.locator("#start").click()
        page.wait_for_selector("#one .name")

        def large() -> None:
            for _ in range(100):
                before = page.locator("#one .place").text_content()
                page.keyboard.press("j")
                page.wait_for_function(
                    "before => document.querySelector('#one .place').textContent !== before",
                    arg=before,
                )

        for hundred in range(1, 4):
            row(f"{hundred}00 pictures on, one by one", large)
    return table


def main() -> int:
    """Seed, ask, browse, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", action="store_true")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=200)
    options = parser.parse_args()
    reads, console = Reads(), Console(width=100)
    with ExitStack() as stack:
        environment = {"CAPTION_MODEL": "offline", "GOOGLE_CLOUD_PROJECT": emulators.PROJECT}
        begin = time.perf_counter()
        if options.folder:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            from functions.adapters.folder import database

            environment["CAPTION_LOCAL"] = str(folder)
            seed_folder(drawn(options.documents), database(folder))
            sqlite._stored = reads.of(sqlite._stored)
        else:
            server = stack.enter_context(emulators.firestore())
            environment |= {
                "FIRESTORE_EMULATOR_HOST": server.host,
                "STORAGE_EMULATOR_HOST": server.url,
            }
            os.environ.update(environment)
            seed_firestore(options.documents)
            firestore._found = reads.of(firestore._found)
        console.print(
            f"{options.documents:,} captions stored in {time.perf_counter() - begin:.0f} s"
        )
        url = stack.enter_context(served(environment))
        console.print(requests(url, options.documents, reads))
        console.print(browsing(url, options.pages, reads))
    return 0


if __name__ == "__main__":
    sys.exit(main())
