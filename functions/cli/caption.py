"""``captions caption``: images that somebody names, now."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from functions import composition
from functions.adapters.folder import BUCKET
from functions.cli import output
from functions.cli.options import common
from functions.cli.session import choose_model_aloud, located, session, settings
from functions.core.document import CaptionRequest, Document, Status, document_id
from functions.core.errors import CaptionError, ConfigurationError, Held
from functions.settings import Settings

if TYPE_CHECKING:
    from functions.core.ports import CaptionStore
    from functions.usecases.caption_image import Captioning

_AT_ONCE = 8
_SKIPPED = {
    "not_an_image": "it is not an image",
    "video": "CAPTION_VIDEO=off leaves videos alone",
    "stream_segment": "it is a part of a video stream",
    "caption-skip": "its metadata says caption-skip",
    "resized_copy": "it is a resized copy, by its metadata",
    "rule": "a rule of the policy says so",
}


@dataclass(frozen=True, slots=True)
class Job:
    """An image to caption, as it was named, and where."""

    named: str
    bucket: str
    name: str
    use_cases: UseCases


@dataclass(frozen=True, slots=True)
class UseCases:
    """The use cases on one pair of stores."""

    captioning: Captioning
    captions: CaptionStore


@click.command()
@click.argument("image", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Ask again for images that have a caption.")
@common
def caption(image: Sequence[str], force: bool) -> None:
    """Caption images now: gs://BUCKET/NAME, or files.

    With --local FOLDER, files are those of the folder and their captions are kept in it. A file
    named without it is captioned on the spot, and nothing is stored.
    """
    with ExitStack() as stack:
        jobs = _jobs(image, stack)
        work(jobs, force)


def work(jobs: Sequence[Job], force: bool = False) -> None:
    """Caption them, several at once, and print each result; exit with 1 if any has failed."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        failed = _show(jobs, _results(jobs, force, pool))
    if failed:
        raise SystemExit(1)


def _results(
    jobs: Sequence[Job], force: bool, pool: ThreadPoolExecutor
) -> Iterator[tuple[Job, Document | str]]:
    """What each has come to, in order; but last, and asked about once more, those that had to wait
    for another one, as a copy has for its original."""
    held = list[Job]()
    for job, result in zip(jobs, pool.map(lambda job: _captioned(job, force), jobs), strict=True):
        if isinstance(result, Held):
            held.append(job)
        else:
            yield job, result
    for job in held:
        result = _captioned(job, force)
        yield job, str(result) if isinstance(result, Held) else result


def _jobs(images: Sequence[str], stack: ExitStack) -> list[Job]:
    """What was named, located; loose files are copied into a folder that ``stack`` removes."""
    read = settings()
    loose = [each for each in images if read.local is None and _is_loose(each)]
    named = [each for each in images if each not in loose]
    objects = {each: located(each, read) for each in named}
    choose_model_aloud(cloud=bool(named) and read.local is None)
    read = replace(read, model=settings().model)
    jobs: dict[str, Job] = {}
    if named:
        use_cases = use_cases_of(read)
        jobs |= {each: Job(each, *objects[each], use_cases) for each in named}
    if loose:
        click.echo("Nothing is stored; give --local FOLDER to keep captions.", err=True)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="captions-")))
        use_cases = use_cases_of(replace(read, local=folder.resolve()))
        for number, each in enumerate(loose):
            name = f"{number}/{Path(each).name}"
            (folder / str(number)).mkdir()
            try:
                shutil.copyfile(each, folder / name)
            except OSError as error:
                raise click.UsageError(f"{each} cannot be read: {error.strerror}") from None
            jobs[each] = Job(each, BUCKET, name, use_cases)
    return [jobs[each] for each in dict.fromkeys(images)]


def _is_loose(text: str) -> bool:
    if text.startswith("gs://"):
        return False
    if not os.path.isfile(text):
        raise click.UsageError(f"{text} is no file, and no object like gs://BUCKET/NAME")
    return True


def use_cases_of(settings: Settings) -> UseCases:
    """The use cases on the stores and the model that the settings name."""
    captions = composition.store(settings)
    return UseCases(composition.build(settings, captions), captions)


def _captioned(job: Job, force: bool) -> Document | str | Held:
    """The document of an image that has a caption now, or what stood in the way."""
    from functions.core.report import Report

    report = Report()
    request = CaptionRequest(job.bucket, job.name, datetime.now(UTC), force=force)
    try:
        job.use_cases.captioning.request(request, report)
    except ConfigurationError:
        raise
    except Held as error:
        return error
    except CaptionError as error:
        return str(error)
    if report.outcome == "gone":
        return "there is no such image"
    if report.outcome == "skipped":
        return f"skipped: {_SKIPPED.get(report.reason, report.reason)}"
    stored = job.use_cases.captions.read(document_id(job.bucket, job.name))
    return stored.document if stored else "it was deleted meanwhile"


def _show(jobs: Sequence[Job], results: Iterable[tuple[Job, Document | str]]) -> bool:
    """Print results as they come; whether any image has no caption."""
    failed = False
    out = output.console()
    for job, result in results:
        if session().json and isinstance(result, Document):
            click.echo(output.as_json(output.record(result)))
        if isinstance(result, Document) and result.status == Status.CAPTIONED:
            if not session().json:
                lead = f"{job.named}: " if len(jobs) > 1 else ""
                line = output.text(lead, "bold").append(
                    output.plain(output.words(result)), "not bold"
                )
                out.print(line, soft_wrap=True)
            continue
        failed = True
        why = output.problem(result) or result.status if isinstance(result, Document) else result
        out.file.flush()
        click.echo(f"{output.plain(job.named)}: {output.plain(why)}", err=True)
    return failed
