"""The parts of a delivery, as whoever records them sees them; by default nobody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from functions.core import spans
from tests.support.pictures import jpeg
from tests.support.stack import MAIN, Embedded


@pytest.fixture
def seen() -> Iterator[list[str]]:
    """The spans that ended, each after those that it is part of."""
    ended, within = [], list[str]()

    @contextmanager
    def opened(name: str) -> Iterator[None]:
        within.append(name)
        yield
        ended.append("/".join(within))
        within.pop()

    spans.record(opened)
    yield ended
    spans.record(None)


def test_an_upload_is_one_trace_of_its_parts(embedded: Embedded, seen: list[str]) -> None:
    assert embedded.deliver(embedded.put("mug.jpg", jpeg())) == 200
    parts = ("claim", "download", "prepare", "model", "save", "label")
    assert seen == [*(f"delivery/{part}" for part in parts), "delivery"]


def test_a_part_that_fails_ends_and_so_does_the_trace(embedded: Embedded) -> None:
    ended: list[str] = []

    @contextmanager
    def opened(name: str) -> Iterator[None]:
        try:
            yield
        finally:
            ended.append(name)

    spans.record(opened)
    embedded.put("gone.jpg", jpeg())
    assert embedded.deliver(embedded.remove("gone.jpg")) == 200
    spans.record(None)
    assert ended == ["claim", "download", "delivery"]


def test_nothing_of_it_is_loaded_unless_it_is_asked_for() -> None:
    listing = "import main, sys; print(*(m for m in sys.modules if m.startswith('opentelemetry')))"
    ran = subprocess.run(
        [sys.executable, "-c", listing],
        cwd=MAIN.parent,
        env={"CAPTION_MODEL": "offline"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == ""


def test_asked_for_without_its_packages_it_says_which(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.setenv("CAPTION_TRACES", "0.01")
    embedded.restart()
    assert embedded.deliver(embedded.put("mug.jpg", jpeg())) == 500
    [line] = embedded.log()
    assert line["reason"] == "configuration"
    assert "opentelemetry-exporter-gcp-trace" in line["message"]
