"""What an instance does before the platform takes it away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from functions.adapters.folder import BUCKET, FolderImages, database
from functions.adapters.sqlite import SqliteCaptions
from tests.support.answers import gemini
from tests.support.model_server import ModelServer
from tests.support.pictures import jpeg
from tests.support.serving import serving
from tests.support.stack import model_settings


def test_a_call_that_was_reserved_and_refused_is_given_back(
    tmp_path: Path, model_server: ModelServer
) -> None:
    model_server.always(gemini.ERRORS["overloaded"])
    (tmp_path / "a.jpg").write_bytes(jpeg())
    upload = FolderImages(tmp_path).look_up(BUCKET, "a.jpg")
    assert upload
    event = {"bucket": BUCKET, "name": "a.jpg", "generation": str(upload.generation)}
    settings = model_settings(model_server) | {"CAPTION_LOCAL": str(tmp_path)}
    store, today = SqliteCaptions(database(tmp_path)), datetime.now(UTC).date().isoformat()
    with serving("caption_image", settings) as served:
        assert served.deliver(event | {"contentType": "image/jpeg"}) == 500
        assert store.reserved(today) == 1
        served.terminate()
        assert served.process.wait(20) == 0

    assert store.reserved(today) == 0
