"""Which moments of a video or an animation to show: those that differ, in their order.

Pure: a moment is known by its time and its look, 8 x 8 colours of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# A sheet of 3 x 3 still gives each moment 512 pixels of the 1,536 that a model gets.
MOST = 9
# What one scene is shown by, if anything moves in it.
_FEW = 4
# Mean difference of two looks (0 to 1) that is another scene: cuts of films and clips lie above
# 0.1, what one camera sees a second later below 0.06; and one in which nothing has moved.
_CUT, _STILL = 0.08, 0.007
# What time counts beside looks: of scenes that come again and again, all parts are shown.
_FAR = 0.05
# Deviation of a look's values below which a frame is one colour: black before and after, fades.
_FLAT = 4.0
_SIDE = 8


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame: when it is shown, in seconds, how it looks, and its pixels."""

    time: float
    look: bytes
    image: Any = None

    @property
    def flat(self) -> bool:
        """Whether it is one colour, and shows nothing."""
        return all(_deviation(self.look[band::3]) < _FLAT for band in range(3))


def moment(time: float, image: Any) -> Moment:
    """The moment of a Pillow image in RGB or RGBA."""
    from PIL import Image

    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return Moment(time, small.tobytes(), image)


def chosen(moments: Sequence[Moment], most: int = MOST) -> list[Moment]:
    """At most ``most`` of ``moments`` (in order of time) that tell what happens.

    One of each scene, the one that looks most like it; of more scenes those that differ most from
    each other. Where there is room, also what a scene has become, and as far as anything moves
    up to four. Frames of one colour
    count only where there are no others. One moment where nothing moves.
    """
    seen = [each for each in moments if not each.flat] or moments
    scenes = [_typical(scene) for scene in _scenes(seen)]
    picked = _farthest(scenes, [], most, -1.0, _FAR)
    picked = _farthest(seen, picked, most, _CUT)
    picked = _farthest(seen, picked, min(_FEW, most), _STILL)
    return sorted(picked, key=lambda each: each.time)


def difference(one: bytes, other: bytes) -> float:
    """The mean difference of two looks, 0 to 1."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / (255 * len(one))


def _scenes(moments: Sequence[Moment]) -> list[list[Moment]]:
    scenes: list[list[Moment]] = []
    for each in moments:
        if scenes and difference(scenes[-1][-1].look, each.look) < _CUT:
            scenes[-1].append(each)
        else:
            scenes.append([each])
    return scenes


def _typical(scene: Sequence[Moment]) -> Moment:
    """The moment that looks most like the scene's mean; of several the first."""
    mean = bytes(sum(values) // len(scene) for values in zip(*(m.look for m in scene), strict=True))
    return min(scene, key=lambda each: difference(mean, each.look))


def _farthest(
    moments: Sequence[Moment],
    picked: list[Moment],
    most: int,
    least_apart: float,
    far: float = 0.0,
) -> list[Moment]:
    """``picked`` and those of ``moments`` that are farthest from all that is picked, up to
    ``most``, as long as they are more than ``least_apart`` from each of them. Beginning and end
    are ``far`` from each other if they look alike."""
    picked = picked or list(moments[:1])
    span = moments[-1].time - moments[0].time if moments else 0.0

    def distance(one: Moment, other: Moment) -> float:
        late = far * abs(one.time - other.time) / span if span else 0.0
        return difference(one.look, other.look) + late

    apart = [min(distance(each, other) for other in picked) for each in moments]
    taken = {id(each) for each in picked}
    while len(picked) < most:
        left = [i for i, each in enumerate(moments) if id(each) not in taken]
        best = max(left, key=apart.__getitem__, default=None)
        if best is None or apart[best] <= least_apart:
            break
        picked = [*picked, moments[best]]
        taken.add(id(moments[best]))
        apart = [
            min(known, distance(each, moments[best]))
            for known, each in zip(apart, moments, strict=True)
        ]
    return picked


def _deviation(values: bytes) -> float:
    mean = sum(values) / len(values)
    return float((sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5)
