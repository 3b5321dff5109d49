"""OpenAI through its SDK, and every server that speaks like it at OPENAI_BASE_URL.

The SDK reads OPENAI_API_KEY and OPENAI_BASE_URL; a server of one's own needs no key.
"""

from __future__ import annotations

import os
import re

from functions.adapters.chat_completions import ChatCaptioner, connected
from functions.adapters.server_names import server_name
from functions.adapters.vendor_errors import VendorErrors
from functions.core.document import Accepts

# "Image input requirements", OpenAI documentation; the bytes are well below its bound.
ACCEPTS = Accepts(frozenset({"image/png", "image/jpeg", "image/webp"}), 20 * 2**20, 8192)
# llama.cpp reads no WebP, and local models count tokens by pixels.
COMPATIBLE = Accepts(frozenset({"image/png", "image/jpeg"}), 8 * 2**20, 1536)
_PARTS = ("limit", "max_completion_tokens", "detail", "system", "schema")
# How little a model of OpenAI's may think, by its name; others are left at their default.
# "Reasoning models", OpenAI documentation: gpt-6 thinks at medium effort if it is not told.
_EFFORTS = (
    (re.compile(r"pro|codex|chat|audio|search|oss"), None),
    (re.compile(r"gpt-(?:5\.\d|[6-9])"), "none"),
    (re.compile(r"gpt-5"), "minimal"),
    (re.compile(r"o[1-9](?:-|$)"), "low"),
)


class OpenAICaptioner(ChatCaptioner):
    """A Captioner on OpenAI's ``chat/completions``, or those of a server at OPENAI_BASE_URL."""

    def __init__(self, model: str, timeout_seconds: float) -> None:
        address = os.environ.get("OPENAI_BASE_URL", "")
        service = VendorErrors(
            server_name(address, "OpenAI"),
            "set OPENAI_API_KEY to a valid one whose project may use it",
            "OPENAI_BASE_URL",
            ("OPENAI_API_KEY",),
        )
        key = os.environ.get("OPENAI_API_KEY", "").strip() or "none"
        super().__init__(
            f"openai:{model}",
            model,
            service,
            *connected(service, key, address or None, timeout_seconds),
            accepts=COMPATIBLE if address else ACCEPTS,
            parts=_PARTS,
            effort=None if address else effort(model),
            # Small pictures, and servers of which each call may show something new.
            keeps=bool(address),
        )


def effort(model: str) -> str | None:
    """How little one of OpenAI's models is told to think; None to tell it nothing."""
    return next((least for name, least in _EFFORTS if name.search(model)), None)
