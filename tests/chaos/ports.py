"""The ports of one instance: real stores behind faults and a witness, and a model by script."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.document import (
    Accepts,
    Answer,
    Document,
    Picture,
    Prompt,
    Record,
    Stored,
    Upload,
)
from functions.core.errors import Outage, Stale, TransientError
from tests.chaos.faults import Faults

if TYPE_CHECKING:
    from tests.chaos.world import World

ANSWERS = ("good", "blocked", "unusable", "overloaded", "quota", "long quota")
# Calls that are not answered, and when to ask again.
REFUSALS = {"overloaded": None, "quota": 7.0, "long quota": 100_000.0}


class WatchedCaptions:
    """A CaptionStore. Its clock is the world's, whatever the instance's own says."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._store = world, world.place.captions
        self._faults, self._witness = faults, world.witness

    def create(self, document: Document, record: Record | None = None) -> Stored | None:
        def effect() -> Stored | None:
            stored = self._store.create(document, record)
            if stored:
                self._witness.wrote(None, document)
            return stored and self._timed(stored)

        try:
            return self._faults.around("create", self._world.passing(effect))
        except Stale:
            return None

    def read(self, key: str) -> Stored | None:
        def effect() -> Stored | None:
            stored = self._store.read(key)
            return stored and self._timed(stored)

        return self._faults.around("read", self._world.passing(effect))

    def read_many(self, keys: Iterable[str]) -> Mapping[str, Stored]:
        def effect() -> Mapping[str, Stored]:
            found = self._store.read_many(keys)
            return {key: self._timed(each) for key, each in found.items()}

        return self._faults.around("read_many", self._world.passing(effect))

    def replace(self, stored: Stored, document: Document, record: Record | None = None) -> Stored:
        def effect() -> Stored:
            written = self._store.replace(stored, document, record)
            self._witness.wrote(stored.document, document)
            return self._timed(written)

        return self._faults.around("replace", self._world.passing(effect))

    def remove(self, stored: Stored) -> None:
        def effect() -> None:
            self._store.remove(stored)
            self._witness.removed(stored.document)

        self._faults.around("remove", self._world.passing(effect))

    def alike(self, md5: str, limit: int) -> Callable[[], Sequence[Stored]]:
        def effect() -> Sequence[Stored]:
            return [self._timed(each) for each in self._store.alike(md5, limit)()]

        return lambda: self._faults.around("alike", self._world.passing(effect))

    def equal(self, fields: Mapping[str, str | bool], limit: int) -> Sequence[Stored]:
        def effect() -> Sequence[Stored]:
            return [self._timed(each) for each in self._store.equal(fields, limit)]

        return self._faults.around("equal", self._world.passing(effect))

    def read_record(self, kind: str, key: str) -> Record:
        def effect() -> Record:
            return replace(self._store.read_record(kind, key), read_at=self._world.now)

        return self._faults.around("read_record", self._world.passing(effect))

    def write_record(self, record: Record) -> Record:
        return self._faults.around(
            "write_record", self._world.passing(lambda: self._store.write_record(record))
        )

    def remove_places(self, image: str, generation: int) -> None:
        self._faults.around(
            "remove_places",
            self._world.passing(lambda: self._store.remove_places(image, generation)),
        )

    def reserve(self, day: str, block: int, limit: int) -> int:
        return self._faults.around(
            "reserve", self._world.passing(lambda: self._store.reserve(day, block, limit))
        )

    def _timed(self, stored: Stored) -> Stored:
        return replace(stored, read_at=self._world.now)


class WatchedImages:
    """An ImageStore."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._images, self._faults = world, world.place.images, faults

    def look_up(self, bucket: str, name: str) -> Upload | None:
        return self._faults.around(
            "look_up", self._world.passing(lambda: self._images.look_up(bucket, name))
        )

    def read(self, upload: Upload, end: int | None = None, start: int = 0) -> bytes:
        return self._faults.around(
            "fetch", self._world.passing(lambda: self._images.read(upload, end, start))
        )

    def label(self, upload: Upload, labels: Mapping[str, str | None]) -> None:
        self._faults.around(
            "label", self._world.passing(lambda: self._images.label(upload, labels))
        )


class ScriptedCaptioner:
    """A model whose every answer has other words, so that a second caption is told apart."""

    model = "chaos:model"
    accepts = Accepts(frozenset({"image/jpeg", "image/png"}), 2**20, 1024)

    def __init__(self, world: World, faults: Faults, skew: timedelta) -> None:
        self._world, self._faults, self._skew = world, faults, skew

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        return self._faults.around("describe", self._answer)

    def _answer(self) -> Answer:
        kind = self._world.called(self._skew)
        if kind in REFUSALS:
            outage = Outage.OVER_QUOTA if "quota" in kind else Outage.AWAY
            raise TransientError(f"the model is {kind}", REFUSALS[kind], outage)
        number = sum(self._world.witness.calls.values())
        words = {
            "caption": f"A red bicycle stands in a wide street, seen for time {number}.",
            "alt_text": f"Red bicycle in a wide street, number {number}.",
            "tags": ["bicycle"],
        }
        text = "{" if kind == "unusable" else json.dumps(words)
        return Answer(text, blocked="SAFETY" if kind == "blocked" else "", model_version="1")
