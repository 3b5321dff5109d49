"""What the adapters take for granted of Gemini's SDK."""

from __future__ import annotations

import pytest
from google.genai import types

from functions.adapters.google_genai import Config, Content, Part


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Config(max_output_tokens=1), types.GenerateContentConfig(max_output_tokens=1)),
        (Content(role="user"), types.Content(role="user")),
        (Part(text="words"), types.Part(text="words")),
    ],
    ids=["config", "content", "part"],
)
def test_a_model_says_of_no_name_that_it_is_in_it_and_neither_do_ours(
    ours: types.GenerateContentConfig | types.Content | types.Part,
    theirs: types.GenerateContentConfig | types.Content | types.Part,
) -> None:
    names = type(theirs).model_fields
    assert not any(name in theirs for name in names)
    assert not any(name in ours for name in names)
    assert ours.model_dump() == theirs.model_dump()
