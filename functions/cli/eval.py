"""``captions eval``: a model's captions, measured, kept, and compared with another run's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from functions.cli.options import common


@click.command("eval")
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--references",
    "written",
    type=click.Path(dir_okay=False, path_type=Path),
    help='What people wrote: JSON lines {"path", "alt", "caption"?, "decorative"?}. '
    "Default: references.jsonl in FOLDER, if it is there.",
)
@click.option("--model", "models", multiple=True, help="provider:model; give two to compare them.")
@click.option(
    "--prompt",
    "wording",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A prompt to try in the place of functions/model/prompts/alt-text-1.md.",
)
@click.option("--save", "name", help="The run's name. Default: time and model.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="At most so many pictures, taken evenly.",
)
@click.option("--questions", is_flag=True, help="Ask sixty questions whose answers are known.")
@click.option("--compare", nargs=2, metavar="RUN RUN", help="Two runs side by side; asks no model.")
@common
def evaluate(
    folder: Path | None,
    written: Path | None,
    models: Sequence[str],
    wording: Path | None,
    name: str | None,
    limit: int,
    questions: bool,
    compare: tuple[str, str] | None,
) -> None:
    """Caption the pictures of FOLDER without storing anything, and measure the words.

    Without FOLDER it is drawn sample pictures. Runs are kept in .captions-eval, one file each.
    Status 1 says that a picture could not be asked about.
    """
    from functions.cli import eval_questions, eval_run
    from functions.evals import runs

    if questions:
        if folder or written or wording or name or compare:
            raise click.UsageError("--questions draws its own pictures; give it --model alone")
        raise SystemExit(0 if eval_questions.run(models) else 1)

    if compare:
        if folder or written or models or wording or name:
            raise click.UsageError("--compare reads two kept runs; give it alone")
        eval_run.compare(*(runs.load(runs.place(each)) for each in compare))
        return
    with ExitStack() as stack:
        pictures = eval_run.pictures(folder, written, limit, stack)
        made = eval_run.run(pictures, models, wording, name or "")
    if len(made) == 2:
        eval_run.compare(*made)
    if any(not row.answered for run in made for row in run.rows):
        raise SystemExit(1)
