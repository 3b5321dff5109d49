"""``captions serve``: the functions on this machine, and a folder as their bucket."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from functions.cli import output
from functions.cli.options import common
from functions.cli.session import Choice, choose_model, choose_model_aloud, session
from functions.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from functions.local.folder_bucket import Result
    from functions.local.server import Functions

# How often what waits is taken up: tomorrow's limit, what an outage left behind.
KEEP_SECONDS = 60.0
_WITH_TEXT = ("captioned", "renamed")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@click.command()
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="A website that may ask for alt text here, like http://localhost:3000; may be repeated.",
)
@common
def serve(folder: Path, port: int, host: str, origins: tuple[str, ...]) -> None:
    """Caption what is in FOLDER, and whatever is dropped into it.

    The functions run on this machine and take the folder for their bucket: a file that is
    written is captioned, a file that is deleted is forgotten. What waits for tomorrow's limit or
    for a model that is away is taken up by itself. Ctrl-C ends it.
    """
    from functions.local.server import Functions

    os.environ["CAPTION_LOCAL"] = str(folder)
    if origins:
        os.environ["CAPTION_CORS_ORIGINS"] = ", ".join(each.rstrip("/") for each in origins)
    choice = choose_model_aloud() if session().json else choose_model()
    out = output.console()
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        with Functions(folder, host, port) as served:
            for number in _SIGNALS:
                signal.signal(number, _ending(stop, served))
            _run(folder, served, choice, out, stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(
    folder: Path, served: Functions, choice: Choice, out: Console, stop: threading.Event
) -> None:
    from functions.local.folder_bucket import FolderBucket
    from functions.local.watcher import Watcher

    tell = _json_line if session().json else _line
    lock = threading.Lock()

    def show(result: Result) -> None:
        with lock:
            tell(result, out)

    if not session().json:
        _welcome(folder, served, choice, out)
    bucket = FolderBucket(folder, Settings.from_env(os.environ), served)
    watch = Watcher(bucket, show, stop)
    served.keep(KEEP_SECONDS)
    try:
        watch.run()
        if (left := watch.running()) and not session().json:
            out.print(f"Finishing {left} ... (Ctrl-C again leaves them for the next start)")
    finally:
        watch.finish()
    if not session().json:
        out.print("Ended.")


def _ending(stop: threading.Event, served: Functions) -> Callable[[int, FrameType | None], None]:
    """The first signal lets running work finish; a second one leaves it, for its lease to end."""

    def end(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        served.stop.set()

    return end


def _welcome(folder: Path, served: Functions, choice: Choice, out: Console) -> None:
    host, port = served.address
    where = f"[{host}]" if ":" in host else host
    facts = output.facts()
    facts.add_row("Folder", output.text(f"{folder} (drop pictures here)"))
    facts.add_row("Page", output.text(f"http://{where}:{port}/ (or drop them there)"))
    facts.add_row("Model", output.model(choice))
    facts.add_row("Log", output.text(served.log_path))
    facts.add_row("End", output.text("Ctrl-C"))
    out.print(facts)
    out.print()
    out.file.flush()


def _line(result: Result, out: Console) -> None:
    """Time, outcome, name, and the alt text or what stands in its way."""
    outcome = _outcome(result)
    line = output.text(f"{datetime.now():%H:%M:%S} ", "dim")
    line.append_text(output.status(f"{outcome:<10} "))
    if result.before:
        line.append_text(output.text(f"{result.before} -> ", "dim"))
    line.append_text(output.text(result.name, "bold"))
    if message := _message(result, outcome):
        line.append(f"  {output.plain(message)}", "" if outcome in _WITH_TEXT else "dim")
    out.print(line, soft_wrap=True)
    out.file.flush()


def _json_line(result: Result, out: Console) -> None:
    outcome = _outcome(result)
    record = {
        "at": datetime.now().astimezone(),
        "outcome": outcome,
        "name": result.name,
        **({"before": result.before} if result.before else {}),
        "document": output.record(result.document) if result.document else None,
        "message": "" if outcome in _WITH_TEXT else _message(result, outcome),
    }
    print(output.as_json(record), file=out.file, flush=True)


def _outcome(result: Result) -> str:
    if result.outcome.acknowledged or result.outcome.outcome == "waiting":
        return result.outcome.outcome
    return "unfinished"


def _message(result: Result, outcome: str) -> str:
    if outcome in ("waiting", "unfinished"):
        return result.outcome.message
    if result.document:
        return output.words(result.document)
    return result.outcome.reason.replace("_", " ")
