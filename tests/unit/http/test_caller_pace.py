"""How fast one caller may ask."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from functions.http.caller_pace import CallerPace, address, caller


def test_a_caller_has_so_many_in_a_minute_and_others_have_their_own() -> None:
    now = [0.0]
    pace = CallerPace(3, lambda: now[0])
    assert [pace.wait("ada") for _ in range(4)] == [0, 0, 0, 20]
    assert pace.wait("eve") == 0
    now[0] = 19.0
    assert pace.wait("ada") == 1
    now[0] = 20.0
    assert [pace.wait("ada") for _ in range(2)] == [0, 20]


def test_who_waits_is_not_punished_and_a_clock_set_back_gives_nothing() -> None:
    now = [100.0]
    pace = CallerPace(1, lambda: now[0])
    assert [pace.wait("ada") for _ in range(3)] == [0, 60, 60]
    now[0] = 0.0
    assert pace.wait("ada") == 60


def test_no_bound_is_none() -> None:
    pace = CallerPace(0)
    assert {pace.wait("ada") for _ in range(1000)} == {0}


def _token(claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer h.{body}.s"


@pytest.mark.parametrize(
    ("headers", "who"),
    [
        ({"X-Goog-Authenticated-User-Email": "accounts.google.com:a@b"}, "accounts.google.com:a@b"),
        ({"Authorization": _token({"email": "a@b", "sub": "1"})}, "a@b"),
        ({"Authorization": _token({"sub": "1"})}, "1"),
        ({"Authorization": "Bearer x.y.z", "X-Forwarded-For": "6.6.6.6, 1.2.3.4"}, "1.2.3.4"),
        ({"Authorization": _token([1])}, "9.9.9.9"),
        ({"Authorization": "Basic x"}, "9.9.9.9"),
        ({}, "9.9.9.9"),
    ],
)
def test_a_caller_is_told_by_what_the_platform_says(headers: dict[str, str], who: str) -> None:
    environ = EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": "9.9.9.9"}).get_environ()
    assert caller(Request(environ)) == who


@pytest.mark.parametrize(
    ("forwarded", "proxies", "who"),
    [
        ("", 0, "9.9.9.9"),
        ("1.2.3.4", 0, "1.2.3.4"),
        ("6.6.6.6, 7.7.7.7,1.2.3.4", 0, "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 35.0.0.1", 1, "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 172.64.0.1, 35.0.0.1", 2, "1.2.3.4"),
        ("1.2.3.4", 1, "1.2.3.4"),
        ("6.6.6.6, 2001:db8:1:2:aaaa::1", 0, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", 0, "2001:db8:1:2::/64"),
        ("x" * 999, 0, "x" * 320),
        (",", 0, "9.9.9.9"),
    ],
)
def test_an_address_is_what_the_platform_saw_and_not_what_the_caller_wrote(
    forwarded: str, proxies: int, who: str
) -> None:
    headers = {"X-Forwarded-For": forwarded}
    environ = EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": "9.9.9.9"}).get_environ()
    assert address(Request(environ), proxies) == who
