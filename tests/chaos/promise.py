"""The promise, checked when a run is over and everything works again."""

from __future__ import annotations

from datetime import timedelta

from functions.core import object_metadata
from functions.core.document import Document
from tests.chaos.world import World

# Pub/Sub pushes again after 10 to 600 seconds, and drops an event after a day.
_ROUND = timedelta(minutes=10)
_DAY = timedelta(days=1)
_UNREAD = {"empty": "empty", "broken": "unsupported_type"}


def keep(world: World) -> list[str]:
    """Redeliver what is outstanding until it is acknowledged; what breaks the promise, in words.

    At the end every event comes once more, which must change nothing and cost nothing.
    """
    world.calm()
    for number in range(_DAY // _ROUND):
        waiting = [each for each in world.deliveries if not each.acknowledged]
        if not waiting:
            break
        for order, delivery in enumerate(waiting):
            world.deliver(delivery, world.instances[(number + order) % len(world.instances)])
        world.pass_time(_ROUND.total_seconds())
    broken = [
        f"{each.key}: not acknowledged within a day"
        for each in world.deliveries
        if not each.acknowledged
    ]
    for name in world.names:
        broken += _ends(world, name)
    before, calls = _state(world), sum(world.witness.calls.values())
    for order, delivery in enumerate(world.deliveries):
        world.deliver(delivery, world.instances[order % len(world.instances)])
    if _state(world) != before or sum(world.witness.calls.values()) != calls:
        broken.append("events that had been acknowledged had an effect when they came again")
    return [*world.witness.violations, *broken]


def _state(world: World) -> list[tuple[Document | None, dict[str, str]]]:
    lives = {name: world.live(name) for name in world.names}
    return [
        (world.document(name), dict(live.metadata) if live else {}) for name, live in lives.items()
    ]


def _ends(world: World, name: str) -> list[str]:
    """What is wrong with the end of one image."""
    live, document = world.live(name), world.document(name)
    kind = world.kinds[name, live.generation] if live else "deleted"
    if kind in ("deleted", "skipped"):
        return [f"{name}: {kind}, and a document stands: {document}"] if document else []
    if document is None or live is None:
        return [f"{name}: {kind}, without a document"]
    faults = []
    if document.generation != live.generation:
        faults.append(f"of generation {document.generation}, and {live.generation} is live")
    if document.lease or document.not_before or document.renewal:
        faults.append("still claimed")
    if document.status == "captioned":
        written = object_metadata.written(document, live.metadata)
        if not document.metadata_synced:
            faults.append("metadata not written")
        if any(live.metadata.get(key) != value for key, value in written.items()):
            faults.append(f"{live.metadata} on the object, {written} in the document")
        if (name, live.generation) in world.witness.carried and not document.by_person:
            faults.append(f"a person's words were copied here, and became {document.alt_text!r}")
        if kind == "described" and not document.by_person:
            faults.append(f"the uploader's words became {document.alt_text!r}")
    elif document.status == "pending":
        faults.append(f"pending: {document.error}")
    elif not document.error or not document.error.message:
        faults.append(f"{document.status} without a reason")
    else:
        faults += _unfounded(world, kind, document.error.reason)
    return [f"{name}: {each}" for each in faults]


def _unfounded(world: World, kind: str, reason: str) -> list[str]:
    """A reason for which there is no cause in what happened."""
    causes = {_UNREAD.get(kind)} | world.scripted | {"retries_exhausted"}
    return [] if reason in causes else [f"{kind} ended for {reason}, which it was not"]
