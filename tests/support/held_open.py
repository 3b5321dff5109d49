"""A database that stays open, as ``captions serve`` has it while it works."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def held_open(path: Path) -> sqlite3.Connection:
    """A connection beside those of the store. Who closes the last one writes SQLite's log into the
    database and removes it, which takes as long as all of a transaction. Close it when done."""
    connection = sqlite3.connect(path)
    connection.execute("select count(*) from captions").fetchone()
    return connection
