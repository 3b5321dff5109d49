"""The providers on the wire: how each is reached at the stand-in, and what it answers there."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.support.answers import Answer, anthropic, gemini, openai
from tests.support.model_server import ModelServer

SECRET = "sk-not-to-be-seen"  # noqa: S105


@dataclass(frozen=True)
class Wire:
    """A provider as its contract test needs it. ``errors`` are its error answers by name, ``say``
    makes an answer of words, whose part ``bill`` counts the tokens."""

    model: str
    key: str
    endpoint: str
    path: str
    errors: dict[str, Answer]
    good: Callable[..., Answer]
    quota: Callable[[str | None], Answer]
    truncated: Answer
    refusals: dict[str, Answer]
    say: Callable[..., Answer]
    bill: str = "usage"
    schema_in_words: bool = False
    held_until_answered: bool = False
    cost_usd: float = 0.0
    version: str = ""

    def environment(self, server: ModelServer) -> dict[str, str]:
        return {self.key: SECRET, self.endpoint: server.url + self.path}


GEMINI_ERRORS = gemini.ERRORS | {"quota": gemini.quota(None, "7")}
_GEMINI: dict[str, Any] = {
    "key": "GEMINI_API_KEY",
    "endpoint": "GOOGLE_GEMINI_BASE_URL",
    "path": "",
    "errors": GEMINI_ERRORS,
    "good": gemini.good,
    "quota": lambda delay: gemini.quota(None, delay),
    "truncated": gemini.out_of_tokens('{"visible_text": "", "caption": "A br'),
    "refusals": {
        "PROHIBITED_CONTENT": gemini.prompt_blocked(),
        "SAFETY": gemini.finished("SAFETY"),
        "RECITATION": gemini.finished("RECITATION", "half a sen"),
    },
    "say": gemini.text,
    "bill": "usageMetadata",
    "version": "gemini-3.5-flash-lite",
    "cost_usd": 0.000721,
}
CURRENT = {
    "gemini": Wire("gemini:gemini-3.5-flash-lite", **_GEMINI),
    "openai": Wire(
        "openai:gpt-5.4-mini",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "/v1",
        openai.ERRORS,
        openai.good,
        openai.quota,
        openai.truncated(),
        {
            "refusal": openai.refused(),
            "content_filter": openai.filtered(),
            "content_policy_violation": openai.ERRORS["forbidden image"],
        },
        openai.chat,
        held_until_answered=True,  # at a server of one's own, which may refuse a part of it
        cost_usd=0.001596,
        version="gpt-5.4-mini-2026-03-17",
    ),
    "anthropic": Wire(
        "anthropic:claude-haiku-5-5",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "",
        anthropic.ERRORS,
        anthropic.good,
        anthropic.quota,
        anthropic.truncated(),
        {
            "refusal": anthropic.refused(),
            "content filtering": anthropic.ERRORS["forbidden image"],
        },
        anthropic.text,
        cost_usd=0.000201,
        version="claude-haiku-5-5",
    ),
}
# An environment of its own: this SDK cannot be installed beside the current clients.
LEGACY = {
    "google-generativeai": Wire(
        "google-generativeai:gemini-3.5-flash-lite",
        schema_in_words=True,
        held_until_answered=True,
        **_GEMINI,
    ),
}


def _legacy() -> bool:
    try:
        return importlib.util.find_spec("google.generativeai") is not None
    except ModuleNotFoundError:
        return False


WIRES = LEGACY if _legacy() else CURRENT
# It speaks as OpenAI does; what is its own stands in its adapter's tests.
OLLAMA = (
    {}
    if _legacy()
    else {
        "ollama": replace(
            CURRENT["openai"],
            model="ollama:qwen3-vl:4b",
            key="OLLAMA_API_KEY",
            endpoint="OLLAMA_HOST",
            path="",
        )
    }
)
