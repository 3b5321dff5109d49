"""Bugs in what reads videos and names them, for ``tools.mutants``."""

from __future__ import annotations

from tools.planted import Mutant

_DECODING = "functions/pictures/decoding"
_READ, _MOMENTS = "tests/unit/pictures/test_video.py", "tests/unit/pictures/test_moments.py"
_RANGES, _ENDS = "tests/unit/pictures/test_ranges.py", "tests/scenarios/test_video.py"
_FETCHING = "functions/usecases/fetch_picture.py"
_PREFLIGHT = "functions/usecases/preflight.py"

VIDEOS = (
    Mutant(
        "show a video as it was not held",
        f"{_DECODING}/video.py",
        "return _turned(image, self._matrix or _UPRIGHT)",
        "return image",
        _READ,
        "display_matrix",
    ),
    Mutant(
        "take what was cut off for a video",
        f"{_DECODING}/video.py",
        "    if end > source.size:\n        raise",
        "    if False:\n        raise",
        _READ,
        "too_early",
    ),
    Mutant(
        "describe what protection has scrambled",
        f"{_DECODING}/video.py",
        "    if protected:",
        "    if False:",
        _READ,
        "protected",
    ),
    Mutant(
        "keep every frame's pixels until they are collected",
        f"{_DECODING}/video.py",
        "        if self._matrix is None:\n            self._matrix",
        "        if True:\n            self._matrix",
        _READ,
        "let_go",
    ),
    Mutant(
        "hand a decoder more of a video than allowed",
        f"{_DECODING}/ranges.py",
        "if self.read + end - start > self.most_bytes or",
        "if",
        _RANGES,
        "no_more_is_served",
    ),
    Mutant(
        "hand a decoder any range",
        f"{_DECODING}/ranges.py",
        "if not 0 <= start < end <= self.size or end - start > _LARGEST:",
        "if not 0 <= start < end:",
        _RANGES,
        "no_use_for",
    ),
    Mutant(
        "show equal steps in the place of scenes",
        f"{_DECODING}/moments.py",
        "    scenes = [_typical(scene) for scene in _scenes(seen)]",
        "    scenes = list(seen)",
        _MOMENTS,
        "each_scene or most_of_the_time",
    ),
    Mutant(
        "show black between scenes",
        f"{_DECODING}/moments.py",
        "[each for each in moments if not each.flat] or moments",
        "moments",
        _MOMENTS,
        "black_before",
    ),
    Mutant(
        "send a video with its place as it is",
        _FETCHING,
        "if not pictures.is_private(data):",
        "if True:",
        _ENDS,
        "private_data and embedded",
    ),
    Mutant(
        "refuse a video for the size that images may have",
        _PREFLIGHT,
        "settings.max_bytes and not _is_video(upload, images):",
        "settings.max_bytes:",
        _ENDS,
        "larger_than_an_image and embedded",
    ),
    Mutant(
        "caption every part of a stream",
        _PREFLIGHT,
        "    if head[4:8] in _SEGMENT_BOXES:",
        "    if False:",
        _ENDS,
        "parts_of_a_stream and embedded",
    ),
    Mutant(
        "tell a model nothing of what the moments are",
        "functions/model/client.py",
        "picture.note, embedded, picture.media)",
        "picture.note, embedded)",
        _ENDS,
        "one_call and embedded",
    ),
    Mutant(
        "write a video's name where nobody hears it",
        "functions/sites/fill.py",
        'write = _label if image.tag == "video" else self._form.write',
        "write = self._form.write",
        "tests/scenarios/cli/test_html.py",
        "gets_a_label",
    ),
)
