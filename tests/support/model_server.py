"""A stand-in for paid models: Gemini's, OpenAI's and Anthropic's wire protocols on loopback.

In a test::

    with ModelServer() as server:
        server.answer(gemini.ERRORS["overloaded"], gemini.good())
        ...
        assert server.calls[0].images == [...]

Without a script it answers with a valid caption, the same for the same picture, and embeds words
and pictures in one space (tests/support/meanings.py). Embeddings have a script and records of
their own: ``embed``, ``always_embed`` and ``embeddings``. With ``pulled`` set, it is an Ollama
server too, which holds these models, with what each can do. To serve one by hand:
``python -m tests.support.model_server --port 8300 --delay 2``, and then
``GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8300``.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.answers import SPEAKERS, Answer, anthropic, gemini, openai
from tests.support.loopback import LoopbackHandler, LoopbackServer, until_interrupted
from tests.support.meanings import vector

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="
_GEMINI = re.compile(r"/v1(?:alpha|beta\d?)?/(?:.*/)?models/(?P<model>[^/:]+):(?P<verb>\w+)$")
_TEXTS = {"text", "content", "input", "instructions", "system"}
_LANGUAGE = re.compile(r"[`'\"(]([a-z]{2,3}(?:-[A-Z][A-Za-z]{1,3})?)[`'\")]")


@dataclass(frozen=True)
class Call:
    """One request as it came in. ``verb`` is generateContent, chat/completions, messages …"""

    vendor: str
    verb: str
    model: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    images: list[bytes] = field(default_factory=list)
    image_types: list[str] = field(default_factory=list)
    at: float = 0

    @property
    def embeds(self) -> bool:
        """Whether it asks for an embedding, not for words."""
        return "mbed" in self.verb

    @property
    def text(self) -> str:
        """All words of the prompt, system instruction included."""
        return "\n".join(
            value
            for each in _objects(self.body)
            for key, value in each.items()
            if key in _TEXTS and isinstance(value, str)
        )

    @property
    def schema(self) -> dict[str, Any] | None:
        """The schema of the reply that is asked for, wherever the vendor puts it."""
        return next(
            (
                each
                for each in _objects(self.body)
                if {"alt_text", "translations"} & {*each.get("properties", ())}
            ),
            None,
        )

    @property
    def translates(self) -> bool:
        """Whether it asks for words that are there in another language, and shows no picture."""
        return not self.images and "You translate alt text" in self.text


Script = Answer | Callable[[Call], Answer]


class ModelServer(LoopbackServer):
    """The model. ``calls`` records requests; ``keep_images=False`` drops pictures on arrival."""

    def __init__(self, port: int = 0, delay: float = 0, keep_images: bool = True) -> None:
        super().__init__(_Handler, port)
        self.delay = delay
        self.keep_images = keep_images
        self._guard = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget the script and all records."""
        with self._guard:
            self.calls: list[Call] = []
            self.max_concurrency = 0
            self._running = 0
            self._queue: deque[Script] = deque()
            self._default: Script = good
            self.embeddings: list[Call] = []
            self._embeddings: deque[Script] = deque()
            self._embedding: Script = good
            self._shown = ""
            self.pulled: dict[str, list[str]] | None = None

    def answer(self, *answers: Script) -> None:
        """Give these answers, one a request; after them, the default again."""
        self._queue.extend(answers)

    def always(self, answer: Script) -> None:
        """Give this answer whenever no other one is queued."""
        self._default = answer

    def embed(self, *answers: Script) -> None:
        """As :meth:`answer`, for requests to embed something."""
        self._embeddings.extend(answers)

    def always_embed(self, answer: Script) -> None:
        """As :meth:`always`, for requests to embed something."""
        self._embedding = answer

    def show(self, words: str) -> None:
        """All pictures mean ``words`` from now on; of themselves they mean their captions."""
        self._shown = words

    @property
    def count(self) -> int:
        return len(self.calls)

    def begin(self, call: Call) -> Answer:
        """Record a call and decide its answer."""
        with self._guard:
            if call.embeds:
                self.embeddings.append(call)
                queue, default = self._embeddings, self._embedding
            else:
                self.calls.append(call)
                self._running += 1
                self.max_concurrency = max(self.max_concurrency, self._running)
                queue, default = self._queue, self._default
            script = queue.popleft() if queue else default
        if call.embeds and script is good:
            return _embedded(call, self._shown)
        return script if isinstance(script, Answer) else script(call)

    def end(self, call: Call) -> None:
        with self._guard:
            self._running -= not call.embeds


