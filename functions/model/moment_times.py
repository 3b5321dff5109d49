"""The times that we write below the moments of a video, where a model reads them as its text."""

from __future__ import annotations

import re

_TIME = re.compile(r"(?<![\d:.])\d{1,2}(?::\d\d){1,2}(?:\.\d)?(?![\d:])")
_LEFT = " \t,;|·•-–—"


def without_times(visible_text: str, note: str) -> str:
    """``visible_text`` without the times that ``note`` says are written below the moments. As long
    as not most of them stand in it, they may be the video's own: nothing is taken out."""
    ours = set(_TIME.findall(note))
    found = ours.intersection(_TIME.findall(visible_text))
    if not ours or len(found) * 2 <= len(ours):
        return visible_text
    lines = (
        re.sub(r"\s+", " ", _TIME.sub(lambda time: "" if time[0] in ours else time[0], line))
        for line in visible_text.splitlines()
    )
    return "\n".join(filter(None, (line.strip(_LEFT) for line in lines)))
