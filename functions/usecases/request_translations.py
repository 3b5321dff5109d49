"""Have captions translated: by a message to the function that answers, or in a queue here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.core.document import CaptionRequest
from functions.core.errors import CaptionError
from functions.core.report import Report

if TYPE_CHECKING:
    from functions.usecases.caption_image import Captioning

_LOG = logging.getLogger(__name__)
_AT_ONCE = 2
# What does not fit is asked for again by the next reader, or by `keep`.
_MOST_WAITING = 200

# Bucket, name, languages.
Wanted = tuple[str, str, tuple[str, ...]]


class RequestTranslations:
    """Asks for translations. ``publish`` sends the messages; None where there is no topic, as in
    a folder: then they are made by ``captioning``, in threads of their own.
    """

    def __init__(
        self,
        publish: Callable[[Sequence[Wanted]], None] | None,
        captioning: Callable[[], Captioning],
    ) -> None:
        self._publish, self._captioning = publish, captioning
        self._lock = threading.Lock()
        self._waiting: set[Wanted] = set()
        self._pool: ThreadPoolExecutor | None = None

    def __call__(self, wanted: Sequence[Wanted]) -> None:
        """Ask for these, and go on. Raises what stands in the way of the messages."""
        if self._publish:
            if wanted:
                self._publish(wanted)
            return
        for each in wanted:
            self._queue(each)

    def until(self, wanted: Sequence[Wanted], until: float, report: Report) -> int:
        """Ask for these, and return for how many. What is translated here and now is begun before
        ``until``, a moment of ``time.monotonic``, and its usage added to ``report``."""
        if self._publish:
            self(wanted)
            return len(wanted)
        done = 0
        for each in wanted:
            if time.monotonic() < until:
                one = self._carry_out(each)
                report.usage += one.usage
                done += one.outcome == "translated"
        return done

    def _queue(self, wanted: Wanted) -> None:
        with self._lock:
            if wanted in self._waiting or len(self._waiting) >= _MOST_WAITING:
                return
            self._waiting.add(wanted)
            self._pool = self._pool or ThreadPoolExecutor(_AT_ONCE, "translate")
        self._pool.submit(self._from_queue, wanted)

    def _from_queue(self, wanted: Wanted) -> None:
        try:
            self._carry_out(wanted)
        finally:
            with self._lock:
                self._waiting.discard(wanted)

    def _carry_out(self, wanted: Wanted) -> Report:
        bucket, name, languages = wanted
        report = Report(bucket, name)
        request = CaptionRequest(bucket, name, datetime.now(UTC), translate=languages)
        try:
            self._captioning().request(request, report)
        except CaptionError as error:
            _LOG.warning("gs://%s/%s is not translated: %s", bucket, name, error)
        return report
