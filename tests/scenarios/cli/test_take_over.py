"""``captions import firestore:COLLECTION``: what Firebase's extensions left behind."""

from __future__ import annotations

import uuid
from pathlib import Path

from google.cloud import firestore

from tests.support.command_line import captions
from tests.support.pictures import jpeg
from tests.support.stack import Cloud


def test_both_collections_are_taken_over_and_nothing_is_asked_of_a_model(
    cloud: Cloud, tmp_path: Path
) -> None:
    told = cloud.put("a/told.jpg", jpeg(1))
    cloud.put("labelled.jpg", jpeg(2))
    labels, texts = (f"{name}-{uuid.uuid4()}" for name in ("imageLabels", "generate"))
    client = firestore.Client()
    for number in range(3):
        client.collection(texts).add({"image": f"gs://elsewhere/{number}.jpg", "output": "x"})
    client.collection(texts).add(
        {"picture": f"gs://{cloud.bucket}/a/told.jpg", "answer": "A mug on a table."}
    )
    for name in ("a/told.jpg", "labelled.jpg"):
        client.collection(labels).add({"file": f"gs://{cloud.bucket}/{name}", "labels": ["Mug"]})
    client.close()

    named = ("--image-field", "picture", "--text-field", "answer")
    dry = captions("import", f"firestore:{texts}", *named, "--dry-run", where=tmp_path)
    assert (dry.status, cloud.document("a/told.jpg")) == (0, None)
    run = captions("import", f"firestore:{texts}", *named, where=tmp_path)
    assert (run.status, "1 captioned" in run.err, "3 left" in run.err) == (0, True, True)
    tagged = captions("import", f"firestore:{labels}", "--json", where=tmp_path)
    assert sorted(each["done"] for each in tagged.records) == ["left", "tagged"]

    document = cloud.document("a/told.jpg") or {}
    assert (document["alt_text"], document["tags"]) == ("A mug on a table.", ["mug"])
    assert (document["review"]["needed"], document["review"]["reasons"]) == (True, ["imported"])
    assert cloud.deliver(told) == 200, "its event comes again: only the object's labels are written"
    assert cloud.metadata("a/told.jpg")["alt-text"] == "A mug on a table."
    assert cloud.model.count == 0


def test_what_is_no_file_and_no_collection_is_wrong_usage(tmp_path: Path) -> None:
    wrong = captions("import", "imageLabels", where=tmp_path)
    assert (wrong.status, "firestore:COLLECTION" in wrong.err) == (2, True)
    local = captions("import", "firestore:x", "--local", str(tmp_path), where=tmp_path)
    assert (local.status, "CAPTION_LOCAL" in local.err) == (2, True)
