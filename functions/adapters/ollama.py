"""Ollama: open models on a machine of one's own, asked through its chat completions.

OLLAMA_HOST names the server as it does for Ollama itself; there is no key, but for models in
Ollama's own cloud (OLLAMA_API_KEY).
"""

from __future__ import annotations

import os

from functions.adapters.chat_completions import ChatCaptioner, connected
from functions.adapters.ollama_server import address
from functions.adapters.vendor_errors import VendorErrors
from functions.core.document import Accepts

# llama.cpp inside it reads no WebP, and models count tokens by pixels.
ACCEPTS = Accepts(frozenset({"image/png", "image/jpeg"}), 8 * 2**20, 1536)


class OllamaCaptioner(ChatCaptioner):
    """A Captioner on Ollama's ``/v1/chat/completions``."""

    def __init__(self, model: str, timeout_seconds: float) -> None:
        base = address(os.environ)
        service = VendorErrors(
            f"Ollama ({base})",
            "set OLLAMA_API_KEY to a valid one",
            "OLLAMA_HOST",
            ("OLLAMA_API_KEY",),
            remedy=f"run `ollama pull {model}`, ",
        )
        key = os.environ.get("OLLAMA_API_KEY", "").strip() or "ollama"
        super().__init__(
            f"ollama:{model}",
            model,
            service,
            *connected(service, key, f"{base}/v1", timeout_seconds),
            accepts=ACCEPTS,
            parts=("limit", "system", "schema"),
            # Thinking models take minutes for a picture on a machine without a fast card.
            effort="none",
            keeps=True,
        )
