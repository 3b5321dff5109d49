"""Two versions at once on one store, as while a new one is deployed or taken back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.pictures import jpeg
from tests.support.serving import serving
from tests.support.stack import Cloud

NAME = "shop/mug.jpg"
# What a version that nobody has written yet may add.
LATER = {"of_the_future": {"deep": [1, {"er": "x"}]}, "another": 7}


def test_what_a_later_version_has_done_is_not_done_again(cloud: Cloud) -> None:
    event = cloud.put(NAME, jpeg())
    assert cloud.deliver(event) == 200
    cloud.write(NAME, (cloud.document(NAME) or {}) | LATER)
    before = cloud.document(NAME)

    cloud.restart()
    assert cloud.deliver(event) == 200
    assert cloud.document(NAME) == before, "what it does not know stays while it has nothing to do"
    assert cloud.model.count == 1


def test_a_claim_of_the_other_version_is_respected_until_it_ends(cloud: Cloud) -> None:
    event = cloud.put(NAME, jpeg())
    assert cloud.deliver(event) == 200
    done = cloud.document(NAME) or {}
    now = datetime.now(UTC)
    claim = {"holder": "a-later-version", "expires_at": now + timedelta(seconds=60)}
    pending = {key: value for key, value in done.items() if key not in {"caption", "alt_text"}}
    cloud.write(NAME, pending | LATER | {"status": "pending", "lease": claim})

    assert cloud.deliver(event) >= 500
    assert cloud.model.count == 1

    cloud.write(NAME, pending | LATER | {"status": "pending", "lease": claim | {"expires_at": now}})
    assert cloud.deliver(event) == 200
    document = cloud.document(NAME) or {}
    assert document["status"] == "captioned"
    assert {name: document[name] for name in LATER} == LATER, "it is left for those who know it"


def test_a_source_that_this_version_does_not_know_is_taken_for_a_persons(cloud: Cloud) -> None:
    assert cloud.deliver(cloud.put(NAME, jpeg())) == 200
    written = {"source": "oracle", "alt_text": "What the oracle said"}
    cloud.write(NAME, (cloud.document(NAME) or {}) | written)

    assert cloud.deliver(cloud.put(NAME, jpeg(1))) == 200
    document = cloud.document(NAME) or {}
    assert document["alt_text"] == "What the oracle said"
    assert document["proposal"]["alt_text"]


def test_a_document_of_an_earlier_version_is_finished(cloud: Cloud) -> None:
    event = cloud.put(NAME, jpeg())
    assert cloud.deliver(event) == 200
    kept = {"bucket", "name", "generation", "status", "alt_text", "caption", "source", "language"}
    earlier = {key: value for key, value in (cloud.document(NAME) or {}).items() if key in kept}
    cloud.write(NAME, earlier)

    assert cloud.deliver(event) == 200
    document = cloud.document(NAME) or {}
    assert (document["alt_text"], document["metadata_synced"]) == (earlier["alt_text"], True)
    assert cloud.model.count == 1


@pytest.mark.parametrize("turn", range(2))
def test_an_event_that_both_versions_get_has_one_effect(
    cloud: Cloud, tmp_path: Path, turn: int
) -> None:
    later = {"CAPTION_MODEL": "gemini:gemini-of-the-future"}
    with (
        serving("caption_image", {"CAPTION_LEASE_SECONDS": "5"}, tmp_path / "old") as old,
        serving("caption_image", {"CAPTION_LEASE_SECONDS": "5", **later}, tmp_path / "new") as new,
        ThreadPoolExecutor(4) as pool,
    ):
        event = cloud.put(NAME, jpeg(turn))
        answers = [pool.submit(each.deliver, event) for each in (old, new, old, new)]
        assert 200 in {each.result() for each in answers}
        assert new.deliver(event) == old.deliver(event) == 200
    document = cloud.document(NAME) or {}
    assert (document["status"], document["metadata_synced"]) == ("captioned", True)
    assert cloud.model.count == 1
