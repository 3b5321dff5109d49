"""``captions html``: the alt text that is missing in a static site's HTML files."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from functions import composition
from functions.adapters.folder import BUCKET
from functions.cli import html_coverage, output
from functions.cli.html_places import PlacesOfSite
from functions.cli.options import common
from functions.cli.session import session, settings
from functions.core import image_url, language_tags
from functions.settings import Settings
from functions.sites import files
from functions.sites.files import SOURCES as SUFFIXES

if TYPE_CHECKING:
    from functions.sites.captions import PublicCaptions
    from functions.sites.fill import Filled, HtmlPage
    from functions.sites.image_locator import ImageLocator

# Pages by their paths, each as it is read or with the reason why it cannot be.
Batch = Sequence[tuple[str, "HtmlPage | None", str]]
# Pages whose images are looked up together: few round trips, and never the whole site in memory.
_TOGETHER = 100
_NAMED = 5


@click.command("html")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--bucket", default="", help="The bucket in which FOLDER's images are.")
@click.option("--prefix", default="", help="What their names begin with there.")
@click.option("--site", default="", metavar="URL", help="The address that FOLDER is published at.")
@click.option("--lang", default="", metavar="TAG", help="Language of pages that name none.")
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would change as a diff.")
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if alt text is missing.")
@click.option("--sources", is_flag=True, help="Fill Markdown and templates, too.")
@click.option("--long", "long", is_flag=True, help="Offer long descriptions in the pages, too.")
@click.option("--context", is_flag=True, help="Ask a model for words that fit each place.")
@click.option("--limit", type=click.IntRange(0), help="Ask about so many places at most.")
@click.option("--yes", is_flag=True, help="Do not ask before it costs anything.")
@click.option("--even-edited", is_flag=True, help="Also where a person has written or approved.")
@common
def html(
    folder: Path,
    bucket: str,
    prefix: str,
    site: str,
    lang: str,
    dry_run: bool,
    check: bool,
    sources: bool,
    long: bool,
    context: bool,
    limit: int | None,
    yes: bool,
    even_edited: bool,
) -> None:
    """Put the missing alt text into a static site's HTML files.

    Every <img> without an alt attribute gets one if its image is captioned, in the language of
    the page. No other byte changes, and alt="" stays what it is.

    With --context, a model is asked, once for each use of an image, for the alt text that fits the
    title, heading, link, caption and paragraphs around it there. How many calls that takes and
    what they cost is said first; without a terminal, --yes or --limit has to agree to it.
    """
    from functions.sites.captions import PublicCaptions

    read = settings()
    locator = image_locator(folder, bucket, prefix, site, read)
    if not context and (yes or even_edited or limit is not None):
        raise click.UsageError("--limit, --yes and --even-edited are for --context; add that")
    around = (language(lang) or read.languages[0]) if context else ""
    reading = PageReader(folder, locator, language(lang), around)
    others = list(files.pages(folder, SUFFIXES))
    paths = [*files.pages(folder), *(others if sources else ())]
    if not paths:
        raise click.UsageError(f"{folder} has no .html or .htm files; name the folder that has")
    captions = PublicCaptions(composition.store(read), withhold=read.unreviewed == "withhold")
    coverage = html_coverage.Coverage(wrote=not (dry_run or check), relative=locator.relative)
    with ExitStack() as stack:
        fitting = PlacesOfSite(read, captions, even_edited) if context else None
        if fitting:
            _price(fitting, _batches(reading, paths, captions), limit, yes, asks=coverage.wrote)
            stack.callback(fitting.close)
        for path, filled, error in _filled(reading, paths, captions, fitting, long):
            if filled and filled.changed and coverage.wrote:
                error = files.replace(folder / path, filled.before, filled.after)
            if filled and dry_run and not session().json:
                click.echo(_diff(path, filled), nl=False)
            record = coverage.add(path, filled, error)
            if session().json:
                click.echo(output.as_json(record))
    left = [] if sources else list(_lacking(reading, others))
    for path, count in left if session().json else ():
        click.echo(output.as_json({"file": path, "left": count}))
    if not session().json:
        coverage.show(output.console(stderr=dry_run))
        _tell(left)
    if coverage.errors or (check and coverage.missing):
        raise click.exceptions.Exit(1)


def _price(
    fitting: PlacesOfSite, pages: Iterable[Batch], limit: int | None, yes: bool, asks: bool
) -> None:
    """Say what the places cost, and have somebody agree to it, before anything is asked."""
    together = ([page for _, page, _ in batch if page] for batch in pages)
    count = fitting.price(together, limit, asks)
    if not count or not asks or yes:
        return
    if sys.stdin.isatty():
        click.confirm("Ask about them?", err=True, abort=True)
    elif limit is None:
        raise click.UsageError(
            "nobody is at a terminal to agree to that; add --yes, or --limit with how many places "
            "may be asked about"
        )


def image_locator(
    folder: Path, bucket: str, prefix: str, site: str, settings: Settings
) -> ImageLocator:
    """Where images lie. A local folder that is in the site's, or has it in it, needs no options."""
    from functions.sites.image_locator import ImageLocator

    inner = ""
    if prefix and not bucket:
        raise click.UsageError("--prefix is a place in a bucket; name that with --bucket")
    if settings.local and not bucket:
        bucket, site_folder = BUCKET, folder.resolve()
        if site_folder.is_relative_to(settings.local):
            prefix = site_folder.relative_to(settings.local).as_posix().removeprefix(".")
        elif settings.local.is_relative_to(site_folder):
            inner = settings.local.relative_to(site_folder).as_posix()
        else:
            bucket = ""
    try:
        if site:
            image_url.origins(f"{site}={BUCKET}")
        if bucket:
            image_url.bucket_names(bucket)
        return ImageLocator(settings.origins or (), site, bucket, prefix, inner)
    except ValueError as error:
        raise click.UsageError(f"--site or --bucket {error}") from None


