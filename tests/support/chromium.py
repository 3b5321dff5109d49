"""Chromium without a window, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

from tests.support.emulators import Missing

# Debian's, then what else may be there. The shell lays out and runs pages as Chromium does, for a
# third of the processor time: it has no window to draw.
_PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
# The sandbox needs rights that a root user in a container lacks; a process for each site keeps
# apart what is all ours; the rest keeps it off the network.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--no-proxy-server"),
    "--disable-features=IsolateOrigins,site-per-process",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, until the block ends. Raises Missing if the machine has none."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        except Error as error:
            if program or "playwright install" not in error.message:
                raise
            raise Missing("Chromium", "run `make programs`") from error
        yield browser
        browser.close()
