"""``captions check`` and ``captions backfill``: a bucket beside its captions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions import composition
from functions.cli.similarity import distribution, drawn
from functions.core.document import Review, document_id
from functions.core.document_records import from_record
from functions.core.report import Report
from functions.usecases.reconcile import Mismatch, MismatchKind, Reconciler, ReconcileReport
from tests.support.answers import gemini
from tests.support.command_line import captions
from tests.support.earlier_version import without_priority
from tests.support.emulators import PubSubEmulator, request
from tests.support.pictures import jpeg
from tests.support.stack import Cloud, Embedded, Stack

LATER = timedelta(hours=1)


def upkeep(settled: timedelta = timedelta(0)) -> Reconciler:
    read = composition.settings()
    stores = composition.store(read), composition.images(read)
    return Reconciler(*stores, composition.policy(read), composition.embeddings_of(read), settled)


def survey(
    stack: Stack, prefix: str = "", by: Reconciler | None = None, **later: Any
) -> ReconcileReport:
    mine = by or upkeep()
    now = datetime.now(UTC) + timedelta(**later)
    listed = mine.uploads(stack.bucket, prefix)
    return mine.survey(mine.documents(stack.bucket, prefix), listed, now)


def faults(found: ReconcileReport) -> set[tuple[MismatchKind, str]]:
    return {(each.fault, each.name) for each in found.findings}


def captioned(stack: Stack, *names: str) -> None:
    for seed, name in enumerate(names):
        assert stack.deliver(stack.put(name, jpeg(seed))) == 200


def rewrite(stack: Stack, name: str, **changes: Any) -> None:
    """Change a document as another program, or a process that died, would leave it."""
    from dataclasses import replace

    store = composition.store(composition.settings())
    stored = store.read(document_id(stack.bucket, name))
    assert stored
    store.replace(stored, replace(stored.document, **changes))


def test_a_bucket_that_is_whole_has_no_faults(stack: Stack) -> None:
    captioned(stack, "a.jpg", "b/c.jpg")
    stack.put("notes.txt", b"no image", "text/plain")

    found = survey(stack)
    assert found.findings == []
    assert (found.images, dict(found.statuses), found.review) == (3, {"captioned": 2}, 0)
    assert found.cost_usd > 2 * 0.000721


def test_each_fault_is_found_and_mended(stack: Stack) -> None:
    captioned(stack, *(f"{number}.jpg" for number in range(5)))
    stack.put("0.jpg", jpeg(10))
    stack.remove("1.jpg")
    rewrite(stack, "2.jpg", metadata_synced=False)
    rewrite(stack, "3.jpg", embedding=None)
    rewrite(stack, "4.jpg", status="pending")
    stack.put("5.jpg", jpeg(5))

    found = survey(stack)
    assert faults(found) == {
        (MismatchKind.OUTDATED, "0.jpg"),
        (MismatchKind.ORPHAN, "1.jpg"),
        (MismatchKind.UNLABELLED, "2.jpg"),
        (MismatchKind.UNEMBEDDED, "3.jpg"),
        (MismatchKind.STRANDED, "4.jpg"),
        (MismatchKind.UNCAPTIONED, "5.jpg"),
    }
    mine = upkeep()
    for each in found.findings:
        if each.fault in {MismatchKind.ORPHAN, MismatchKind.UNLABELLED, MismatchKind.UNEMBEDDED}:
            assert mine.mend(each, Report())
        else:
            assert stack.request(name=each.name) == 200
    assert survey(stack).findings == []
    assert stack.document("1.jpg") is None
    document = stack.document("3.jpg")
    assert document
    assert len(document["embedding"]) == 768


def mended(stack: Stack, fault: MismatchKind, name: str) -> dict[str, Any]:
    """The document whose only fault this was."""
    found = survey(stack)
    assert faults(found) == {(fault, name)}
    assert upkeep().mend(found.findings[0], Report())
    assert survey(stack).findings == []
    document = stack.document(name)
    assert document
    return document


def test_what_is_to_be_reviewed_gets_the_place_that_an_earlier_version_did_not_store(
    stack: Stack,
) -> None:
    captioned(stack, "a.jpg", "b.jpg")
    rewrite(stack, "a.jpg", review=Review(True, ("refusal",)))
    rewrite(stack, "b.jpg", review=Review(True, ("refusal",)))
    store = composition.store(composition.settings())
    without_priority(store, document_id(stack.bucket, "a.jpg"))

    document = mended(stack, MismatchKind.UNPRIORITISED, "a.jpg")
    assert document["review"]["priority"] == 750


def test_what_an_earlier_version_stored_is_found_by_the_words_of_this_one(stack: Stack) -> None:
    captioned(stack, "a.jpg", "b.jpg")
    rewrite(stack, "a.jpg", alt_text="A café", search_terms=("a", "café"))

    document = mended(stack, MismatchKind.UNINDEXED, "a.jpg")
    assert "cafe" in document["search_terms"]


def test_a_dead_deliverys_claim_on_a_deleted_image_is_swept(stack: Stack) -> None:
    """The one thing that no event mends."""
    captioned(stack, "a.jpg")
    rewrite(stack, "a.jpg", status="pending", metadata_synced=False)
    stack.remove("a.jpg")

    found = survey(stack)
    assert faults(found) == {(MismatchKind.ORPHAN, "a.jpg")}
    assert upkeep().mend(found.findings[0], Report())
    assert stack.document("a.jpg") is None


def test_what_may_have_an_event_coming_is_no_fault_yet(stack: Stack) -> None:
    captioned(stack, "a.jpg", "b.jpg")
    rewrite(stack, "a.jpg", status="pending")
    rewrite(stack, "b.jpg", metadata_synced=False)
    stack.put("c.jpg", jpeg(3))
    patient = upkeep(timedelta(minutes=15))

    found = survey(stack, by=patient)
    assert (found.findings, found.arriving) == ([], 3)
    later = survey(stack, by=patient, hours=1)
    assert faults(later) == {(MismatchKind.UNCAPTIONED, "c.jpg")}


def test_work_in_progress_is_no_fault(stack: Stack) -> None:
    from functions.core.document import Lease

    captioned(stack, "a.jpg")
    lease = Lease("somebody", datetime.now(UTC) + LATER)
    rewrite(stack, "a.jpg", status="pending", lease=lease)
    assert survey(stack).findings == []


def test_a_removal_spares_an_image_that_is_there_again(stack: Stack) -> None:
    captioned(stack, "a.jpg")
    stack.remove("a.jpg")
    (finding,) = survey(stack).findings
    captioned(stack, "a.jpg")

    assert not upkeep().mend(finding, Report())
    document = stack.document("a.jpg")
    assert document
    assert document["status"] == "captioned"


def test_a_newer_image_is_not_labelled_with_the_older_ones_words(stack: Stack) -> None:
    captioned(stack, "a.jpg")
    rewrite(stack, "a.jpg", metadata_synced=False)
    (finding,) = survey(stack).findings
    stack.put("a.jpg", jpeg(9))

    assert not upkeep().mend(finding, Report())
    assert "alt-text" not in stack.metadata("a.jpg")


def test_only_the_prefix_is_surveyed(stack: Stack) -> None:
    captioned(stack, "a/1.jpg", "b/1.jpg")
    stack.remove("b/1.jpg")
    stack.put("b/2.jpg", jpeg(5))

    assert survey(stack, "a/").findings == []
    assert faults(survey(stack, "b/")) == {
        (MismatchKind.ORPHAN, "b/1.jpg"),
        (MismatchKind.UNCAPTIONED, "b/2.jpg"),
    }


def test_without_an_embedding_model_no_embedding_is_missed(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioned(stack, "a.jpg")
    rewrite(stack, "a.jpg", embedding=None)
    monkeypatch.setenv("CAPTION_EMBEDDING_MODEL", "")
    stack.restart()
    assert survey(stack).findings == []


def test_a_document_written_while_the_bucket_is_listed_is_no_missing_one(stack: Stack) -> None:
    captioned(stack, "a.jpg")
    event = stack.put("b.jpg", jpeg(5))
    mine = upkeep()
    before = list(mine.documents(stack.bucket))
    assert stack.deliver(event) == 200

    found = mine.survey(before, mine.uploads(stack.bucket), datetime.now(UTC))
    assert found.findings == []


def test_an_image_that_the_listing_missed_is_no_orphan(stack: Stack) -> None:
    captioned(stack, "a.jpg")
    mine = upkeep()
    found = mine.survey(mine.documents(stack.bucket), [], datetime.now(UTC))
    assert found.findings == []


def test_more_images_than_a_page_are_all_compared(embedded: Embedded) -> None:
    captioned(embedded, "a.jpg")
    document = embedded.document("a.jpg")
    assert document
    store = composition.store(composition.settings())
    for number in range(320):
        name = f"x/{number}.jpg"
        assert store.create(from_record(document | {"name": name}))
        if number >= 5:
            embedded.put(name, jpeg())
    found = survey(embedded)
    assert {each.fault for each in found.findings} == {MismatchKind.ORPHAN, MismatchKind.OUTDATED}
    assert sum(each.fault is MismatchKind.ORPHAN for each in found.findings) == 5
    assert found.statuses["captioned"] == 321


def uncaptioned(stack: Stack, force: bool = False) -> list[str]:
    mine = upkeep()
    return [each.name for each in mine.uncaptioned(mine.uploads(stack.bucket), force)]


def test_a_backfill_wants_what_has_no_finished_caption(stack: Stack) -> None:
    captioned(stack, "deferred.jpg", "done.jpg", "failed.jpg", "old.jpg", "pending.jpg")
    stack.put("old.jpg", jpeg(9))
    for status in ("deferred", "failed", "pending"):
        rewrite(stack, f"{status}.jpg", status=status)
    stack.deliver(stack.put("broken.jpg", b"broken"))
    stack.put("new.jpg", jpeg(5))
    stack.put("notes.txt", b"text", "text/plain")
    stack.put("skipped.jpg", jpeg(6), caption_skip="true")

    wanted = ["deferred.jpg", "failed.jpg", "new.jpg", "old.jpg", "pending.jpg"]
    assert uncaptioned(stack) == wanted
    assert uncaptioned(stack, force=True) == sorted([*wanted, "broken.jpg", "done.jpg"])


def test_a_folder_is_backfilled_and_then_whole(embedded: Embedded, tmp_path: Path) -> None:
    for number in range(3):
        embedded.put(f"{number}.jpg", jpeg(number))

    dry = captions("backfill", "--dry-run", where=tmp_path)
    assert (dry.status, dry.out.split()) == (0, [f"gs://local/{each}.jpg" for each in range(3)])
    assert "3 images to caption: about $0.0027 with gemini" in dry.err
    assert embedded.model.count == 0
    assert captions("check", where=tmp_path).status == 1

    one = captions("backfill", "--limit", "1", where=tmp_path)
    assert (one.status, embedded.model.count) == (0, 1), one.err
    assert captions("backfill", "gs://local", where=tmp_path).status == 0
    assert captions("backfill", where=tmp_path).err.startswith("0 images to caption")
    assert embedded.model.count == 3
    whole = captions("check", where=tmp_path)
    assert (whole.status, "3 captioned" in whole.out) == (0, True), whole.err


def test_check_says_what_is_wrong_and_fix_mends_it(embedded: Embedded, tmp_path: Path) -> None:
    captioned(embedded, "a.jpg", "b.jpg", "c.jpg")
    embedded.remove("a.jpg")
    rewrite(embedded, "b.jpg", metadata_synced=False, embedding=None)
    embedded.put("d.jpg", jpeg(5))

    said = captions("check", "--json", where=tmp_path)
    *found, summary = said.records
    assert said.status == 1
    assert {(each["fault"], each["uri"]) for each in found} == {
        ("orphan", "gs://local/a.jpg"),
        ("unlabelled", "gs://local/b.jpg"),
        ("uncaptioned", "gs://local/d.jpg"),
    }
    assert (summary["images"], summary["statuses"]) == (3, {"captioned": 3})
    assert "orphan  gs://local/a.jpg" in captions("check", where=tmp_path).out

    fixed = captions("check", "--fix", where=tmp_path)
    assert fixed.status == 0, fixed.err
    assert "2 faults mended" in fixed.err
    after = captions("check", "--json", where=tmp_path)
    assert (after.status, after.records[-1]["statuses"]) == (0, {"captioned": 3})
    document = embedded.document("b.jpg")
    assert document
    assert len(document["embedding"]) == 768


def test_what_cannot_be_mended_yet_is_named(embedded: Embedded, tmp_path: Path) -> None:
    captioned(embedded, "a.jpg")
    rewrite(embedded, "a.jpg", embedding=None)
    embedded.model.always_embed(gemini.ERRORS["overloaded"])

    run = captions("check", "--fix", where=tmp_path)
    assert run.status == 1
    assert "a.jpg: unavailable: Gemini answered 503" in run.err


def test_another_embedding_model_makes_all_embeddings_anew(
    embedded: Embedded, tmp_path: Path
) -> None:
    captioned(embedded, "a.jpg", "b.jpg")
    for name in ("a.jpg", "b.jpg"):
        rewrite(embedded, name, embedding=(1.0,) + (0.0,) * 767, similarity=0.5)

    assert captions("check", where=tmp_path).status == 0
    run = captions("check", "--fix", "--embed-anew", where=tmp_path)
    assert (run.status, "2 faults mended" in run.err) == (0, True), run.err
    for name in ("a.jpg", "b.jpg"):
        document = embedded.document(name)
        assert document
        assert document["embedding"][0] != 1
        assert "similarity" not in document


def test_similarity_is_measured_when_asked_and_kept(embedded: Embedded, tmp_path: Path) -> None:
    captioned(embedded, "a.jpg", "b.jpg")
    assert captions("check", "--json", where=tmp_path).records[-1]["unmeasured"] == 2

    measured = captions("check", "--measure", where=tmp_path)
    assert measured.status == 0, measured.err
    assert "2 captions to measure: about $0.0002." in measured.err
    assert "Similarity of 2 captions and images" in measured.out
    document = embedded.document("a.jpg")
    assert document
    assert document["similarity"] == pytest.approx(1)
    assert document["usage"]["cost_usd"] > 0.000721 + 258 * 0.45e-6
    again = captions("check", "--json", where=tmp_path).records[-1]
    assert (again["unmeasured"], again["similarity"]["measured"]) == (0, 2)


def test_a_distribution_shows_what_each_threshold_would_send_to_review() -> None:
    spread = distribution([0.21, 0.31, 0.33, 0.41])
    assert spread
    assert spread["histogram"] == {"0.20": 1, "0.25": 0, "0.30": 2, "0.35": 0, "0.40": 1}
    assert spread["below"]["0.30"] == 0.25
    assert spread["below"]["0.45"] == 1
    assert (spread["quantiles"]["0%"], spread["quantiles"]["100%"]) == (0.21, 0.41)
    marked = [line for line in drawn(spread, 0.3).splitlines() if "THRESHOLD" in line]
    assert marked == [line for line in drawn(spread, 0.3).splitlines() if line.startswith("  0.30")]
    assert distribution([]) is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check", "shop/a.jpg"), "write gs://BUCKET[/PREFIX]"),
        (("backfill", "gs://"), "write gs://BUCKET[/PREFIX]"),
        (("check", "gs://elsewhere"), "whose bucket is called local"),
    ],
)
def test_what_is_no_bucket_is_wrong_usage(
    embedded: Embedded, tmp_path: Path, arguments: Iterable[str], says: str
) -> None:
    run = captions(*arguments, where=tmp_path)
    assert (run.status, says in run.err) == (2, True), run.err


def test_a_bucket_in_the_cloud_is_backfilled_through_the_topic(
    cloud: Cloud, pubsub_emulator: PubSubEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioned(cloud, "done.jpg")
    cloud.put("sub/new.jpg", jpeg(5))
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    topic = pubsub_emulator.create_topic("backfills")
    monkeypatch.setenv("CAPTION_REQUEST_TOPIC", "backfills")
    pulling = f"{pubsub_emulator.url}/v1/{topic.replace('/topics/', '/subscriptions/')}"
    request(pulling, "PUT", {"topic": topic})

    run = captions("backfill", "gs://pictures/sub/", where=tmp_path)
    assert (run.status, "1 image asked for." in run.err) == (0, True), run.err
    (received,) = request(f"{pulling}:pull", "POST", {"maxMessages": 10})["receivedMessages"]
    kind = "google.cloud.pubsub.topic.v1.messagePublished"
    assert cloud.deliver({"message": received["message"]}, kind, "caption_request") == 200
    document = cloud.document("sub/new.jpg")
    assert document
    assert document["status"] == "captioned"

    checked = captions("check", "gs://pictures", "--json", where=tmp_path)
    assert (checked.status, json.loads(checked.out)["images"]) == (0, 2), checked.err
    missing = captions("check", "gs://no-such-bucket", where=tmp_path)
    assert (missing.status, "there is no bucket gs://no-such-bucket" in missing.err) == (1, True)


def test_a_finding_about_something_that_is_gone_is_left(stack: Stack) -> None:
    finding = Mismatch(MismatchKind.UNLABELLED, stack.bucket, "nothing.jpg", 1)
    assert not upkeep().mend(finding, Report())
