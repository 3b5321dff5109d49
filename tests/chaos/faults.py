"""What goes wrong between the use cases and their ports: errors, lost answers, sudden death."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from functions.core.errors import ConfigurationError, Stale, TransientError

# Ports that may say that a precondition failed, also of a write that did take effect: a client
# repeats a request whose answer was lost, and its own first write then stands in its way.
_CONDITIONAL = frozenset({"create", "replace", "remove", "label", "write_record"})
KINDS = ("die", "transient", "configuration", "stale")

T = TypeVar("T")


class Died(BaseException):
    """The process is gone: no handler of the product's runs."""


@dataclass
class Fault:
    """What happens at the port call that comes after ``calls`` others, before its effect or
    after it. ``act`` is given the port's name; it raises, or does something in between."""

    calls: int
    after: bool
    act: Callable[[str], None]


class Faults:
    """The faults that wait for one instance."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self.struck = 0

    def arm(self, fault: Fault) -> None:
        self._armed.append(fault)

    def clear(self) -> None:
        self._armed.clear()

    def around(self, port: str, call: Callable[[], T]) -> T:
        """Make one call of a port, with what is due at it."""
        due = [each for each in self._armed if each.calls == 0]
        self._armed = [each for each in self._armed if each.calls]
        for each in self._armed:
            each.calls -= 1
        self._strike(due, port, after=False)
        result = call()
        self._strike(due, port, after=True)
        return result

    def _strike(self, due: list[Fault], port: str, after: bool) -> None:
        for each in due:
            if each.after == after:
                self.struck += 1
                each.act(port)


def failing(kind: str) -> Callable[[str], None]:
    """The act of a fault that raises: one of ``KINDS``."""

    def act(port: str) -> None:
        if kind == "die":
            raise Died
        if kind == "configuration":
            raise ConfigurationError(f"{port}: permission denied")
        if kind == "stale" and port in _CONDITIONAL:
            raise Stale
        raise TransientError(f"{port}: unavailable")

    return act