def good(call: Call) -> Answer:
    """A valid answer to any call, the same for the same request."""
    if call.embeds:
        return _embedded(call)
    words = json.dumps(reply(call), ensure_ascii=False)
    if call.vendor == "openai":
        answer = openai.chat if call.verb == "chat/completions" else openai.response
        return answer(words, model=call.model)
    if call.vendor == "anthropic":
        return anthropic.text(words, model=call.model)
    if call.vendor in SPEAKERS:
        return SPEAKERS[call.vendor](words, model=call.model)
    return gemini.text(words, model=call.model)


def reply(call: Call) -> dict[str, Any]:
    """A caption that fulfils the schema of ``call``, with the translations that it asks for."""
    if call.translates:
        return {"translations": list(_translated(call))}
    draw = random.Random(hashlib.sha256(b"".join(call.images)).digest())
    colour = draw.choice(["red", "green", "blue", "yellow", "white", "brown"])
    thing = draw.choice(["bicycle", "boat", "bridge", "door", "kettle", "lighthouse", "tram"])
    place = draw.choice(["by the sea", "in a garden", "on a table", "in a wide street"])
    alt_text = f"{colour.capitalize()} {thing} {place}."
    caption = f"A {colour} {thing} {place}, seen from the front in daylight."
    words = {
        "caption": caption,
        "alt_text": alt_text,
        "decorative": False,
        "tags": [colour, thing],
        "visible_text": "",
    }
    translations = (call.schema or {}).get("properties", {}).get("translations")
    if translations:
        words["translations"] = [
            {"language": each, "caption": f"[{each}] {caption}", "alt_text": f"[{each}] {alt_text}"}
            for each in _languages(translations, call.text)
        ]
    return words


def _translated(call: Call) -> Iterator[dict[str, str]]:
    """The words of a prompt in each language that it names; these tell that they are translated."""
    given = dict(re.findall(r"~~~~~~~~ \w+ (caption|alt_text)\n(.*)\n~~~~~~~~", call.text))
    for language in _languages(call.schema or {}, call.text):
        yield {"language": language} | {
            name: f"[{language}] {said}" for name, said in given.items()
        }


def _languages(translations: dict[str, Any], prompt: str) -> list[str]:
    """The languages that a schema's enum names, or else those quoted in the prompt."""
    for each in _objects(translations):
        if isinstance(each.get("enum"), list):
            return list(each["enum"])
    return list(dict.fromkeys(_LANGUAGE.findall(prompt))) or ["de"]


def _embedded(call: Call, shown: str = "") -> Answer:
    requests = call.body.get("requests", [call.body])
    if call.images:
        said = reply(call)
        shown = shown or f"{said['alt_text']}\n{said['caption']}"
    vectors = [vector(shown if call.images else _said(each), _size(each)) for each in requests]
    tokens = 258 if call.images else sum(len(_said(each).split()) for each in requests)
    if call.verb == "embedContent":
        return gemini.embedding(vectors[0], tokens)
    return gemini.embeddings(*vectors, tokens=tokens)


def _size(request: dict[str, Any]) -> int:
    config = request.get("embedContentConfig", request)
    return config.get("outputDimensionality") or 3072