def language(tag: str) -> str:
    try:
        return language_tags.language_tag(tag) if tag else ""
    except ValueError as error:
        raise click.UsageError(f"--lang {error}") from None


def _lacking(reading: PageReader, paths: list[str]) -> Iterator[tuple[str, int]]:
    """The Markdown and templates that are left, with how many images lack alt text in each."""
    for path in paths:
        page, _ = reading.page(path)
        if page and (count := page.lacking):
            yield path, count


def _tell(left: list[tuple[str, int]]) -> None:
    if left:
        named = ", ".join(f"{path} ({count})" for path, count in left[:_NAMED])
        more = f" and {len(left) - _NAMED} files more" if len(left) > _NAMED else ""
        images = sum(count for _, count in left)
        summary = f"Left alone: {images} images without alt text in {named}{more}"
        click.echo(output.plain(f"{summary}; --sources fills what is safe."), err=True)


class PageReader:
    """How the pages of a folder are read."""

    def __init__(
        self, folder: Path, locator: ImageLocator, language: str, around: str = ""
    ) -> None:
        from functions.sites.functional import Titles

        self.folder, self._locator, self._language = folder, locator, language
        self._around = around
        self._titles = Titles(folder)

    def page(self, path: str) -> tuple[HtmlPage | None, str]:
        """A page, or the reason why it cannot be read."""
        from functions.sites.encoding import NotText
        from functions.sites.fill import HtmlPage

        try:
            data = (self.folder / path).read_bytes()
            page = HtmlPage(path, data, self._locator, self._language, self._titles, self._around)
            return page, ""
        except NotText as error:
            return None, str(error)
        except OSError as error:
            return None, f"cannot be read: {error.strerror}"


def _batches(reading: PageReader, paths: list[str], captions: PublicCaptions) -> Iterator[Batch]:
    """The pages, some at a time, with what is known of their images."""
    waiting = iter(paths)
    while together := list(islice(waiting, _TOGETHER)):
        pages = [(path, *reading.page(path)) for path in together]
        captions.load(place for _, page, _ in pages if page for place in page.objects)
        captions.load(place for _, page, _ in pages if page for place in page.originals(captions))
        yield pages


def _filled(
    reading: PageReader,
    paths: list[str],
    captions: PublicCaptions,
    fitting: PlacesOfSite | None,
    long: bool,
) -> Iterator[tuple[str, Filled | None, str]]:
    """Each path with the page as it would be, or with the reason why it cannot be read."""
    for pages in _batches(reading, paths, captions):
        if fitting:
            fitting.ask([page for _, page, _ in pages if page])
        for path, page, error in pages:
            if page is None:
                yield path, None, error
            else:
                filled = fitting.fill(page, long=long) if fitting else None
                yield path, filled or page.fill(captions, long=long), error


def _diff(path: str, filled: Filled) -> str:
    """A unified diff, as ``patch`` and ``git apply`` take it."""
    texts = (filled.source.text, filled.text)
    before, after = (re.findall(r"[^\n]*\n|[^\n]+\Z", text) for text in texts)
    lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
