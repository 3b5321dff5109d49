"""Who can be asked: one row a provider, and one file of functions/adapters/ for its adapter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_ON, _OFF = frozenset({"true", "1"}), frozenset({"false", "0", "no", "off", ""})
_HOST = re.compile(r"[\w.:%-]+")


@dataclass(frozen=True, slots=True)
class Provider:
    """What it takes to ask one.

    ``adapter`` is a class with the parameters (model, timeout_seconds) in the module that is
    named for the provider. ``keys`` are variables of which one must be set; none are needed
    where ``endpoint`` is set and ``own_servers`` answer without; that of them which is a
    ``switch`` has to be on. An address needs its scheme, but for a ``bare_host``. ``package`` is
    what is imported, ``install`` what pip is told.
    """

    name: str
    adapter: str
    keys: tuple[str, ...] = ()
    endpoint: str = ""
    own_servers: bool = False
    package: str = ""
    install: str = ""
    switch: str = ""
    bare_host: bool = False

    def holds(self, env: Mapping[str, str], key: str) -> bool:
        """Whether ``env`` has ``key``; a switch counts while it is on, as the SDK reads it."""
        value = env.get(key, "").strip()
        return value.lower() in _ON if key == self.switch else bool(value)

    def fault(self, env: Mapping[str, str]) -> str:
        """What is wrong with a variable of its own in ``env``, and what to do; empty if nothing.
        Neither keys nor addresses, which may have a password in them, are repeated."""
        if self.endpoint and not self._is_address(env.get(self.endpoint, "")):
            return f"{self.endpoint} is no address: write it with https:// or http://, and the host"
        for key in self.keys:
            value = env.get(key, "").strip()
            if key == self.switch and value.lower() not in _ON | _OFF:
                return f"{key} is neither true nor false"
            if key != self.switch and not re.fullmatch(r"([!#-&(-~][!-~]*)?", value):
                return f"{key} has a character that no key has: store the key anew, by itself"
        return ""

    def _is_address(self, text: str) -> bool:
        if self.bare_host:
            text = text.strip().strip("\"'")
            text = text if "://" in text or not text else f"http://{text}"
        if not text:
            return True
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            return False
        named = bool(_HOST.fullmatch(host)) if host else self.bare_host and bool(port)
        return parts.scheme in {"http", "https"} and named and not re.search(r"\s", text)

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
            package="google.genai",
            install="google-genai==3.6.1",
            switch="GOOGLE_GENAI_USE_ENTERPRISE",
        ),
        Provider(
            "google-generativeai",
            "GoogleGenerativeAICaptioner",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            "GOOGLE_GEMINI_BASE_URL",
            bare_host=True,
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
            install="openai==3.57.0",
        ),
        Provider(
            "ollama",
            "OllamaCaptioner",
            endpoint="OLLAMA_HOST",
            bare_host=True,
            package="openai",
            install="openai==3.57.0",
        ),
        Provider(
            "anthropic",
            "AnthropicCaptioner",
            ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
            "ANTHROPIC_BASE_URL",
            package="anthropic",
            install="anthropic==2.14.0",
        ),
        Provider("offline", "OfflineCaptioner"),
    )
}
