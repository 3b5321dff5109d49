"""``captions demo``: the whole way from a stored picture to its caption, in a few seconds."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from functions.adapters import ollama_server
from functions.cli import contact_sheet, output
from functions.cli.contact_sheet import RealModel
from functions.cli.options import common
from functions.cli.session import Choice, choose_model, choose_model_aloud, session
from functions.core.document import Status
from functions.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from functions.local.folder_bucket import Result

_AT_ONCE = 8
_ROOMY = 100
_COLUMNS = ("Picture", "Status", "Alt text", "Source", "Model", "Tokens", "Cost", "ms")


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to draw the pictures; files that are there stay. Default: a temporary folder.",
)
@common
def demo(folder: Path | None) -> None:
    """Draw sample pictures, caption them, show what came out.

    The pictures go through the deployed functions' own entry points, as the events that Cloud
    Storage sends. With GEMINI_API_KEY set, Gemini describes them.
    """
    choice = choose_model_aloud() if session().json else choose_model()
    folder = _made(folder)
    os.environ["CAPTION_LOCAL"] = str(folder)
    out = output.console()
    results, expected = _captioned(folder)
    if session().json:
        for result in results:
            if result.document:
                click.echo(output.as_json(output.record(result.document)))
    else:
        _show(out, results, choice, folder)
    out.file.flush()
    unexpected = [each for each in results if _status(each) != expected[each.name]]
    for each in unexpected:
        click.echo(f"{each.name} should be {expected[each.name]}: {_reason(each)}", err=True)
    if unexpected or len(results) < len(expected):
        raise SystemExit(1)


def _made(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="captions-demo-")).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"--folder {folder}: {error.strerror}") from None
    return folder.resolve()


def _captioned(folder: Path) -> tuple[list[Result], dict[str, str]]:
    """What became of the samples, and the status that each should end in."""
    from functions.cli.sample_pictures import SAMPLES, draw_into
    from functions.local.folder_bucket import FolderBucket
    from functions.local.server import BRIEF, Functions

    progress = output.console(stderr=True)
    with progress.status("Drawing and captioning ..."), Functions(folder) as served:
        draw_into(folder)
        bucket = FolderBucket(folder, Settings.from_env(os.environ), served)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            results = pool.map(lambda sample: bucket.store(sample.name, BRIEF), SAMPLES)
            done = [result for result in results if result]
    return done, {sample.name: sample.status for sample in SAMPLES}


def _status(result: Result) -> str:
    if result.document:
        return result.document.status
    return result.outcome.outcome or "failed"


def _reason(result: Result) -> str:
    problem = output.problem(result.document) if result.document else ""
    return problem or result.outcome.message or "the functions gave no answer"


def _show(out: Console, results: Sequence[Result], choice: Choice, folder: Path) -> None:
    out.print()
    out.print(_table(out, results))
    out.print()
    facts = output.facts()
    facts.add_row("Model", output.model(choice))
    better = _better(choice)
    sheet = contact_sheet.write(folder, results, choice, better)
    facts.add_row("Contact sheet", output.text(sheet.as_uri(), "bold"))
    facts.add_row("Pictures", output.text(folder))
    facts.add_row("Captions", output.text(folder / ".captions" / "captions.db"))
    facts.add_row("Log", output.text(folder / ".captions" / "functions.log"))
    program = _program()
    facts.add_row("Next", output.text(f"{program} serve {folder}", "bold"))
    facts.add_row("", output.text(f"{program} list --local {folder}", "bold"))
    facts.add_row("", output.text(better.line if better else f"{program} caption PICTURE", "bold"))
    out.print(facts)


def _better(choice: Choice) -> RealModel | None:
    """The line that has the pictures described, where nobody has looked at them: by what is there
    already, or else with a key."""
    if choice.model.provider != "offline":
        return None
    for offer in choice.offers:
        assigned, _, why = offer.partition(", as ")
        if assigned.startswith("CAPTION_MODEL="):
            return RealModel(f"{assigned} {_program()} demo", f"{why}.")
        if assigned == ollama_server.PULL:
            model = assigned.rpartition(" ")[2]
            chosen = f"CAPTION_MODEL=ollama:{model} {_program()} demo"
            return RealModel(f"{assigned} && {chosen}", f"{why}.")
    line = f"GEMINI_API_KEY=... {_program()} demo"
    return RealModel(line, "A key for Gemini comes from https://aistudio.google.com/apikey.")


def _table(out: Console, results: Sequence[Result]) -> Table:
    """A column for each fact where there is room; related facts one above the other elsewhere."""
    if output.piped(out):
        table = output.table(out, *_COLUMNS)
        for each in results:
            table.add_row(*_cells(each))
        return table
    roomy = out.width >= _ROOMY
    by, price = ("Source / model", "Cost / tokens") if roomy else ("Source", "Cost")
    table = output.table(out, "Picture", "Alt text*", by, f"{price}>", "ms>")
    table.columns[0].max_width = 20
    for each in results:
        name, status, words, source, model, tokens, cost, ms = _cells(each)
        answered = [source, model] if roomy else [source]
        table.add_row(
            output.stacked(name, status),
            words,
            output.stacked(*answered),
            output.stacked(cost, tokens),
            ms,
        )
    return table


def _cells(result: Result) -> list[Text]:
    document, status = result.document, _status(result)
    milliseconds = output.text(result.outcome.duration_ms)
    name = output.text(result.name, "bold")
    if document is None:
        words = output.text(
            (result.outcome.reason or result.outcome.message).replace("_", " "), "dim"
        )
        return [name, output.status(status), words, *[output.text("")] * 4, milliseconds]
    usage = document.usage
    tokens, cost = f"{usage.input_tokens}+{usage.output_tokens}", output.money(usage.cost_usd)
    captioned = status == Status.CAPTIONED
    return [
        name,
        output.status(status),
        output.text(output.words(document), "" if captioned else "dim"),
        output.text(document.source),
        output.text(document.model if captioned else "", "dim"),
        output.text(tokens if usage.input_tokens else "", "dim"),
        output.text(cost if usage.model_calls else ""),
        milliseconds,
    ]


def _program() -> str:
    """How this command line is called again."""
    if shutil.which("captions"):
        return "captions"
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{Path(sys.executable).name} -m functions.cli"
    return os.path.relpath(program) if program.is_relative_to(Path.cwd()) else str(program)
