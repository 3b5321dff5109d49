"""Documents as maps, whatever people and programs have made of them meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.document import Proposal, Review, Source, Status
from functions.core.document_records import from_record, to_record
from tests.support.documents import plain_document

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MUG = plain_document("n", at=NOW, bucket="b", generation=2**62)


def test_a_generation_is_kept_as_text_and_what_is_absent_is_left_out() -> None:
    record = to_record(MUG)
    assert record["generation"] == str(2**62)
    assert "proposal" not in record
    assert None not in record.values()


def test_a_document_survives_the_way_through_its_map() -> None:
    whole = replace(
        MUG,
        alt_text="A mug",
        tags=("a",),
        source=Source.HUMAN,
        review=Review(True, ("x",)),
        proposal=Proposal(alt_text="other", tags=("b",), at=NOW),
        translations={"de": {"alt_text": "Becher"}},
    )
    assert from_record(to_record(whole)) == whole


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"status": "done"}, "status", Status.PENDING),
        ({"source": "cms"}, "source", Source.HUMAN),
        ({"source": None}, "source", Source.NONE),
        ({"lease": "me"}, "lease", None),
        ({"lease": {"holder": "me"}}, "lease", None),
        ({"review": 7}, "review", Review()),
        ({"proposal": []}, "proposal", None),
        ({"tags": None}, "tags", ()),
        ({"unknown": 1}, "alt_text", ""),
    ],
)
def test_what_others_wrote_into_a_document_is_read_as_far_as_it_goes(
    changes: dict[str, Any], field: str, value: object
) -> None:
    assert getattr(from_record(to_record(MUG) | changes), field) == value


def test_an_empty_map_is_an_image_still_to_be_captioned() -> None:
    document = from_record({})
    assert (document.status, document.generation) == (Status.PENDING, 0)
