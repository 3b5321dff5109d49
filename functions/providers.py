"""Who can be asked: one row a provider, and one file of functions/adapters/ for its adapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """What it takes to ask one.

    ``adapter`` is a class with the parameters (model, timeout_seconds) in the module that is
    named for the provider. ``keys`` are variables of which one must be set; none are needed
    where ``endpoint`` is set and ``own_servers`` answer without; that of them which is a
    ``switch`` has to be on. ``package`` is what is imported, ``install`` what pip is told.
    """

    name: str
    adapter: str
    keys: tuple[str, ...] = ()
    endpoint: str = ""
    own_servers: bool = False
    package: str = ""
    install: str = ""
    switch: str = ""

    def holds(self, env: Mapping[str, str], key: str) -> bool:
        """Whether ``env`` has ``key``; a switch counts while it is on, as the SDK reads it."""
        value = env.get(key, "")
        return value.lower() in {"true", "1"} if key == self.switch else bool(value)

    @property
    def module(self) -> str:
        return f"functions.adapters.{self.name.replace('-', '_')}"


PROVIDERS = {
    each.name: each
    for each in (
        Provider(
            "gemini",
            "GeminiCaptioner",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_ENTERPRISE"),
            "GOOGLE_GEMINI_BASE_URL",
            switch="GOOGLE_GENAI_USE_ENTERPRISE",
        ),
        Provider(
            "google-generativeai",
            "GoogleGenerativeAICaptioner",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            "GOOGLE_GEMINI_BASE_URL",
            package="google.generativeai",
            install="-r locks/google-generativeai.lock",
        ),
        Provider(
            "openai",
            "OpenAICaptioner",
            ("OPENAI_API_KEY",),
            "OPENAI_BASE_URL",
            own_servers=True,
            package="openai",
            install="openai==3.54.0",
        ),
        Provider(
            "ollama",
            "OllamaCaptioner",
            endpoint="OLLAMA_HOST",
            package="openai",
            install="openai==3.54.0",
        ),
        Provider(
            "anthropic",
            "AnthropicCaptioner",
            ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
            "ANTHROPIC_BASE_URL",
            package="anthropic",
            install="anthropic==2.12.0",
        ),
        Provider("offline", "OfflineCaptioner"),
    )
}
