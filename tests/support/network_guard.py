"""Refuses every connection that would leave this machine: a test can reach no paid model."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

# Dead on purpose: gRPC opens sockets in C, so whatever is not loopback is sent to no proxy at all.
DEAD_PROXY = "http://127.0.0.1:9"
LOOPBACK = "localhost,127.0.0.1,::1"


class NetworkRefused(RuntimeError):
    """A test tried to reach something that is not on this machine."""

    def __init__(self, address: object) -> None:
        super().__init__(
            f"Tests may only connect to this machine, not to {address!r}. "
            "Point the client at a server from tests/ (emulators, strict_storage, model_server)."
        )


def install(patch: pytest.MonkeyPatch) -> None:
    """Put the guard in place until ``patch`` is undone."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host and not _is_ours(host) and not _is_any(host):
            raise NetworkRefused(host)
        return resolve(host, *args, **kwargs)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    for method in ("connect", "connect_ex"):
        patch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        patch.delenv(name, raising=False)
        patch.delenv(name.upper(), raising=False)
    patch.setenv("grpc_proxy", DEAD_PROXY)
    for name in ("no_grpc_proxy", "no_proxy", "NO_PROXY"):
        patch.setenv(name, LOOPBACK)


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and not _is_ours(address[0]):
            raise NetworkRefused(address)
        return connect(self, address)

    return guarded


def _is_ours(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_any(host: str | bytes) -> bool:
    return host in ("0.0.0.0", "::", b"0.0.0.0", b"::")  # noqa: S104
