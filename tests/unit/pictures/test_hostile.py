"""Files made to hurt end with a reason, in time and within the decoder's memory."""

from __future__ import annotations

import contextlib
import gzip
import os
import resource
import signal
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from functions import pictures
from functions.core.document import Accepts, Picture
from functions.core.errors import PermanentError, TransientError
from functions.pictures.decoding import decoders
from functions.pictures.structure import heif
from functions.pictures.structure.survey import Damaged
from tests.support import crafted, drawn
from tests.support.waiting import until

GEMINI = Accepts(
    frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}), 15 << 20, 8192
)
NOTHING = Accepts(frozenset(), 15 << 20, 8192)
LIMIT = 200_000_000
GIF = drawn.encoded(drawn.quarters(mode="P"), "GIF")


@pytest.fixture
def fresh() -> Iterator[None]:
    """No decoder from before the test, and none of those that it makes afterwards."""
    decoders.close()
    yield
    decoders.close()


def outcome(data: bytes, limit: int = LIMIT) -> str:
    """The reason for a refusal, "" for a picture; never anything else, never late."""
    started = worked()
    reason, message = "", "."
    try:
        pictures.prepare(data, NOTHING, limit)
    except PermanentError as error:
        reason, message = error.reason, error.message
    assert message.endswith(".")
    assert len(message) < 300
    assert worked() - started < decoders.DECODE_SECONDS + 2
    return reason


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_its_end_marker_alone_is_whole(progressive: bool) -> None:
    data = drawn.encoded(drawn.noise((320, 200)), "JPEG", progressive=progressive)
    assert outcome(data[:-2]) == ""
    assert outcome(data[:-1]) == ""
    for lost in (3, 6, 40, len(data) // 4):
        assert outcome(data[:-lost]) == "corrupt_image"


def worked() -> float:
    """Processor time of all decoders until now: a busy machine's clock says nothing of them."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = (child.cpu_times() for child in children())
    return ended.ru_utime + ended.ru_stime + sum(each.user + each.system for each in living)


def children() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "functions.pictures.decoding.worker" in child.cmdline():
                found.append(child)
    return found


def nested_uses(levels: int) -> bytes:
    groups = "".join(
        f'<g id="g{i}">' + f'<use href="#g{i - 1}"/>' * 10 + "</g>" for i in range(1, levels)
    )
    return drawn.svg(f'<g id="g0"><rect width="9" height="9"/></g>{groups}')


DRAWINGS = {
    "entities of entities": lambda: drawn.svg(
        "<text>&c;</text>",
        before='<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>',
    ),
    "an entity that is a file": lambda: drawn.svg(
        "<text>&f;</text>", before='<!DOCTYPE svg [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    ),
    "a hundred thousand levels": lambda: drawn.svg("<g>" * 100_000 + "</g>" * 100_000),
    "a million elements": lambda: drawn.svg("<path/>" * 1_000_000),
    "more text than any drawing": lambda: gzip.compress(
        drawn.svg("<!--" + "x" * (50 << 20) + "-->"), 1
    ),
    "no xml": lambda: b"<svg <<<",
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_refused_for(name: str) -> None:
    assert outcome(DRAWINGS[name]()) in ("corrupt_image", "unsupported_type", "too_many_pixels")


@pytest.mark.parametrize(
    "data",
    [
        nested_uses(30),
        drawn.svg(attributes='width="1e9" height="1e9"'),
        drawn.svg(attributes='width="0" height="-5"'),
        drawn.svg(attributes='width="1" height="100000000"'),
        drawn.svg('<filter id="f"><feTurbulence numOctaves="9999"/></filter>'
                  '<rect width="320" height="200" filter="url(#f)"/>'),
        drawn.svg('<filter id="f"><feGaussianBlur stdDeviation="99999"/></filter>'
                  + '<rect width="320" height="200" filter="url(#f)"/>' * 50),
    ],
    ids=["uses of uses", "endless", "negative", "a thread", "turbulence", "blurs"],
)  # fmt: skip
def test_a_costly_drawing_is_drawn_or_refused_in_time(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "DECODE_SECONDS", 0.5)
    outcome(data)


def test_namespaces_declared_as_entities_are_honest() -> None:
    before = '<!DOCTYPE svg [<!ENTITY ns_svg "http://www.w3.org/2000/svg">]>'
    assert outcome(drawn.svg('<g xmlns:s="&ns_svg;"/>', before=before)) == ""


def test_thousands_of_frames_cost_no_more_than_a_few() -> None:
    frames = [Image.new("P", (64, 64), i % 2) for i in range(3000)]
    for i, frame in enumerate(frames):
        frame.putpalette([i % 256, 0, 0, 0, i // 256, 0])
    data = drawn.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=20)
    started = worked()
    picture = pictures.prepare(data, GEMINI, LIMIT)
    assert worked() - started < 3
    assert "of one animation of" in picture.note


def test_an_animation_on_a_large_canvas_is_bounded() -> None:
    data = bytearray(drawn.animation("GIF", 200))
    data[6:10] = (9000).to_bytes(2, "little") * 2
    assert outcome(bytes(data)) in ("", "corrupt_image", "too_many_pixels")


@pytest.mark.usefixtures("fresh")
def test_a_bomb_within_the_limit_of_pixels_stays_within_the_memory() -> None:
    data = drawn.flat_png(8_000)
    assert len(data) < 1 << 20
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            for child in children():
                peak = max(peak, child.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        reason = outcome(data)
    finally:
        done.set()
        watcher.join()
    assert reason == ""
    assert peak < 128 << 20


@pytest.mark.usefixtures("fresh")
def test_what_needs_more_memory_than_a_decoder_has_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flat = drawn.encoded(Image.new("RGB", (5000, 5000)), "BMP")
    monkeypatch.setattr(decoders, "DECODER_MEMORY", 100 << 20)
    assert outcome(flat) == "too_many_pixels"
    assert outcome(GIF) == ""


@pytest.mark.usefixtures("fresh")
def test_a_file_that_no_decoder_can_hold_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoders, "DECODER_MEMORY", 2 * len(GIF) - 2)
    assert outcome(GIF) == "too_many_pixels"
    assert not children()


def test_an_icon_that_hides_a_large_image_is_bounded() -> None:
    inner = drawn.flat_png(6_000)
    entry = bytes((32, 32, 0, 0, 1, 0, 32, 0)) + len(inner).to_bytes(4, "little") + b"\x16\0\0\0"
    data = b"\0\0\1\0\1\0" + entry + inner
    assert outcome(data, limit=1_000_000) in ("too_many_pixels", "corrupt_image")


@pytest.mark.usefixtures("fresh")
def test_a_decoder_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "DECODE_SECONDS", 0.01)
    with pytest.raises(PermanentError, match="Decoding takes more than") as refused:
        pictures.prepare(drawn.flat_png(8000), NOTHING, LIMIT)
    assert refused.value.reason == "too_many_pixels"
    assert not children()
    monkeypatch.undo()
    assert outcome(GIF) == ""


def test_a_decoder_that_was_killed_from_outside_is_replaced() -> None:
    assert outcome(GIF) == ""
    for child in children():
        os.kill(child.pid, signal.SIGKILL)
    assert outcome(GIF) == ""


@pytest.mark.usefixtures("fresh")
def test_a_file_that_breaks_every_decoder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "DECODER_MEMORY", 1 << 20)  # none can even start
    assert outcome(GIF) == "corrupt_image"
    monkeypatch.undo()
    assert outcome(GIF) == ""


@pytest.mark.usefixtures("fresh")
def test_no_more_decode_at_once_than_stated() -> None:
    data = drawn.encoded(drawn.noise((1200, 900)), "PNG")
    seen: list[Picture] = []
    most = 0
    threads = [
        threading.Thread(target=lambda: seen.append(pictures.prepare(data, NOTHING, LIMIT)))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(children()))
        time.sleep(0.005)
    assert len(seen) == 12
    assert 1 <= most <= pictures.DECODERS


@pytest.mark.usefixtures("fresh")
def test_who_waits_too_long_for_a_decoder_comes_back_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "WAIT_SECONDS", 0.05)
    taken = [decoders._pool._free.pop() for _ in range(pictures.DECODERS)]
    try:
        with pytest.raises(TransientError, match="came free"):
            pictures.prepare(GIF, NOTHING, LIMIT)
    finally:
        for place in taken:
            decoders._pool._give(place)
    assert outcome(GIF) == ""


@pytest.mark.usefixtures("fresh")
def test_a_decoder_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "a secret")
    assert outcome(GIF) == ""
    assert children()
    assert all("GEMINI_API_KEY" not in child.environ() for child in children())


@pytest.mark.usefixtures("fresh")
def test_decoders_end_with_the_function() -> None:
    assert outcome(GIF) == ""
    found = children()
    decoders.close()
    assert found
    assert not any(child.is_running() for child in found)


# A decoder that works until a file is there, and then says what one says.
BUSY = """
import os
from functions.pictures.decoding import worker

def answer(request, data):
    while not os.path.exists(request["until"]):
        pass
    told = {"mime_type": "image/jpeg", "width": 1, "height": 1, "note": "", "media": "image"}
    words = {"alt_text": "", "caption": "", "title": "", "language": ""}
    told |= {"duration_seconds": None}
    return told | {"embedded": words}, b"\\xff\\xd8\\xff\\xd9"

worker.main(1 << 28, answer)
"""


def test_a_slow_image_gives_way_to_those_that_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(decoders, "PATIENCE_SECONDS", 0.1)
    places = decoders.DecoderPool(lambda: decoders.Decoder("-c", BUSY))
    end = tmp_path / "end"
    places.decode({"until": str(tmp_path)}, b"")  # a decoder is at hand
    ended: list[str] = []

    def decode(name: str, until: Path) -> None:
        places.decode({"until": str(until)}, b"")
        ended.append(name)

    slow = [threading.Thread(target=decode, args=(f"slow {i}", end)) for i in range(3)]
    for thread in slow:
        thread.start()
    until(lambda: len(places._waiting) == 2)
    decode("honest", tmp_path)
    end.touch()
    for thread in slow:
        thread.join()
    places.close()
    assert ended[0] == "honest"
    assert len(ended) == 4


def test_the_second_attempt_at_a_killer_costs_half_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoders, "DECODE_SECONDS", 0.9)
    breaks_late = "import sys, time; sys.stdin.buffer.read(8); time.sleep(0.6)"
    places = decoders.DecoderPool(lambda: decoders.Decoder("-c", breaks_late))
    with pytest.raises(decoders.Overtime):
        places.decode({}, b"")
    places.close()


def test_packed_text_takes_no_more_memory_than_a_file_may_have_text() -> None:
    data = crafted.gzipped_text_chunks(64, 1 << 20)
    more = [drawn.chunk(b"zTXt", b"Description\0\0" + zlib.compress(bytes(1 << 20)))] * 64
    assert len(data) < 100_000
    tracemalloc.start()
    try:
        assert pictures.prepare(drawn.png_with(data, *more), GEMINI, LIMIT).embedded
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_heif_with_a_wall_of_properties_is_not_walked_to_its_end() -> None:
    data = drawn.heic()
    at = data.find(b"ipma") - 4
    entries = (b"\0\1\xff" + b"\1" * 255) * 9_000
    box = (16 + len(entries)).to_bytes(4, "big") + b"ipma\0\0\0\0"
    box += (9_000).to_bytes(4, "big") + entries
    old = int.from_bytes(data[at : at + 4], "big")
    forged = bytearray(data[:at] + box + data[at + old :])
    for name in (b"meta", b"iprp"):
        where = forged.find(name) - 4
        size = int.from_bytes(forged[where : where + 4], "big") + len(box) - old
        forged[where : where + 4] = size.to_bytes(4, "big")
    with pytest.raises(Damaged, match="more properties"):
        heif.survey(bytes(forged))


def test_megabytes_of_fill_are_skipped_in_one_step() -> None:
    jpeg = drawn.encoded(drawn.quarters(), "JPEG")
    picture = pictures.prepare(jpeg[:2] + b"\xff" * 10_000_000 + jpeg[2:], GEMINI, LIMIT)
    assert picture.mime_type == "image/jpeg"


@pytest.mark.parametrize("size", [b"\x10\0\0\0", b"\0\0\x10\0", b"\0\0\0\0"])
@pytest.mark.parametrize("profile", [b"", b"ICCP\x04\0\0\0abcd"])
def test_a_webp_without_width_or_height_is_refused(size: bytes, profile: bytes) -> None:
    pixels = b"VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a" + size
    body = b"WEBP" + profile + pixels
    with pytest.raises(PermanentError):
        pictures.prepare(b"RIFF" + len(body).to_bytes(4, "little") + body, GEMINI, LIMIT)


def test_a_packed_drawing_full_of_declarations_is_read_in_one_pass() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?>' + drawn.svg().decode()
    text += "<?xml " * 200_000
    assert outcome(gzip.compress(text.encode("utf-16"))) == "corrupt_image"


def test_a_filter_that_costs_more_than_its_pixels_is_drawn_smaller() -> None:
    blur = '<filter id="f"><feMorphology operator="dilate" radius="8"/>'
    blur += '<feConvolveMatrix order="15" kernelMatrix="' + "1 " * 225 + '"/></filter>'
    shape = '<rect width="32" height="20" fill="red" filter="url(#f)"/>'
    picture = pictures.prepare(
        drawn.svg(blur + shape * 20, attributes='width="64" height="40"'), NOTHING, LIMIT
    )
    assert (picture.width, picture.height) == (64, 40)
