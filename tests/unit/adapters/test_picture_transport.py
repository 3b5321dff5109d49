"""How a model's server is reached: by the proxies that the environment names, or directly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import httpx2
import pytest

from functions.adapters.google_genai import Connection
from functions.adapters.picture_transport import pool
from functions.core.errors import ConfigurationError
from tests.support.loopback import LoopbackHandler, LoopbackServer
from tests.support.network_guard import NetworkRefused

NOBODY = "http://127.0.0.1:9"


class Answering(LoopbackHandler):
    """Answers with what was asked for, and of whom."""

    def do_GET(self) -> None:
        self.send(200, f"{self.path} {self.headers['Host']}".encode())


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(Answering) as running:
        yield running


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def asked(url: str) -> str:
    with closing(pool()) as transport:
        answer = transport.handle_request(httpx2.Request("GET", url))
        return answer.read().decode()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_another_host_is_reached_by_the_proxy(
    name: str, scheme: str, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, scheme + server.url.removeprefix("http://"))

    assert asked("http://model.example/v1") == "http://model.example/v1 model.example"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached_without_the_proxy(
    host: str, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    monkeypatch.setenv("ALL_PROXY", NOBODY)

    url = server.url.replace("127.0.0.1", host)
    assert asked(f"{url}/v1").startswith("/v1 ")


def test_a_host_of_no_proxy_is_reached_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    monkeypatch.setenv("NO_PROXY", "model.example")

    with pytest.raises(NetworkRefused, match=r"model\.example"):
        asked("http://model.example/v1")


@pytest.mark.parametrize(
    "address", ["socks5://user:s3cret@127.0.0.1:1", "nonsense://s3cret", "http://s3cret:port"]
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_named_but_not_repeated(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, address)

    with pytest.raises(ConfigurationError, match=f"^{name} .* unset it") as caught:
        pool()
    assert "s3cret" not in str(caught.value)


def test_geminis_sdk_looks_for_no_proxy_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "key")
    monkeypatch.setenv("HTTPS_PROXY", NOBODY)
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")

    Connection(1).close()
