"""What of an upload holds up others, and what does not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.adapters.offline import OfflineCaptioner
from functions.core.document import Accepts, Answer, Embedding, Picture, Prompt
from functions.core.errors import TransientError
from functions.core.lease import LeaseRequest
from functions.core.policy import Policy
from functions.core.ports import ImageStore
from functions.core.report import Report
from functions.core.work_limiter import WorkLimiter
from functions.settings import Settings
from functions.usecases import find_copy
from functions.usecases.caption_image import Captioning
from tests.chaos.places import EmbeddedPlace
from tests.support.pictures import jpeg

PATIENCE = 20.0
WORDS = "A red bicycle leans on a wall."


class Meeting:
    """A captioner and an embedder; one of the two answers only when two are asking it."""

    model = "test:model"
    accepts = Accepts(frozenset({"image/jpeg"}), 2**20, 1024)

    def __init__(self, *, at_the_embedder: bool) -> None:
        self._at_the_embedder = at_the_embedder
        self._two = threading.Barrier(2)

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        if not self._at_the_embedder:
            self._two.wait(PATIENCE)
        return Answer(json.dumps({"caption": WORDS, "alt_text": WORDS, "tags": []}))

    def words(self, text: str) -> Embedding:
        if self._at_the_embedder:
            self._two.wait(PATIENCE)
        return Embedding((1.0,), 10)

    def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[EmbeddedPlace]:
    made = EmbeddedPlace(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("at_the_embedder", [False, True], ids=["the model", "the embedder"])
def test_an_upload_goes_on_while_another_one_waits_for(
    place: EmbeddedPlace, at_the_embedder: bool
) -> None:
    asked = Meeting(at_the_embedder=at_the_embedder)
    captioning = Captioning(
        Settings.from_env({"CAPTION_MODEL": "offline"}),
        Policy.empty(),
        place.captions,
        place.images,
        asked,
        embedder=asked,
        limiter=WorkLimiter(1, processor=time.monotonic, patience=1000.0),  # one at a time
    )
    reports = [Report(), Report()]
    uploads = [place.put(name, jpeg(seed), {}) for seed, name in enumerate(("a.jpg", "b.jpg"))]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(captioning.caption, uploads, reports))
    assert [each.outcome for each in reports] == ["captioned", "captioned"]


class Unlabelled:
    """Images that take no labels for now."""

    def __init__(self, images: ImageStore) -> None:
        self._images = images

    def __getattr__(self, name: str) -> Any:
        return getattr(self._images, name)

    def label(self, *_: object) -> None:
        raise TransientError("Cloud Storage is away")


def test_a_caption_is_there_for_copies_before_its_labels_stand(place: EmbeddedPlace) -> None:
    captioning = Captioning(
        Settings.from_env({"CAPTION_MODEL": "offline"}),
        Policy.empty(),
        place.captions,
        Unlabelled(place.images),
        OfflineCaptioner(),
    )
    upload = place.put("a.jpg", jpeg(), {})
    with pytest.raises(TransientError):
        captioning.caption(upload, Report())
    stored = place.captions.read(upload.id)
    assert stored
    assert find_copy.needs_no_model(
        place.captions,
        replace(upload, name="b.jpg"),
        LeaseRequest(
            "", stored.document.model, stored.document.prompt, stored.read_at, timedelta()
        ),
    )
