"""Models whose SDKs are imported late."""

from __future__ import annotations

import gc
import threading

import pytest

from functions.core.document import Accepts, Answer, Picture, Prompt
from functions.core.errors import ConfigurationError
from functions.model.late import EagerCaptioner


class Told:
    """A captioner that says one thing."""

    model, accepts = "fake:m", Accepts(frozenset({"image/png"}), 1, 1)

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        return Answer("{}")

    def close(self) -> None:
        pass


def ended(loading: str = "load") -> None:
    for each in threading.enumerate():
        if each.name == loading:
            each.join()


def test_what_comes_next_is_prepared_once_the_model_is_there() -> None:
    order = list[str]()

    def load() -> Told:
        order.append("model")
        return Told()

    captioner = EagerCaptioner("fake:m", load, lambda: order.append("next"))
    assert captioner.describe(None, Prompt("", "", "", {})).text == "{}"
    ended()
    assert order == ["model", "next"]


def test_an_answer_does_not_wait_for_what_comes_next() -> None:
    answered = threading.Event()
    captioner = EagerCaptioner("fake:m", Told, answered.wait)
    assert captioner.describe(None, Prompt("", "", "", {})).text == "{}"
    answered.set()
    ended()


def test_a_fault_in_what_comes_next_leaves_the_model_as_it_is() -> None:
    def fail() -> None:
        raise ConfigurationError("no such model")

    captioner = EagerCaptioner("fake:m", Told, fail)
    ended()
    assert captioner.accepts == Told.accepts
    assert gc.isenabled()


def test_a_model_that_cannot_be_loaded_says_why_when_it_is_asked() -> None:
    def fail() -> Told:
        raise ConfigurationError("no key")

    captioner = EagerCaptioner("fake:m", fail, lambda: None)
    with pytest.raises(ConfigurationError, match="no key"):
        captioner.describe(None, Prompt("", "", "", {}))
    ended()
    assert gc.isenabled()
