"""A bucket, its people, its platform and the instances that serve it, in one thread and in a
time of their own."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cloudevents.http import CloudEvent

from functions.core.background import at_once
from functions.core.document import CaptionRequest, Deletion, Document, Upload, document_id
from functions.core.errors import ConfigurationError, TransientError
from functions.core.policy import Policy
from functions.core.report import Report
from functions.logs import handle
from functions.settings import Settings
from functions.usecases.caption_image import Captioning
from functions.usecases.edit_caption import Change, changed
from functions.usecases.forget_image import Forgetting
from functions.usecases.label_image import label
from tests.chaos.faults import Died, Faults
from tests.chaos.places import Place
from tests.chaos.ports import REFUSALS, ScriptedCaptioner, WatchedCaptions, WatchedImages
from tests.chaos.witness import Key, Witness
from tests.support.pictures import jpeg

ATTEMPTS = 10
# After any day on which this runs: files carry the machine's own times.
STARTS_AT = datetime(2100, 11, 23, 12, tzinfo=UTC)
BYTES = {
    "a": jpeg(1, (16, 12)),
    "b": jpeg(2, (16, 12)),
    "empty": b"",
    "broken": b"no image at all",
    "skipped": jpeg(3, (16, 12)),
    "described": jpeg(1, (16, 12)),
}
METADATA = {"skipped": {"caption-skip": "true"}, "described": {"alt-text": "Our red bicycle"}}

T = TypeVar("T")


@dataclass
class Delivery:
    """An event that the platform delivers until it is acknowledged, and may deliver again.

    A duplicate that comes after the acknowledgement is delivered until it is acknowledged too;
    one that comes amid another delivery is acknowledged for both. Only one that found the image
    gone is not: its twin may leave a claim behind if it dies, which nothing but a redelivery
    removes.
    """

    about: Upload | Deletion | CaptionRequest
    sent_at: datetime
    acknowledged: bool = False
    calls: int = 0
    outcome: str = ""

    @property
    def key(self) -> Key:
        return self.about.name, self.about.generation or 0


@dataclass
class Instance:
    """A process of the function, with a clock of its own."""

    skew: timedelta
    faults: Faults = field(default_factory=Faults)
    busy: bool = False
    captioning: Captioning | None = None
    forgetting: Forgetting | None = None


class World:
    """What people and the platform do; ``witness`` sees what comes of it."""

    def __init__(self, place: Place, limit: int, skews: tuple[timedelta, ...]) -> None:
        self.place, self.now, self.figures = place, STARTS_AT, Counter[str]()
        self.started_at = self.now
        self.witness = Witness(
            lambda name: self.live(name),
            lambda key: BYTES.get(self.kinds.get(key, ""), b""),
            ATTEMPTS,
            limit,
        )
        self.witness.written.add((BYTES["described"], METADATA["described"]["alt-text"]))
        self.script: list[str] = []
        self.answer: Callable[[], str] = lambda: "good"
        self.call_seconds = 2.0
        self.deliveries: list[Delivery] = []
        self.at_work: list[Delivery] = []
        self.names: dict[str, None] = {}
        self.kinds: dict[Key, str] = {}
        self.scripted = {"over_budget"} if limit else set[str]()
        env = {"CAPTION_MODEL": "offline", "CAPTION_FILTER": "off"}
        env |= {"CAPTION_DAILY_LIMIT": str(limit), "CAPTION_MAX_ATTEMPTS": str(ATTEMPTS)}
        self._settings = Settings.from_env(env)
        self.instances = [Instance(skew) for skew in skews]
        for each in self.instances:
            self._start(each)

    def live(self, name: str) -> Upload | None:
        return self.place.images.look_up(self.place.bucket, name)

    def document(self, name: str) -> Document | None:
        stored = self.place.captions.read(document_id(self.place.bucket, name))
        return stored.document if stored else None

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def passing(self, effect: Callable[[], T]) -> Callable[[], T]:
        """``effect``, which takes a moment."""

        def timed() -> T:
            self.pass_time(0.02)
            return effect()

        return timed

    def put(self, name: str, kind: str) -> None:
        metadata = METADATA.get(kind, {})
        before = self.live(name)
        upload = replace(self.place.put(name, BYTES[kind], metadata), time=self.now)
        self.names[name] = None
        self.kinds[name, upload.generation] = kind
        if kind == "skipped":
            self.witness.cherished.discard(name)  # unless it is overwritten before it is seen
        self.deliveries.append(Delivery(upload, self.now))
        if before:
            self._tell_of_removal(before)

    def remove(self, name: str) -> None:
        if removed := self.place.remove(name):
            self.witness.cherished.discard(name)
            self._tell_of_removal(removed)

    def copy(self, name: str, to: str, moved: bool) -> None:
        """What tools do: the bytes and the metadata under another name, or again in place."""
        live, document = self.live(name), self.document(name)
        if live is None:
            return
        before, kind = self.live(to), self.kinds[name, live.generation]
        copied = self.place.put(to, BYTES[kind], live.metadata)
        self.names[to] = None
        self.kinds[to, copied.generation] = kind
        told = document and document.status == "captioned" and document.metadata_synced
        if told and document.by_person and document.generation == live.generation:
            self.witness.carried.add((to, copied.generation))
        if kind == "skipped":
            self.witness.cherished.discard(to)
        self.figures["copies"] += 1
        self.deliveries.append(Delivery(replace(copied, time=self.now), self.now))
        if before:
            self._tell_of_removal(before)
        if moved:
            self.figures["moves"] += 1
            self.remove(name)

    def approve(self, name: str) -> None:
        """A person says that the words are right."""
        self._change(name, Change(approve=True))

    def request(self, name: str, force: bool) -> None:
        about = CaptionRequest(self.place.bucket, name, self.now, force=force)
        self.witness.wishes[name] += 1
        self.deliveries.append(Delivery(about, self.now))

    def edit(self, name: str, text: str) -> None:
        """A person writes the words."""
        self._change(name, Change(alt_text=text, caption=text, decorative=False))

    def _change(self, name: str, change: Change) -> None:
        """What a person does to a caption: the document first, then the labels of its object."""
        stored = self.place.captions.read(document_id(self.place.bucket, name))
        if stored is None or (change.approve and stored.document.status != "captioned"):
            return
        self.pass_time(1)
        edited = changed(stored.document, change, "somebody", self.now)
        kind = self.kinds.get((name, edited.generation), "")
        self.witness.written.add((BYTES.get(kind, b""), edited.alt_text))
        self.figures["edits"] += 1
        stored = self.place.captions.replace(stored, edited)
        live = self.live(name)
        if live and "caption-skip" not in live.metadata and not change.approve:
            self.witness.cherished.add(name)
        if live and live.generation == edited.generation:
            label(self.place.captions, self.place.images, stored, live)

    def deliver(self, delivery: Delivery, instance: Instance) -> None:
        """One delivery by one instance, which may die over it."""
        if instance.busy:
            return
        self.figures["deliveries"] += 1
        done = isinstance(delivery.about, Upload) and self.witness.ended(delivery.key)
        calls, printed, struck = delivery.calls, io.StringIO(), instance.faults.struck
        instance.busy = True
        self.at_work.append(delivery)
        delivery.acknowledged, delivery.outcome = False, ""
        try:
            with redirect_stdout(printed):
                handle(_event(delivery), lambda report: _act(instance, delivery, report))
            delivery.acknowledged = True
        except (TransientError, ConfigurationError):
            self.figures["redeliveries"] += 1
            delivery.acknowledged &= delivery.outcome != "gone"
        except Died:
            self.figures["crashes"] += 1
            delivery.acknowledged &= delivery.outcome != "gone"
            self._start(instance)
            printed = io.StringIO('{"outcome": "died"}\n')
        except Exception as error:
            self.witness.broken(f"{delivery.key}: {error!r} came out")
        finally:
            self.at_work.pop()
            instance.busy = False
            self.figures["faults"] += instance.faults.struck - struck
        lines = [json.loads(line) for line in printed.getvalue().splitlines()]
        if len(lines) != 1 or not lines[0]["outcome"]:
            self.witness.broken(f"{delivery.key}: logged {lines}")
        delivery.outcome = lines[-1]["outcome"] if lines else ""
        if done and delivery.calls > calls:
            self.witness.broken(f"{delivery.key}: had ended, and the model was called")

    def called(self, skew: timedelta) -> str:
        """The model is called by the delivery at work; the kind of its answer."""
        self.pass_time(self.call_seconds)
        delivery = self.at_work[-1]
        delivery.calls += 1
        name, generation = delivery.key
        live = self.live(name)
        key = (name, generation or (live.generation if live else 0))
        kind = self.script.pop(0) if self.script else self.answer()
        self.witness.called(key, self.now + skew, kind in REFUSALS)
        return kind

    def calm(self) -> None:
        """Everything works from now on."""
        self.script.clear()
        for each in self.instances:
            each.faults.clear()

    def restart(self, instance: Instance) -> None:
        """An instance ends without a word, and another one takes its place."""
        if not instance.busy:
            self._start(instance)

    def _start(self, instance: Instance) -> None:
        """A new process: nothing is left of the last one but its clock."""
        instance.faults = faults = Faults()
        captions, images = WatchedCaptions(self, faults), WatchedImages(self, faults)
        instance.forgetting = Forgetting(captions, images)
        instance.captioning = Captioning(
            self._settings,
            Policy.empty(),
            captions,
            images,
            ScriptedCaptioner(self, faults, instance.skew),
            clock=lambda: self.now + instance.skew,
            wait=lambda _, seconds: self.pass_time(seconds),
            start=at_once,
        )

    def _tell_of_removal(self, upload: Upload) -> None:
        about = Deletion(upload.bucket, upload.name, upload.generation)
        self.deliveries.append(Delivery(about, self.now))


def _act(instance: Instance, delivery: Delivery, report: Report) -> None:
    about, captioning = delivery.about, instance.captioning
    assert captioning
    assert instance.forgetting
    if isinstance(about, Upload):
        captioning.caption(about, report)
    elif isinstance(about, Deletion):
        instance.forgetting.forget(about, report)
    else:
        captioning.request(about, report)


def _event(delivery: Delivery) -> CloudEvent:
    return CloudEvent({"type": "chaos", "source": "chaos", "time": delivery.sent_at.isoformat()})
