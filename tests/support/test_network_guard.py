"""The guard refuses what would leave this machine, and nothing else."""

from __future__ import annotations

import os
import socket
import threading
import urllib.request

import grpc
import pytest

from tests.support.network_guard import NetworkRefused

ELSEWHERE = "192.0.2.1"  # reserved for documentation


def test_a_connection_to_another_machine_is_refused():
    with socket.socket() as outgoing, pytest.raises(NetworkRefused, match=ELSEWHERE):
        outgoing.connect((ELSEWHERE, 80))
    with socket.socket() as outgoing, pytest.raises(NetworkRefused, match=ELSEWHERE):
        outgoing.connect_ex((ELSEWHERE, 80))


def test_no_name_of_another_machine_is_looked_up():
    with pytest.raises(NetworkRefused, match=r"storage\.example"):
        urllib.request.urlopen("http://storage.example/")


def test_this_machine_can_be_reached():
    with socket.create_server(("localhost", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()


def test_sockets_with_a_path_can_be_reached(tmp_path):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "socket"))
        server.listen()
        client.connect(str(tmp_path / "socket"))


def test_grpc_goes_to_a_proxy_on_this_machine_instead_of_another(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(10)
        monkeypatch.setenv("grpc_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        with grpc.insecure_channel(f"{ELSEWHERE}:443") as channel:
            before = set(threading.enumerate())
            channel.subscribe(print, try_to_connect=True)
            watching = set(threading.enumerate()) - before
            connection, _ = proxy.accept()
            with connection:
                assert connection.recv(100).startswith(f"CONNECT {ELSEWHERE}:443".encode())
            channel.unsubscribe(print)  # a channel that is closed while it is watched raises
            for thread in watching:
                thread.join(60)


def test_settings_of_the_person_who_runs_the_tests_are_removed():
    os.environ["GEMINI_API_KEY"] = "left by mistake"
    assert "CAPTION_MODEL" not in os.environ


@pytest.fixture(scope="module")
def seen():
    """The settings that a fixture of a module sees, which is made before those of a test."""
    return dict(os.environ)


def test_settings_that_a_test_left_behind_are_removed(seen):
    assert "GEMINI_API_KEY" not in seen
    assert "GEMINI_API_KEY" not in os.environ
