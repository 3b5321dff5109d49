"""Have images captioned: by a message to the function that answers, or here and now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from functions.core.document import CaptionRequest
from functions.core.errors import CaptionError, ConfigurationError, TransientError
from functions.core.report import Report
from functions.usecases.caption_image import Captioning

_AT_ONCE = 8
# So many failures without a success between them: whatever it is, it stands in everybody's way.
_IN_VAIN = 5

# Bucket and name.
Image = tuple[str, str]


class RequestCaptions:
    """Asks for captions. ``publish`` sends the messages; None where there is no topic, as in a
    folder. Where the messages are not taken, the images are captioned by ``captioning`` itself.
    """

    def __init__(
        self,
        publish: Callable[[Sequence[Image]], None] | None,
        captioning: Callable[[], Captioning],
    ) -> None:
        self._publish, self._captioning = publish, captioning

    def __call__(self, images: Sequence[Image], until: float, report: Report) -> int:
        """Ask for these, and return for how many. What is captioned here and now is begun
        before ``until``, a moment of ``time.monotonic``, and its usage added to ``report``.

        Raises ConfigurationError where there is neither a topic nor a model.
        """
        if self._publish is None:
            return self._caption(self._captioning(), images, until, report)
        try:
            self._publish(images)
        except (ConfigurationError, TransientError) as error:
            try:
                captioning = self._captioning()
            except ConfigurationError:
                raise error from None
            return self._caption(captioning, images, until, report)
        return len(images)

    def _caption(
        self, captioning: Captioning, images: Sequence[Image], until: float, report: Report
    ) -> int:
        failures: list[CaptionError] = []

        def work(image: Image) -> Report | None:
            if time.monotonic() >= until or len(failures) >= _IN_VAIN:
                return None
            one = Report()
            try:
                captioning.request(CaptionRequest(*image, time=datetime.now(UTC)), one)
            except CaptionError as error:
                failures.append(error)
            else:
                failures.clear()
            return one

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            done = [one for one in pool.map(work, images) if one]
        for one in done:
            report.usage += one.usage
        return len(done)
