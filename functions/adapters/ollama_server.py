"""An Ollama server: where it is, and which of its models see pictures. No SDK is needed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# What brings a small model there that sees and is good at it.
PULL = "ollama pull qwen3-vl:4b"
DEFAULT = "http://localhost:11434"
# A server on this machine answers in milliseconds; nothing waits longer for one that may not be.
ANSWER_SECONDS = 0.5
_MOST_MODELS = 40
_MOST_BYTES = 2**22
# Of servers too old to say what a model can do.
_SEEING_FAMILIES = frozenset({"clip", "mllama", "qwen25vl", "qwen3vl", "gemma3", "gemma4"})


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answered, and its models that see pictures, the smallest first."""

    address: str
    models: tuple[str, ...]


def address(env: Mapping[str, str]) -> str:
    """The address that OLLAMA_HOST names, as Ollama reads it: scheme and port may be missing, and
    0.0.0.0 is where a server listens, not where it is."""
    text = env.get("OLLAMA_HOST", "").strip().strip("\"'").rstrip("/")
    if not text:
        return DEFAULT
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "", text
    place, slash, path = rest.partition("/")
    host, port = _split(place)
    port = port or {"http": "80", "https": "443"}.get(scheme, "11434")
    # Nothing is bound: these are names that others bind to.
    everywhere = "0.0.0.0"  # noqa: S104  # nosec B104
    host = {"": "localhost", everywhere: "127.0.0.1", "[::]": "[::1]"}.get(host, host)
    scheme = scheme or "http"
    usual = {"http": "80", "https": "443"}[scheme] if scheme in {"http", "https"} else ""
    where = host if port == usual else f"{host}:{port}"
    return f"{scheme}://{where}{slash}{path}"


def find(env: Mapping[str, str], seconds: float = ANSWER_SECONDS) -> Server | None:
    """The server that answers at OLLAMA_HOST, or where Ollama is by default; None if none does
    within ``seconds`` for each question."""
    base = address(env)
    try:
        tags = _response(base, "GET", "/api/tags", None, seconds)
        listed = tags.get("models") if isinstance(tags, Mapping) else None
        if not isinstance(listed, list):
            return None
        models = [each for each in listed if isinstance(each, Mapping) and each.get("name")]
        models.sort(key=lambda each: _number(each.get("size")))
        seeing = [str(each["name"]) for each in models[:_MOST_MODELS] if _sees(base, each, seconds)]
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return Server(base, tuple(seeing))


def _sees(base: str, model: Mapping[str, Any], seconds: float) -> bool:
    can = model.get("capabilities")
    if not isinstance(can, list):
        try:
            shown_model = _response(base, "POST", "/api/show", {"model": model["name"]}, seconds)
        except (OSError, ValueError, http.client.HTTPException):
            shown_model = {}
        can = shown_model.get("capabilities") if isinstance(shown_model, Mapping) else None
    if isinstance(can, list):
        return "vision" in can
    details = model.get("details")
    families = details.get("families") if isinstance(details, Mapping) else None
    return bool(_SEEING_FAMILIES.intersection(families if isinstance(families, list) else ()))


def _response(base: str, method: str, path: str, body: Any, seconds: float) -> Any:
    parts = urlsplit(base)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    try:
        sent = json.dumps(body) if body is not None else None
        connection.request(method, parts.path + path, sent, {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read(_MOST_BYTES)
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(f"{path} answered {response.status}")
    return json.loads(data)


def _split(place: str) -> tuple[str, str]:
    """Host and port of ``host``, ``host:port``, ``:port``, ``[v6]:port`` or a bare v6 address."""
    if place.startswith("["):
        host, _, rest = place.partition("]")
        return f"{host}]", rest.removeprefix(":")
    if place.count(":") > 1:
        return f"[{place}]", ""
    host, _, port = place.partition(":")
    return host, port if port.isdecimal() and int(port) < 65536 else ""


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
