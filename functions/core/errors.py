"""The error families. They decide what happens to an event.

::

    CaptionError
    |-- PermanentError        about this image: recorded with a reason, acknowledged
    |   `-- NotAnEvent        nothing to record: logged, acknowledged
    |-- TransientError        raised to the platform, which redelivers
    |   `-- Held              another delivery is at work, or it is too early
    |       `-- Away          the model is known to answer nobody for now
    |-- ConfigurationError    names a setting: logged as ERROR, redelivered until it is mended
    `-- EditError             what a person asks of a caption cannot be done: told to them
        |-- NoCaption         there is no such caption
        `-- Conflict          it is no longer as they saw it

    OverBudget                the day's model calls are spent: deferred, taken up later
    Stale, Gone               answers of the stores, never seen outside the use cases
    UnusableReply             of the model's words: asked for once more, then no_caption
"""

from __future__ import annotations

from enum import StrEnum


class CaptionError(Exception):
    """What this package raises on purpose. ``own`` says that it is the image's own fault, as
    others fare better: then it counts as an attempt."""

    own = False


class PermanentError(CaptionError):
    """This image cannot be captioned, however often it is tried.

    ``reason`` is one of the reasons in a document's ``error`` map; ``message`` says what a
    person can do about it.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class NotAnEvent(PermanentError):
    """The delivery is not one this function can act on; redelivering it cannot help."""

    def __init__(self, message: str) -> None:
        super().__init__("not_an_event", message)


class Outage(StrEnum):
    """Why a model answers nobody, for whoever asks it next."""

    NONE = ""  # it is not known that it does
    AWAY = "away"  # not reached, too late, overloaded, at fault itself
    OVER_QUOTA = "over_quota"  # too many calls for its pace
    NO_CREDIT = "no_credit"  # until somebody pays, or a budget's day or month is over


class TransientError(CaptionError):
    """It may work later. ``retry_after`` is the delay in seconds that was asked for, if any;
    ``outage`` says what of it is the model's."""

    def __init__(
        self, message: str, retry_after: float | None = None, outage: Outage = Outage.NONE
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.outage = outage


class Held(TransientError):
    """Nothing failed: another delivery holds the claim, or a delay has not passed yet."""


class Away(Held):
    """The model is known to answer nobody, or not so fast: it was not asked."""


class ConfigurationError(CaptionError):
    """A setting, key or permission is wrong. The message names it and the remedy."""


class OverBudget(CaptionError):
    """The day's model calls are spent."""


class Stale(CaptionError):
    """The document is no longer as it was read."""


class Gone(CaptionError):
    """The object, or this generation of it, is no longer the live one."""


class UnusableReply(CaptionError):
    """The model's answer cannot be read as a reply; the message tells the model what to mend."""


class EditError(CaptionError):
    """A person's change cannot be made; nothing was written. The message says what would do."""


class NoCaption(EditError):
    """There is no document of that ID, or its image is gone."""


class Conflict(EditError):
    """The caption is no longer as the person saw it who wants to change it."""
