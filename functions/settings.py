"""The environment, read once and validated; README's table is made of these fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.core.errors import ConfigurationError
from functions.providers import PROVIDERS

if TYPE_CHECKING:
    from functions.core.image_url import Origin

POLICY_FILE = "captions.toml"
_ALIKE = 0.85


@dataclass(frozen=True, slots=True)
class Model:
    """``provider:model``, as CAPTION_MODEL names it; plain ``offline`` for no model at all.

    ``instead`` is asked where this one is unable to answer, or unwilling.
    """

    provider: str
    name: str = ""
    instead: Model | None = None

    def __str__(self) -> str:
        return ",".join(f"{each.provider}:{each.name}".rstrip(":") for each in self.chain)

    @property
    def chain(self) -> tuple[Model, ...]:
        """This model by itself, and those to be asked after it."""
        return (replace(self, instead=None), *(self.instead.chain if self.instead else ()))


def _models(text: str) -> Model:
    named = [_model(each.strip()) for each in text.split(",")]
    if len(named) > 1 and any(each.provider == "offline" for each in named):
        raise ValueError("has offline in a list; use it alone, it never fails")
    first: Model | None = None
    for each in reversed(named):
        first = replace(each, instead=first)
    return first or named[0]


def _model(text: str) -> Model:
    provider, _, name = text.partition(":")
    if provider not in PROVIDERS:
        raise ValueError(f"has no such provider; use one of {', '.join(PROVIDERS)}")
    if provider == "offline" and name:
        raise ValueError("names a model of offline, which has none; write offline")
    if provider != "offline" and not name:
        raise ValueError(f"names no model; write {provider}:MODEL")
    if re.search(r"[\s;]", name):
        raise ValueError("has no model of that name; put commas between several")
    return Model(provider, name)


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise ValueError(f"is not a whole number from {lowest} to {highest}")
        return int(text)

    return parse


def _share(text: str) -> float:
    if not re.fullmatch(r"0|1|(0|1)?\.[0-9]{1,6}", text) or float(text) > 1:
        raise ValueError("is not a share from 0 to 1, such as 0.01")
    return float(text)


def _switch(text: str) -> bool:
    if text not in ("on", "true", "off", "false"):
        raise ValueError("is neither on nor off")
    return text in ("on", "true")


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"is not one of {', '.join(choices)}")
        return text

    return parse


def _languages(text: str) -> tuple[str, ...]:
    from functions.core.language_tags import language_tags

    return language_tags(text)


def _public_buckets(text: str) -> tuple[str, ...]:
    from functions.core.image_url import bucket_names

    return bucket_names(text)


def _origins(text: str) -> tuple[Origin, ...]:
    from functions.core.image_url import origins

    return origins(text)


def _web_origins(text: str) -> tuple[str, ...]:
    found = tuple(filter(None, map(str.strip, text.split(","))))
    for each in found:
        if each != "*" and not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", each):
            raise ValueError(f"names no origin by {each!r}; write https://www.example.com, or *")
    return found


def _questions(text: str) -> tuple[str, ...]:
    from functions.core.question import questions

    return questions(text)


def _identifier(text: str) -> str:
    if not text or "/" in text or text in {".", ".."} or text.startswith("__"):
        raise ValueError("is not a Firestore identifier (no '/', not '.', '..' or '__...')")
    return text


def _database(text: str) -> str:
    if text != "(default)" and not re.fullmatch(r"[a-z][a-z0-9-]{2,61}[a-z0-9]", text):
        raise ValueError(
            "is no database of Firestore; write its ID: 4 to 63 small letters, digits and hyphens"
        )
    return text


def _word(text: str) -> str:
    if re.search(r"\s", text):
        raise ValueError("is no name of a model; write one, or nothing for none")
    return text


def _topic(text: str) -> str:
    if not re.fullmatch(r"(projects/[^/]+/topics/)?[A-Za-z][\w.~+%-]{2,254}", text, re.ASCII):
        raise ValueError("is no Pub/Sub topic; write its name, or projects/PROJECT/topics/NAME")
    return text


def _policy(text: str) -> Path | None:
    path = Path(text)
    if not path.is_file():
        raise ValueError("is not a file; write the rules there, or unset it to have none")
    return path


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ValueError("is not a folder; create it first")
    return path.resolve()


def _prices(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError("is not a file; write the prices there, or unset it to use ours")
    return path


def _cosine(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 2.0
    if not -1 <= value <= 1:
        raise ValueError("is not a number from -1 to 1")
    return value


def _setting(
    name: str,
    default: str,
    parse: Callable[[str], Any],
    meaning: str,
    may_be_empty: bool = False,
) -> Any:
    metadata = {"env": name, "default": default, "parse": parse, "meaning": meaning}
    return field(metadata=metadata | {"may_be_empty": may_be_empty})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of ours; keys and endpoints stay with the SDKs that read them."""

    model: Model = _setting(
        "CAPTION_MODEL",
        "gemini:gemini-3.5-flash-lite",
        _models,
        "`provider:model` that writes the captions, and after commas those to ask where it is "
        "unable to; `offline` uses none",
    )
    collection: str = _setting(
        "CAPTION_COLLECTION", "captions", _identifier, "Firestore collection of the documents"
    )
    database: str = _setting("CAPTION_DATABASE", "(default)", _database, "Firestore database")
    languages: tuple[str, ...] = _setting(
        "CAPTION_LANGUAGES", "en", _languages, "BCP 47 tags; the first is the main language"
    )
    languages_on_request: tuple[str, ...] | None = _setting(
        "CAPTION_LANGUAGES_ON_REQUEST",
        "",
        _languages,
        "further languages that a website may ask `alt_text` for; each is translated once, from "
        "the words, when it is first asked for",
    )
    translation_daily_limit: int = _setting(
        "CAPTION_TRANSLATION_DAILY_LIMIT",
        "1000",
        _whole(0, 10**9),
        "model calls a UTC day that translate, over all instances; 0 = none are made",
    )
    policy: Path | None = _setting(
        "CAPTION_POLICY", "", _policy, f"rules by path; `{POLICY_FILE}` beside main.py if present"
    )
    max_bytes: int = _setting(
        "CAPTION_MAX_BYTES",
        "104857600",
        _whole(1, 2**31),
        "larger images are rejected before they are read",
    )
    video: str = _setting(
        "CAPTION_VIDEO",
        "frames",
        _one_of("off", "frames", "native"),
        "what videos are captioned from: moments of them; short ones as they are where the model "
        "takes them (`native`); or nothing (`off`: left alone)",
    )
    video_bytes: int = _setting(
        "CAPTION_VIDEO_BYTES",
        "67108864",
        _whole(1 << 20, 2**31),
        "bytes that are read of one video at most, whatever its size",
    )
    max_pixels: int = _setting(
        "CAPTION_MAX_PIXELS",
        "200000000",
        _whole(1, 2**31),
        "images of more pixels are rejected before they are decoded",
    )
    timeout_seconds: int = _setting(
        "CAPTION_TIMEOUT_SECONDS", "30", _whole(1, 240), "one model call"
    )
    lease_seconds: int = _setting(
        "CAPTION_LEASE_SECONDS", "120", _whole(1, 3600), "how long the claim of a dead worker holds"
    )
    max_attempts: int = _setting(
        "CAPTION_MAX_ATTEMPTS", "10", _whole(1, 1000), "attempts, then the document is `failed`"
    )
    max_age_seconds: int = _setting(
        "CAPTION_MAX_AGE_SECONDS",
        "86400",
        _whole(1, 604800),
        "an event's age, then the document is `failed`",
    )
    daily_limit: int = _setting(
        "CAPTION_DAILY_LIMIT",
        "10000",
        _whole(0, 10**9),
        "model calls a UTC day over all instances; 0 for no limit",
    )
    ask_daily_limit: int = _setting(
        "CAPTION_ASK_DAILY_LIMIT",
        "1000",
        _whole(0, 10**9),
        "model calls a UTC day that answer questions, over all instances; 0 = none are given",
    )
    ask_pace: int | None = _setting(
        "CAPTION_ASK_PACE",
        "",
        _whole(0, 10**6),
        "questions a minute that one caller may ask an instance of `ask`; 0 for no bound; unset, "
        "120, or 10 where it is public",
    )
    ask_public: bool = _setting(
        "CAPTION_ASK_PUBLIC",
        "off",
        _switch,
        "whether `ask` is deployed for everyone: each new question costs you a model call",
    )
    ask_questions: tuple[str, ...] | None = _setting(
        "CAPTION_ASK_QUESTIONS",
        "",
        _questions,
        "the only questions that `ask` answers: `What is sold here?|What does the sign say?`",
    )
    ask_origins: tuple[str, ...] | None = _setting(
        "CAPTION_ASK_ORIGINS",
        "",
        _web_origins,
        "websites whose scripts may use `ask`; a courtesy of browsers, no lock",
    )
    ask_proxies: int = _setting(
        "CAPTION_ASK_PROXIES",
        "0",
        _whole(0, 9),
        "load balancers and CDNs before `ask`, each of which adds to `X-Forwarded-For`",
    )
    filter: str = _setting(
        "CAPTION_FILTER",
        "rules",
        _one_of("off", "rules", "similarity"),
        "what checks a model's words: nothing, rules, or rules and how well they match the image",
    )
    similarity_threshold: float = _setting(
        "CAPTION_SIMILARITY_THRESHOLD",
        "0.3",
        _cosine,
        "captions that match their image less are to be reviewed; `captions check` measures it",
    )
    embedding_model: str | None = _setting(
        "CAPTION_EMBEDDING_MODEL",
        "gemini-embedding-2",
        _word,
        "Gemini's model of meanings, for search and similarity; empty for none",
        may_be_empty=True,
    )
    max_output_tokens: int | None = _setting(
        "CAPTION_MAX_OUTPUT_TOKENS",
        "",
        _whole(256, 1_000_000),
        "what one reply may take, thinking included; unset, it follows from the languages",
    )
    prices: Path | None = _setting(
        "CAPTION_PRICES", "", _prices, "a file of prices beside `functions/model/prices.toml`"
    )
    request_topic: str = _setting(
        "CAPTION_REQUEST_TOPIC",
        "caption-requests",
        _topic,
        "Pub/Sub topic that `captions retry` and `backfill` write to, for `caption_request`",
    )
    events_topic: str | None = _setting(
        "CAPTION_EVENTS_TOPIC",
        "",
        _topic,
        "Pub/Sub topic that is told of every caption that has ended or was edited; unset, nobody",
    )
    public_buckets: tuple[str, ...] | None = _setting(
        "CAPTION_PUBLIC_BUCKETS",
        "",
        _public_buckets,
        "buckets that `alt_text` answers for; unset, every bucket that has captions",
    )
    origins: tuple[Origin, ...] | None = _setting(
        "CAPTION_ORIGINS",
        "",
        _origins,
        "addresses that stand for a bucket: `https://img.example.com=my-bucket/prefix, …`",
    )
    cors_origins: tuple[str, ...] = _setting(
        "CAPTION_CORS_ORIGINS",
        "*",
        _web_origins,
        "websites whose scripts may ask `alt_text`: `https://www.example.com, …`, or all",
    )
    unreviewed: str = _setting(
        "CAPTION_UNREVIEWED",
        "serve",
        _one_of("serve", "withhold"),
        "whether `alt_text` answers with words that still need a person's review",
    )
    reviewers: str = _setting(
        "CAPTION_REVIEWERS",
        "named",
        _one_of("named", "unnamed"),
        "whether documents say who approved them; `unnamed` where websites read whole documents",
    )
    lookup_daily_limit: int = _setting(
        "CAPTION_LOOKUP_DAILY_LIMIT",
        "1000000",
        _whole(0, 10**12),
        "documents that one instance reads for `alt_text` in a UTC day; 0 for no limit",
    )
    traces: float = _setting(
        "CAPTION_TRACES",
        "0",
        _share,
        "share of deliveries whose parts are traced in Cloud Trace, 0 to 1; 0 for none",
    )
    local: Path | None = _setting(
        "CAPTION_LOCAL",
        "",
        _folder,
        "a folder to use as the bucket, with the store in it, instead of Google Cloud",
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """The settings in ``env``; an empty variable counts as unset, but for one that may be
        empty.

        Raises ConfigurationError naming the variable, its fault and the remedy.
        """
        values: dict[str, Any] = {}
        for each in fields(cls):
            name, default, parse = (each.metadata[k] for k in ("env", "default", "parse"))
            kept = each.metadata["may_be_empty"] and name in env
            text = env.get(name, "").strip() or ("" if kept else default)
            try:
                values[each.name] = parse(text) if text else None
            except ValueError as error:
                remedy = f" The default is {default}." if default else ""
                raise ConfigurationError(f"{name}={text!r} {error}.{remedy}") from None
        return _bounded(cls(**values), env)


def _bounded(settings: Settings, env: Mapping[str, str]) -> Settings:
    """``settings`` by which strangers spend no more than somebody has said they may."""
    if settings.ask_public and not env.get("CAPTION_ASK_DAILY_LIMIT", "").strip():
        raise ConfigurationError(
            "CAPTION_ASK_PUBLIC=on lets strangers spend model calls; set CAPTION_ASK_DAILY_LIMIT "
            "to how many a day they may"
        )
    if settings.ask_public and settings.ask_pace == 0:
        raise ConfigurationError(
            "CAPTION_ASK_PACE=0 lets one stranger spend the day's answers at once; with "
            "CAPTION_ASK_PUBLIC=on write 1 or more, or unset it"
        )
    return settings


def misspelt(env: Mapping[str, str]) -> list[str]:
    """What is to be said of the variables in ``env`` that have almost a setting's name, and that
    nobody reads."""
    known = [each.metadata["env"] for each in fields(Settings)]
    odd = [each for each in env if each.upper().startswith("CAPTION") and each not in known]
    if not odd:
        return []
    import difflib

    close = ((each, difflib.get_close_matches(each.upper(), known, 1, _ALIKE)) for each in odd)
    return [f"{each} is no setting: did you mean {found[0]}?" for each, found in close if found]
