"""What is known of an upload before anything is read or paid for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from functions.core.document import Upload
from functions.core.policy import Rule
from functions.usecases import preflight


@pytest.mark.parametrize(
    ("asked", "languages"),
    [
        ("fr", ("fr", "en", "de")),
        ("deu", ("de", "en")),
        ("French", ("fr", "en", "de")),
        (" de_AT , fr", ("de-AT", "en", "de")),
        ("whatever", ("en", "de")),
        ("", ("en", "de")),
    ],
)
def test_the_language_that_an_uploader_means_is_the_main_one(
    asked: str, languages: tuple[str, ...]
) -> None:
    metadata = {"caption-language": asked}
    upload = Upload("b", "a.jpg", 1, metadata=metadata, time=datetime.now(UTC))
    assert preflight.languages(upload, Rule(), ("en", "de")) == languages
