"""What an uploaded video ends in, on the embedded stores and on Firestore with Cloud Storage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from functions.core.document import document_id
from tests.support import pictures, videos
from tests.support.answers import gemini
from tests.support.stack import Cloud, Stack, environment

pytestmark = pytest.mark.stacks("embedded")


@pytest.fixture(scope="module")
def picture() -> bytes:
    return pictures.jpeg()


@pytest.fixture(scope="module")
def clip() -> bytes:
    return videos.mp4()


@pytest.mark.stacks("embedded", "cloud")
def test_a_video_is_captioned_by_one_call_that_says_what_it_shows(
    stack: Stack, clip: bytes
) -> None:
    assert stack.deliver(stack.put("clips/a.mp4", clip, "video/mp4")) == 200

    document = stack.document("clips/a.mp4")
    assert document
    assert document["status"] == "captioned"
    assert (document["media"], document["duration_seconds"]) == ("video", 4.0)
    assert (document["width"], document["height"]) == (96, 64)
    assert document["usage"]["model_calls"] == 1
    assert stack.metadata("clips/a.mp4")["alt-text"] == document["alt_text"]
    (call,) = stack.model.calls
    assert call.image_types == ["image/jpeg"]
    assert "moments of one video of 4 s" in call.text
    assert "in its order" in call.text
    assert "Nothing is known of its sound" in call.text


def test_an_image_says_that_it_is_one_and_is_asked_for_as_before(
    stack: Stack, picture: bytes
) -> None:
    stack.deliver(stack.put("a.jpg", picture))
    document = stack.document("a.jpg")
    assert document
    assert document["media"] == "image"
    assert "duration_seconds" not in document
    assert "sound" not in stack.model.calls[0].text


def test_a_video_is_known_by_its_bytes(stack: Stack, clip: bytes) -> None:
    for name, kind in (
        ("untyped", ""), ("wrong.jpg", "image/jpeg"), ("wrong.txt", "text/plain"),
        ("other.webm", "video/webm"),
    ):  # fmt: skip
        assert stack.deliver(stack.put(name, clip + name.encode(), kind)) == 200
        document = stack.document(name)
        assert document, name
        assert (document["status"], document["media"]) == ("captioned", "video"), name


def test_an_image_that_is_called_a_video_is_captioned_as_an_image(
    stack: Stack, picture: bytes
) -> None:
    assert stack.deliver(stack.put("a.mp4", picture, "video/mp4")) == 200
    document = stack.document("a.mp4")
    assert document
    assert document["media"] == "image"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no video at all", "unsupported_type"),
        (videos.sound_only(), "unsupported_type"),
        (videos.mp4()[:2000], "corrupt_image"),
    ],
    ids=["empty", "text", "sound", "cut off"],
)
def test_a_file_that_claims_to_be_a_video_is_rejected_with_a_reason(
    stack: Stack, data: bytes, reason: str
) -> None:
    assert stack.deliver(stack.put("a.mp4", data, "video/mp4")) == 200
    document = stack.document("a.mp4")
    assert document
    assert (document["status"], document["error"]["reason"]) == ("rejected", reason)
    assert stack.model.count == 0


def test_sound_that_does_not_claim_to_be_a_video_leaves_nothing(stack: Stack) -> None:
    sound = videos.sound_only()
    assert stack.deliver(stack.put("untyped", sound, "application/octet-stream")) == 200
    assert stack.deliver(stack.put("a.m4a", sound, "audio/mp4")) == 200
    assert stack.document("untyped") is None
    assert stack.document("a.m4a") is None

    assert stack.deliver(stack.put("a.mp4", sound, "video/mp4")) == 200
    document = stack.document("a.mp4")
    assert document
    assert document["status"] == "rejected"


def test_parts_of_a_stream_leave_nothing(stack: Stack, clip: bytes) -> None:
    segment = b"\0\0\0\x18stypmsdh\0\0\0\0msdhmsix" + clip
    assert stack.deliver(stack.put("s/1.mp4", segment, "video/mp4")) == 200
    assert stack.deliver(stack.put("s/1.ts", clip, "video/MP2T")) == 200
    assert stack.document("s/1.mp4") is None
    assert stack.document("s/1.ts") is None
    assert {line["reason"] for line in stack.log()} == {"stream_segment"}


@pytest.mark.stacks("embedded", "cloud")
def test_a_video_may_be_larger_than_an_image(
    stack: Stack, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with environment(monkeypatch, {"CAPTION_MAX_BYTES": "1000"}):
        stack.deliver(stack.put("a.mp4", clip, "video/mp4"))
        stack.deliver(stack.put("untyped", clip + b"x", ""))
    for name in ("a.mp4", "untyped"):
        document = stack.document(name)
        assert document
        assert document["status"] == "captioned"


@pytest.mark.stacks("embedded", "cloud")
def test_of_a_large_video_little_is_read(
    stack: Stack, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = clip + (40 << 20).to_bytes(4, "big") + b"free" + bytes((40 << 20) - 8)
    with environment(monkeypatch, {"CAPTION_VIDEO_BYTES": str(1 << 20)}):
        assert stack.deliver(stack.put("a.mp4", large, "video/mp4")) == 200
    document = stack.document("a.mp4")
    assert document
    assert document["status"] == "captioned"
    if isinstance(stack, Cloud):
        asked = [each.headers.get("range", "") for each in stack.storage.sent("GET", "download")]
        assert all(asked)
        assert sum(1 for each in asked) < 6


def test_videos_are_left_alone_where_the_setting_says_so(
    stack: Stack, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with environment(monkeypatch, {"CAPTION_VIDEO": "off"}):
        assert stack.deliver(stack.put("a.mp4", clip, "video/mp4")) == 200
        assert stack.deliver(stack.put("untyped", clip, "")) == 200
        assert stack.deliver(stack.put("b.mp4", b"", "video/mp4")) == 200
        assert stack.deliver(stack.put("wrong.jpg", clip)) == 200
    assert stack.document("a.mp4") is None
    assert stack.document("untyped") is None
    assert stack.document("b.mp4") is None
    document = stack.document("wrong.jpg")
    assert document
    assert document["status"] == "rejected"
    assert stack.model.count == 0


def test_the_same_video_again_is_captioned_by_copying(stack: Stack, clip: bytes) -> None:
    stack.deliver(stack.put("a.mp4", clip, "video/mp4"))
    stack.deliver(stack.put("b.mp4", clip, "video/mp4"))
    one, other = stack.document("a.mp4"), stack.document("b.mp4")
    assert one
    assert other
    assert stack.model.count == 1
    told = ("alt_text", "media", "duration_seconds", "width")
    assert [other[each] for each in told] == [one[each] for each in told]


def test_a_video_that_is_overwritten_by_an_image_is_one_no_longer(
    stack: Stack, clip: bytes, picture: bytes
) -> None:
    stack.deliver(stack.put("a", clip, "video/mp4"))
    stack.deliver(stack.put("a", picture, "image/jpeg"))
    document = stack.document("a")
    assert document
    assert document["media"] == "image"
    assert "duration_seconds" not in document


def test_the_page_for_review_shows_its_moments(stack: Stack, clip: bytes) -> None:
    stack.deliver(stack.put("a.mp4", clip, "video/mp4"))
    shown = stack.client("review").get(
        f"/captions/{document_id(stack.bucket, 'a.mp4')}/thumbnail?size=1024"
    )
    assert shown.status_code == 200
    assert shown.mimetype == "image/jpeg"


def test_a_short_video_goes_to_gemini_as_it_is_where_the_setting_says_so(
    stack: Stack, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with environment(monkeypatch, {"CAPTION_VIDEO": "native"}):
        stack.deliver(stack.put("a.mp4", clip, "video/mp4"))
    document = stack.document("a.mp4")
    assert document
    assert (document["status"], document["media"]) == ("captioned", "video")
    (call,) = stack.model.calls
    assert (call.image_types, call.images) == (["video/mp4"], [clip])
    assert "contact sheet" not in call.text
    assert "Say nothing of its sound" in call.text


@pytest.mark.parametrize(
    "make",
    [
        lambda: videos.mp4(metadata={"location": "+52.5200+013.4050/"}),
        lambda: videos.mp4(metadata={"creation_time": "2026-11-26T09:00:00Z"}),
        lambda: videos.mp4(rate=0.5),
        videos.webm,
    ],
    ids=["place", "time", "long", "webm"],
)
def test_a_video_with_private_data_and_a_long_one_go_as_moments(
    stack: Stack, make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with environment(monkeypatch, {"CAPTION_VIDEO": "native"}):
        stack.deliver(stack.put("a.mp4", make(), "video/mp4"))
    (call,) = stack.model.calls
    assert call.image_types == ["image/jpeg"]


@pytest.mark.parametrize(
    "models",
    ["gemini:gemini-3.5-flash-lite,openai:gpt-5-mini", "openai:gpt-5-mini"],
    ids=["models that stand in for each other", "another model than Gemini"],
)
def test_what_not_every_model_takes_as_it_is_goes_as_moments(
    models: str, stack: Stack, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "CAPTION_VIDEO": "native",
        "CAPTION_MODEL": models,
        "OPENAI_API_KEY": "test-key",
        "OPENAI_BASE_URL": f"{stack.model.url}/v1",
    }
    with environment(monkeypatch, settings):
        stack.deliver(stack.put("a.mp4", clip, "video/mp4"))
    (call,) = stack.model.calls
    assert call.image_types == ["image/jpeg"]


def test_the_times_below_the_moments_are_no_text_of_the_video(stack: Stack, clip: bytes) -> None:
    read = "0:00.0 SALE 0:01.0 0:02.5 0:03.0"
    stack.model.answer(gemini.good(visible_text=read))
    stack.deliver(stack.put("a.mp4", clip, "video/mp4"))
    document = stack.document("a.mp4")
    assert document
    assert document["visible_text"] == "SALE"
