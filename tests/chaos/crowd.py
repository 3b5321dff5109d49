"""One picture under a hundred names at once, in real time: several instances on threads, each
port call of which may fail or be the last one of its delivery."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from functions.core import object_metadata
from functions.core.document import Accepts, Answer, Document, Picture, Prompt, Upload
from functions.core.errors import ConfigurationError, Stale, TransientError
from functions.core.policy import Policy
from functions.core.report import Report
from functions.settings import Settings
from functions.usecases.caption_image import Captioning
from tests.chaos.faults import KINDS, Died, failing
from tests.chaos.places import Place
from tests.chaos.scenarios import Outcome
from tests.support.pictures import jpeg

COPIES, AT_ONCE, INSTANCES = 100, 16, 3
# Of a port's calls, before their effect and after it.
_CHANCE = 0.04
_CALL_SECONDS = 0.3
_DEADLINE = 300.0


class Shaky:
    """A port of which some calls fail, before their effect or after it; ``strike`` decides."""

    def __init__(self, port: Any, strike: Callable[[str], None]) -> None:
        self._port, self._strike = port, strike

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)

        def made(*args: Any, **kwargs: Any) -> Any:
            try:
                self._strike(name)
                result = call(*args, **kwargs)
                self._strike(name)
            except Stale:
                if name != "create":
                    raise
                return None  # as a store says that something is there already
            return result

        return made


@dataclass
class Crowd:
    """What happens to one picture; ``calls`` are those of the model, of which ``in_peril`` were
    made by deliveries that something struck: their answers may be lost."""

    place: Place
    chance: random.Random
    calm: bool = False
    deliveries: int = 0
    calls: int = 0
    faults: int = 0
    crashes: int = 0
    in_peril: int = 0
    captions: int = 0
    violations: list[str] = field(default_factory=list)

    model = "chaos:model"
    accepts = Accepts(frozenset({"image/jpeg"}), 2**20, 1024)

    def __post_init__(self) -> None:
        self._lock, self._mine = threading.Lock(), threading.local()
        settings = Settings.from_env(
            {
                "CAPTION_FILTER": "off",
                "CAPTION_LEASE_SECONDS": "5",
                "CAPTION_MAX_ATTEMPTS": "1000",
                "CAPTION_MODEL": "offline",
                "CAPTION_TIMEOUT_SECONDS": "2",
            }
        )
        captions = Shaky(self.place.captions, self._strike)
        images = Shaky(self.place.images, self._strike)
        self.instances = [
            Captioning(settings, Policy.empty(), captions, images, self) for _ in range(INSTANCES)
        ]

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        """The model: other words each time."""
        with self._lock:
            self.calls += 1
            number, self._mine.asked = self.calls, True
        time.sleep(_CALL_SECONDS)
        words = f"Red bicycle in a wide street, number {number}."
        return Answer(json.dumps({"caption": words, "alt_text": words, "tags": []}))

    def close(self) -> None:
        """There is nothing to close."""

    def _strike(self, port: str) -> None:
        with self._lock:
            if self.calm or self.chance.random() >= _CHANCE:
                return
            kind = self.chance.choice(KINDS)
            self.faults += 1
            self.crashes += kind == "die"
            self._mine.struck = True
        failing(kind)(port)

    def deliver(self, upload: Upload) -> bool:
        """One delivery by one of the instances; whether it was acknowledged."""
        with self._lock:
            self.deliveries += 1
            instance = self.chance.choice(self.instances)
        self._mine.struck = self._mine.asked = False
        try:
            instance.caption(upload, Report())
            return True
        except (TransientError, ConfigurationError, Died):
            return False
        finally:
            with self._lock:
                self.in_peril += self._mine.struck and self._mine.asked

    def until_acknowledged(self, upload: Upload) -> bool:
        deadline = time.monotonic() + _DEADLINE
        while not self.deliver(upload):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True


def crowds(places: Iterable[Place], name: str) -> Outcome:
    """A crowd on each of ``places``, in one line."""
    each = [crowd(place, seed) for seed, place in enumerate(places, 1)]
    return Outcome(
        f"{len(each)} times {COPIES} copies of a picture, {AT_ONCE} at once, {name}",
        sum(one.deliveries for one in each),
        sum(one.calls for one in each),
        f"{sum(one.captions for one in each):,} captions, {sum(one.faults for one in each):,} "
        f"faults, {sum(one.crashes for one in each):,} crashes",
        [violation for one in each for violation in one.violations],
    )


def crowd(place: Place, seed: int, copies: int = COPIES) -> Crowd:
    """Store one picture under ``copies`` names, deliver them until all are acknowledged, and once
    more each: all have the same words, and a model was paid for them once. Only a delivery that
    was struck after its call may have paid in vain."""
    names = [f"{number:03}.jpg" for number in range(copies)]
    uploads = [place.put(name, jpeg(7, (16, 12)), {}) for name in names]
    at = Crowd(place, random.Random(seed))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        acknowledged = list(pool.map(at.until_acknowledged, uploads))
    at.calm, calls = True, at.calls
    with ThreadPoolExecutor(AT_ONCE) as pool:
        again = list(pool.map(at.deliver, uploads))
    broken = at.violations
    broken += [f"{acknowledged.count(False)} never acknowledged"] * (not all(acknowledged))
    if at.calls != calls or not all(again):
        broken.append("events that had been acknowledged had an effect when they came again")
    if at.calls > 1 + at.in_peril:
        broken.append(f"{at.calls} model calls, {at.in_peril} of them in peril")
    found = [place.captions.read(each.id) for each in uploads]
    documents = [each.document for each in found if each]
    broken += [fault for each in documents for fault in _faults(place, each)]
    at.captions = len(documents)
    if at.captions < copies:
        broken.append(f"{copies - at.captions} copies without a document")
    return at


def _faults(place: Place, document: Document) -> list[str]:
    """What is wrong with the end of one copy."""
    live = place.images.look_up(place.bucket, document.name)
    labels = live.metadata if live else {}
    if document.status != "captioned" or document.lease or not document.metadata_synced:
        return [f"{document.name} ended as {document.status}: {document.error}"]
    written = object_metadata.written(document, labels)
    if any(labels.get(key) != value for key, value in written.items()):
        return [f"{document.name}: {labels} on the object"]
    return []
