"""How fast one caller may ask: a bound beside the day's, so that one cannot spend it for all."""

from __future__ import annotations

import base64
import ipaddress
import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flask import Request

# "Getting the user's identity", Identity-Aware Proxy.
_IAP = "X-Goog-Authenticated-User-Email"
_MOST_CALLERS = 10_000
_LONGEST = 320
_ROUNDING = 1e-6


class CallerPace:
    """So many requests a minute for each caller of this instance, in one go or spread; 0 is no
    bound. Safe in threads."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = per_minute, clock
        self._lock = threading.Lock()
        # What is left to each, and when that was so; who has asked last stands last.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> int:
        """0 where the caller may ask, who then has; else in how many seconds that is so."""
        if not self._most:
            return 0
        with self._lock:
            now = self._clock()
            left, at = self._left.get(caller, (float(self._most), now))
            left = min(self._most, left + max(0.0, now - at) * self._most / 60)
            allowed = left >= 1 - _ROUNDING
            self._left[caller] = (left - allowed, now)
            self._left.move_to_end(caller)
            while len(self._left) > _MOST_CALLERS:
                self._left.popitem(last=False)
        return 0 if allowed else math.ceil((1 - left) * 60 / self._most - _ROUNDING)


def caller(request: Request) -> str:
    """Who asks: as Identity-Aware Proxy says, or the account of the token that Cloud Run has let
    in, or the address that the platform saw. It bounds a pace, and opens nothing."""
    if name := request.headers.get(_IAP, ""):
        return name[:_LONGEST]
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and (account := _account(token)):
        return account[:_LONGEST]
    return address(request)


def address(request: Request, proxies: int = 0) -> str:
    """Where a request comes from: what the platform has seen and written last, or of as many
    ``proxies`` of one's own, the first. What stands before that was sent by the caller. All of an
    IPv6 network of 64 bits is one caller's."""
    seen = request.headers.get("X-Forwarded-For", "").split(",")
    text = seen[max(len(seen) - 1 - proxies, 0)].strip() or request.remote_addr or ""
    try:
        network = ipaddress.IPv6Network((text, 64), strict=False)
    except ValueError:
        return text[:_LONGEST]
    return str(network)


def _account(token: str) -> str:
    parts = token.split(".")
    if len(parts) != 3 or len(parts[1]) > 8192:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return str(claims.get("email") or claims.get("sub") or "")
    except (ValueError, AttributeError, RecursionError):
        return ""
