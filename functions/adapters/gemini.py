"""Gemini's captions, by ``generateContent``."""

from __future__ import annotations

from typing import Any

from google.genai import types

from functions.adapters.google_genai import Connection
from functions.core.document import Accepts, Answer, Picture, Prompt

# "Supported image formats", Gemini API documentation; a request ends at 20 MB, base64 included.
ACCEPTS = Accepts(
    types=frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}),
    max_bytes=14 * 2**20,
    max_side=8192,
)
_MAX_OUTPUT_TOKENS = 2048
# Finish reasons that are a refusal of this image; with any other, what there is of a reply
# is read, and asked for once more if it cannot be.
_REFUSALS = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "PROHIBITED_CONTENT",
        "SPII",
        "BLOCKLIST",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    }
)


class GeminiCaptioner:
    """A Captioner on ``generateContent``. One call an answer: no retries of its own."""

    accepts = ACCEPTS

    def __init__(self, model: str, timeout_seconds: float) -> None:
        self.model = f"gemini:{model}"
        self._name = model
        self._connection = Connection(timeout_seconds)

    def describe(self, picture: Picture, prompt: Prompt) -> Answer:
        with self._connection.sending(picture) as (part, options):
            config = types.GenerateContentConfig(
                system_instruction=prompt.system,
                response_mime_type="application/json",
                response_json_schema=prompt.schema,
                max_output_tokens=_MAX_OUTPUT_TOKENS,
                http_options=options,
            )
            said = types.Content(role="user", parts=[part, types.Part.from_text(text=prompt.user)])
            with self._connection.asked(self._name):
                return _answer(
                    self._connection.models.generate_content(
                        model=self._name, contents=said, config=config
                    )
                )

    def close(self) -> None:
        """Let go of connections."""
        self._connection.close()


def _answer(response: types.GenerateContentResponse) -> Answer:
    feedback = response.prompt_feedback
    candidate = response.candidates[0] if response.candidates else None
    finish = _word(candidate.finish_reason) if candidate else ""
    blocked = _word(feedback.block_reason) if feedback else ""
    text = "".join(
        part.text
        for part in (candidate.content.parts if candidate and candidate.content else None) or ()
        if part.text and not part.thought
    )
    used = response.usage_metadata
    return Answer(
        text=text,
        blocked=blocked or (finish if finish in _REFUSALS else ""),
        truncated=finish == "MAX_TOKENS",
        model_version=response.model_version or "",
        input_tokens=(used.prompt_token_count or 0) if used else 0,
        output_tokens=(
            (used.candidates_token_count or 0) + (used.thoughts_token_count or 0) if used else 0
        ),
    )


def _word(value: Any) -> str:
    return str(getattr(value, "value", value) or "")
