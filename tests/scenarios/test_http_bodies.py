"""What is sent to the HTTP functions, by wire, as no client of good will would send it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.support.serving import Served, serving

_HEAD = (
    "{} / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    "Connection: close\r\n\r\n"
)
_MB = 1 << 20


@pytest.fixture(scope="module", params=["alt_text", "review"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Path]]:
    folder = tmp_path_factory.mktemp("served")
    environment = {"CAPTION_LOCAL": str(folder), "CAPTION_MODEL": "offline"}
    with serving(request.param, environment, folder / "log") as running:
        yield running, folder / "log"


def sent(served: Served, *parts: bytes) -> tuple[int, dict[str, str]]:
    """The status and the JSON that come back."""
    address = urlsplit(served.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    "body",
    [b"zz\r\n{}\r\n0\r\n\r\n", b"5\r\n{}\r\n0\r\n\r\n", b"-1\r\n\r\n", b"2\r\n{}", b"4\r\n{"],
)
def test_a_malformed_chunked_body_is_the_senders_fault(
    served: tuple[Served, Path], method: str, body: bytes
) -> None:
    running, log = served
    status, answer = sent(
        running, _HEAD.format(method, urlsplit(running.url).netloc).encode(), body
    )

    assert (status, set(answer)) == (400, {"error"})
    assert "CRITICAL" not in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("method", ["POST", "GET", "PATCH"])
def test_a_body_without_end_takes_no_memory(served: tuple[Served, Path], method: str) -> None:
    running, _ = served
    before = _memory(running)
    head = (
        f"{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: {48 * _MB}\r\nConnection: close\r\n\r\n"
    )

    status, answer = sent(running, head.encode(), *([b" " * _MB] * 48))

    assert (status, set(answer)) == (413, {"error"})
    assert _memory(running) - before < 16 * _MB


def _memory(served: Served) -> int:
    process = psutil.Process(served.process.pid)
    every = (process, *process.children(recursive=True))
    return sum(each.memory_info().rss for each in every)
