"""Who was asked, as messages name them."""

from __future__ import annotations

import pytest

from functions.adapters.server_names import server_name


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("", "OpenAI"),
        ("https://api.openai.com/v1", "OpenAI"),
        ("https://api.deepseek.com", "DeepSeek (api.deepseek.com)"),
        ("https://api.mistral.ai/v1", "Mistral (api.mistral.ai)"),
        ("https://openrouter.ai/api/v1", "OpenRouter (openrouter.ai)"),
        ("http://localhost:11434/v1", "Ollama (localhost:11434)"),
        ("http://10.0.0.7:8000/v1", "the server at 10.0.0.7:8000"),
        ("https://me.openai.azure.com/openai/v1", "Azure OpenAI (me.openai.azure.com)"),
        ("https://user:secret@gateway.example/v1", "the server at gateway.example"),
        ("http://[broken", "the server at http://[broken"),
    ],
)
def test_a_server_is_named_by_what_people_know_and_its_host(address: str, name: str) -> None:
    assert server_name(address, "OpenAI") == name
