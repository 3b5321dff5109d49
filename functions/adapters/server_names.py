"""Who answers at an address, as messages name them."""

from __future__ import annotations

from urllib.parse import urlsplit

_HOSTS = {
    "api.anthropic.com": "Anthropic",
    "api.deepseek.com": "DeepSeek",
    "api.fireworks.ai": "Fireworks",
    "api.groq.com": "Groq",
    "api.mistral.ai": "Mistral",
    "api.moonshot.ai": "Moonshot",
    "api.openai.com": "OpenAI",
    "api.perplexity.ai": "Perplexity",
    "api.together.xyz": "Together",
    "api.x.ai": "xAI",
    "api.z.ai": "Z.ai",
    "dashscope-intl.aliyuncs.com": "Alibaba Cloud",
    "dashscope.aliyuncs.com": "Alibaba Cloud",
    "generativelanguage.googleapis.com": "Gemini",
    "open.bigmodel.cn": "Zhipu",
    "openrouter.ai": "OpenRouter",
    "router.huggingface.co": "Hugging Face",
}
_PORTS = {1234: "LM Studio", 11434: "Ollama"}


def server_name(address: str, usual: str) -> str:
    """Who answers at ``address``: a name that people know, and the host; ``usual`` if there is no
    address, or it is that one's own."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"the server at {address[:100]}"
    if not host or _HOSTS.get(host) == usual:
        return usual
    place = f"{host}:{port}" if port else host
    azure = "Azure OpenAI" if host.endswith(".azure.com") else ""
    name = _HOSTS.get(host) or azure or _PORTS.get(port or 0)
    return f"{name} ({place})" if name else f"the server at {place}"
