"""What one process makes for all that run the tests together."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Keep all others that ask for ``name`` in ``folder`` waiting while the context lasts."""
    with open(folder / f"{name}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The folder ``name`` in ``folder``, filled by who comes first; nobody sees it half full."""
    made, full = folder / name, folder / f"{name}.full"
    with alone(folder, name):
        if not full.exists():
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            make(made)
            full.touch()
    return made