def _said(request: dict[str, Any]) -> str:
    return " ".join(part.get("text", "") for part in request["content"]["parts"])


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """All JSON objects in ``value``, outermost first."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from _objects(each)


def _pictures(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The pictures in a request: MIME type and base64."""
    for each in _objects(body):
        kind = each.get("mimeType") or each.get("mime_type") or each.get("media_type")
        if kind and "data" in each:
            yield kind, each["data"]
        url = each.get("url") or each.get("image_url")
        if isinstance(url, str) and url.startswith("data:"):
            kind, _, data = url.removeprefix("data:").partition(";base64,")
            yield kind, data


class _Handler(LoopbackHandler):
    server: ModelServer

    def do_POST(self) -> None:
        if self.path == "/api/show":
            return self._show()
        call = self._call()
        if call is None:
            self.send(404, b'{"error": {"code": 404, "message": "No such method"}}')
            return
        answer = self.server.begin(call)
        try:
            self._send(answer, 0 if call.embeds else self.server.delay)
        finally:
            self.server.end(call)

    def do_GET(self) -> None:
        if self.path != "/api/tags":
            return self.send(200, b'{"models": []}')
        if self.server.pulled is None:
            return self.send(404, b"404 page not found")
        listed = [
            {"name": name, "model": name, "size": 10**9 * (1 + at), "details": {"families": can}}
            for at, (name, can) in enumerate(self.server.pulled.items())
        ]
        return self.send(200, json.dumps({"models": listed}).encode())

    def _show(self) -> None:
        """What Ollama tells of a model."""
        name = json.loads(b"".join(self.body()))["model"]
        can = (self.server.pulled or {}).get(name)
        if can is None:
            return self.send(404, json.dumps({"error": f"model '{name}' not found"}).encode())
        return self.send(200, json.dumps({"capabilities": can}).encode())

    def _call(self) -> Call | None:
        keep = self.server.keep_images
        raw = b"".join(chunk for chunk in self.body() if keep or chunk.translate(None, _BASE64))
        body = json.loads(raw or b"{}")
        path = self.path.partition("?")[0]
        found = _GEMINI.search(path)
        if found:
            vendor, verb, model = "gemini", found["verb"], found["model"]
        elif path.endswith(("/chat/completions", "/responses")):
            vendor, verb, model = "openai", path.partition("/v1/")[2], body.get("model", "")
        elif path.endswith("/messages"):
            vendor, verb, model = "anthropic", "messages", body.get("model", "")
        elif (last := path.rpartition("/")[2]) in SPEAKERS:
            vendor, verb, model = last, last, body.get("model", "")
        else:
            return None
        pictures = list(_pictures(body))
        return Call(
            vendor,
            verb,
            model,
            path,
            {name.lower(): value for name, value in self.headers.items()},
            body,
            [_decoded(data) for _, data in pictures] if keep else [],
            [kind for kind, _ in pictures],
            time.monotonic(),
        )

    def _send(self, answer: Answer, delay: float) -> None:
        if answer.drop:
            return self.drop()
        if answer.hang or self.server.stopping.wait(answer.delay or delay):
            return self.hang()
        headers = {"Content-Type": "application/json", **answer.headers}
        if not answer.trickle:
            return self.send(answer.status, answer.data, headers)
        self.wfile.write(self.head(answer.status, len(answer.data), headers))
        for byte in answer.data:
            if self.server.stopping.wait(answer.trickle):
                break
            self.wfile.write(bytes([byte]))
        self.close_connection = True


def _decoded(data: str) -> bytes:
    return base64.b64decode(data.replace("-", "+").replace("_", "/"))


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.model_server", description=__doc__
    )
    parser.add_argument("--port", type=int, default=8300)
    parser.add_argument("--delay", type=float, default=0, help="seconds that a caption takes")
    options = parser.parse_args()
    with ModelServer(options.port, options.delay, keep_images=False) as server:
        until_interrupted(f"A model that costs nothing: GOOGLE_GEMINI_BASE_URL={server.url}")


if __name__ == "__main__":
    main()
