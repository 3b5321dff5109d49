"""What becomes of bad answers: nothing bad reaches a website unmarked."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.support.bad_answers import GOOD, WAYS
from tests.support.documentation import page
from tools.worst_model import Ended, ended, markdown, world

PAGE = page("evaluate")
# Every text that may stand unmarked in the end.
FIT = {
    GOOD,
    "A brown dog running on a beach.",
    "Brown dog running on a beach",
    "Brown dog on a beach",
    "Brown dog near a café",
}
Outcomes = Mapping[tuple[str, bool], Ended]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Each way's end with a model that says so again, and with one that mends it when told."""
    with (
        pytest.MonkeyPatch.context() as patch,
        world(patch, tmp_path_factory.mktemp("bad")) as stack,
    ):
        return {
            (bad.way, mends): ended(stack, bad, mends=mends)
            for bad in WAYS
            for mends in (False, True)
        }


WAY = pytest.mark.parametrize("way", [bad.way for bad in WAYS])


@WAY
def test_no_bad_text_is_published_without_a_mark_for_review(outcomes: Outcomes, way: str) -> None:
    document = outcomes[way, False].document
    if document["status"] == "rejected":
        assert document["error"]["reason"] == "no_caption"
        assert not document["alt_text"]
        assert not document["caption"]
    else:
        assert document["review"]["needed"] or document["alt_text"] in FIT
        assert bool(document["review"]["reasons"]) == document["review"]["needed"]


@WAY
def test_what_the_model_mends_is_published_without_a_mark(outcomes: Outcomes, way: str) -> None:
    document = outcomes[way, True].document
    assert document["status"] == "captioned"
    assert not document["review"]["needed"]
    assert document["alt_text"] in FIT


@WAY
def test_a_bad_answer_costs_one_more_call_at_most(outcomes: Outcomes, way: str) -> None:
    for mends in (False, True):
        end = outcomes[way, mends]
        assert end.calls == end.document["usage"]["model_calls"] <= 2


@WAY
def test_a_published_text_is_plain(outcomes: Outcomes, way: str) -> None:
    document = outcomes[way, False].document
    assert not set(document["alt_text"] + document["caption"]) & set("<>*`\u202e\u202c\n{}")
    assert list(document["tags"]) == sorted({tag.lower() for tag in document["tags"]}, key=(
        document["tags"].index))  # fmt: skip


def test_the_demonstration_has_forty_ways_and_stands_in_the_docs(outcomes: Outcomes) -> None:
    assert len(WAYS) == 40
    assert markdown([outcomes[bad.way, False].row for bad in WAYS]) in PAGE, (
        "docs/evaluate.md's table is old: `make worst-model | cat` prints it"
    )
