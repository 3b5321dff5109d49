"""The use case of words in another language: made from the words, not from the picture."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions import quality
from functions.core import transitions
from functions.core.clock import Clock
from functions.core.document import (
    Answer,
    CaptionRequest,
    Document,
    Prompt,
    Record,
    Reply,
    Status,
    Stored,
    document_id,
)
from functions.core.document_records import as_json, from_json, stamp
from functions.core.errors import CaptionError, Held, OverBudget, Stale, UnusableReply
from functions.core.policy import Policy
from functions.core.ports import CaptionStore
from functions.core.public_text import missing
from functions.core.report import Report
from functions.model import translation_prompt
from functions.model.fallback_chain import FallbackChain
from functions.model.health import PATIENCE, Turn
from functions.model.quota import DailyLimit
from functions.model.reply import read_translations
from functions.settings import Settings
from functions.usecases.find_copy import remember

KIND = "translations"
# The store that counts the day's captions counts translations under names of their own.
COUNTED_AS = "translations-"
_CONTENTION = 8
_SAVING_SECONDS = 2
# What could not be translated is not tried again for so long, unless the words change.
_IN_VAIN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Progress:
    """What is known of the work on one image's words: who is at it until when (empty: nobody),
    and the languages that these very words could not be put into."""

    record: Record
    words: str
    until: str = ""
    in_vain: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        return bool(self.until) and datetime.fromisoformat(self.until) > self.record.read_at


class Translating:
    """Puts the words of images into other languages; safe in threads.

    It returns when a request is to be acknowledged, and raises a TransientError or
    ConfigurationError when it is to be redelivered.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        store: CaptionStore,
        chain: FallbackChain,
        clock: Clock,
    ) -> None:
        self._settings, self._policy, self._store, self._clock = settings, policy, store, clock
        self._budget = DailyLimit(store, settings.translation_daily_limit, COUNTED_AS)
        self._chain = chain.counted_by(self._budget)
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._call = timedelta(seconds=settings.timeout_seconds + _SAVING_SECONDS)

    def give_back(self) -> None:
        """Return what the instance has reserved and not used, at its end."""
        self._budget.give_back()

    def translate(self, request: CaptionRequest, report: Report) -> None:
        """Give a published caption the translations that are asked for and not there, with one
        call for all of them; never one in the place of a person's. The same request a second
        time has no effect."""
        report.bucket, report.name = request.bucket, request.name
        stored = self._store.read(document_id(request.bucket, request.name))
        if stored is None:
            report.outcome = "gone"
            return
        self._clock.set(stored.read_at)
        report.generation = stored.document.generation
        languages = self._open(stored.document, request.translate)
        if not languages or stored.document.status != Status.CAPTIONED:
            self._set_left(stored, (), request.translate)
            report.outcome = "done"
            return
        age = self._clock() - request.time
        if age.total_seconds() > self._settings.max_age_seconds:
            report.outcome, report.reason = "ignored", "expired"
            return
        try:
            self._work(stored, languages, report)
        except OverBudget:
            if self._settings.translation_daily_limit:
                self._set_left(stored, languages, ())
            report.outcome, report.reason = "deferred", "over_budget"

    def _open(self, document: Document, wanted: Collection[str]) -> tuple[str, ...]:
        """Those of the languages that are allowed here and missing."""
        allowed = offered(self._settings, self._policy, document)
        return missing(document, [tag for tag in wanted if tag in allowed])

    def _work(self, stored: Stored, languages: tuple[str, ...], report: Report) -> None:
        """Translate, with nobody else at it. Raises Held while somebody is."""
        if not self._settings.translation_daily_limit:
            raise OverBudget
        document = stored.document
        words = self._words(document)
        progress = self._progress(document.id, words)
        languages = tuple(tag for tag in languages if tag not in progress.in_vain)
        if not languages:
            self._set_left(stored, (), progress.in_vain)
            report.outcome, report.reason = "done", "in_vain"
            return
        with self._chain.turn(PATIENCE) as turn:
            until = progress.record.read_at + self._lease
            if progress.held or not self._note(replace(progress, until=stamp(until))):
                raise Held("the words of this image are being translated for somebody else")
            in_vain: tuple[str, ...] = ()
            try:
                checked = self._asked(turn, document, languages, report)
                found = self._publishable(checked)
                in_vain = tuple(tag for tag in languages if tag not in found)
                self._save(stored, checked, found, languages, report)
            finally:
                with suppress(CaptionError):
                    self._end(document.id, words, in_vain)

    def _asked(
        self, turn: Turn, document: Document, languages: tuple[str, ...], report: Report
    ) -> quality.Checked:
        """The translations that a model gives, checked; asked for once more where that may help."""
        until = self._clock() + self._lease - self._call
        longest = max(self._policy.rule(document.name).max_length, len(document.alt_text) * 4 // 3)
        limit = self._settings.max_output_tokens
        told = translation_prompt.compose(document, languages, longest, limit)
        answer = self._chain.ask(turn, document.id, None, told, until, report)
        checked, faults = self._read(answer, document, languages, longest, told)
        if faults and not answer.blocked and self._clock() < until:
            again = translation_prompt.repair(told, answer.text, faults)
            with suppress(CaptionError):
                answer = self._chain.again(turn, answer.model, document.id, None, again, report)
                second, left = self._read(answer, document, languages, longest, told)
                if len(left) < len(faults):
                    return second
        return checked

    def _read(
        self,
        answer: Answer,
        document: Document,
        languages: tuple[str, ...],
        longest: int,
        told: Prompt,
    ) -> tuple[quality.Checked, tuple[str, ...]]:
        """What of an answer may be used, and what is wrong with the rest."""
        empty = quality.Checked(Reply(), ())
        if answer.blocked:
            return empty, (answer.blocked,)
        try:
            given = read_translations(answer, languages)
        except UnusableReply as error:
            return empty, (str(error),)
        known = [document.visible_text, *(getattr(document, n) for n in translation_prompt.FIELDS)]
        reply = Reply(
            caption=document.caption,
            alt_text=document.alt_text,
            long_description=document.long_description,
            tags=document.tags,
            visible_text="\n".join(filter(None, known)),
            translations=given,
        )
        context = quality.Context(
            (document.language or self._settings.languages[0], *languages),
            longest,
            name=document.name,
            prompt_text=told.system,
        )
        checked = quality.check_translations(reply, context)
        if self._settings.filter == "off":
            checked = replace(checked, findings=())
        return checked, tuple(f"{each.field}: {each.message}" for each in checked.repairable)

    def _publishable(self, checked: quality.Checked) -> dict[str, dict[str, str]]:
        """The translations that may be told. Where nothing is told that a person has not looked
        at, none that is doubtful: it would take the main text back with it."""
        reply = checked.publishable
        found = dict(reply.translations) if reply else {}
        if self._settings.unreviewed == "withhold":
            doubtful = {each.field.split(".")[1] for each in _left(checked, found)}
            found = {tag: text for tag, text in found.items() if tag not in doubtful}
        return {tag: dict(text) for tag, text in found.items() if text.get("alt_text")}

    def _save(
        self,
        stored: Stored,
        checked: quality.Checked,
        found: dict[str, dict[str, str]],
        languages: tuple[str, ...],
        report: Report,
    ) -> None:
        """Write translations beside the words that they are of, whatever else has changed. Raises
        Held where the words have."""
        reasons = tuple(sorted({each.code for each in _left(checked, found)}))
        words = self._words(stored.document)
        for _ in range(_CONTENTION):
            open_ = self._still_missing(stored.document, found)
            made = transitions.translated(stored.document, open_, reasons, languages, self._clock())
            try:
                saved = self._store.replace(stored, transitions.spent(made, report.usage))
            except Stale:
                current = self._store.read(stored.document.id)
                if current is None:
                    report.outcome = "gone"
                    return
                if self._words(current.document) != words:
                    raise Held("the words have changed while they were translated") from None
                stored = current
                continue
            report.outcome = "translated" if found else "done"
            report.reason = "" if found else "in_vain"
            if saved.document.metadata_synced and saved.document.md5:
                remember(self._store, saved.document)
            return
        raise Held("the document keeps changing; others are at work on it")

    def _still_missing(
        self, document: Document, found: dict[str, dict[str, str]]
    ) -> dict[str, dict[str, str]]:
        return {tag: found[tag] for tag in missing(document, list(found))}

    def _set_left(self, stored: Stored, more: Collection[str], done: Collection[str]) -> None:
        """Note what is left undone, for ``keep`` to take up, and what of that no longer is."""
        for _ in range(_CONTENTION):
            document = stored.document
            left = transitions.left_to_translate(document, more, done, self._clock())
            if left == document.untranslated:
                return
            with suppress(Stale):
                self._store.replace(stored, replace(document, untranslated=left))
                return
            current = self._store.read(document.id)
            if current is None:
                return
            stored = current
        raise Held("the document keeps changing; others are at work on it")

    def _words(self, document: Document) -> str:
        """A hash of all that decides a translation: other words, models or instructions make it
        anew."""
        told = [
            translation_prompt.version(),
            str(self._settings.model),
            document.language,
            *(getattr(document, name) for name in translation_prompt.FIELDS),
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]

    def _progress(self, key: str, words: str) -> _Progress:
        record = self._store.read_record(KIND, key)
        kept = from_json(record.text) if record.text else {}
        in_vain = tuple(kept.get("in_vain", ())) if kept.get("words") == words else ()
        return _Progress(record, words, kept.get("until", ""), in_vain)

    def _note(self, progress: _Progress) -> bool:
        """Whether nobody else has written meanwhile."""
        fields = {
            "words": progress.words,
            "until": progress.until,
            "in_vain": list(progress.in_vain),
        }
        expires_at = progress.record.read_at + _IN_VAIN_FOR
        try:
            record = replace(progress.record, text=as_json(fields), expires_at=expires_at)
            self._store.write_record(record)
        except Stale:
            return False
        return True

    def _end(self, key: str, words: str, in_vain: Sequence[str]) -> None:
        progress = self._progress(key, words)
        every = tuple(dict.fromkeys((*progress.in_vain, *in_vain)))
        self._note(replace(progress, until="", in_vain=every))


def offered(settings: Settings, policy: Policy, document: Document) -> frozenset[str]:
    """The languages that the text of a document may be translated into."""
    configured = policy.rule(document.name).languages or settings.languages
    return frozenset((*configured, *(settings.languages_on_request or ()), *document.outdated))


def _left(checked: quality.Checked, kept: Collection[str]) -> list[quality.Finding]:
    """What a person should look at in the translations that are kept."""
    return [
        each
        for each in checked.findings
        if each.severity is not quality.Severity.FIX
        and each.field.startswith("translations.")
        and each.field.split(".")[1] in kept
    ]
