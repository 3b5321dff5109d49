"""Stored documents as an earlier version of this package left them."""

from __future__ import annotations

from typing import Any

from functions.adapters.sqlite import SqliteCaptions, connected


def without_priority(store: Any, key: str) -> None:
    """Take the priority out of the document ``key``, which is to be reviewed."""
    if isinstance(store, SqliteCaptions):
        with connected(store._path) as db:
            without = "json_remove(document, '$.review.priority')"
            db.execute(f"update captions set document = {without} where id = ?", (key,))  # noqa: S608
        return
    from google.cloud import firestore

    store._captions.document(key).update({"review.priority": firestore.DELETE_FIELD})
