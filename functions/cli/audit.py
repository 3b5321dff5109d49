"""``captions audit``: the alt text that a site has already, by the rules."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from functions import composition
from functions.cli import output
from functions.cli.html import image_locator, language
from functions.cli.options import common
from functions.cli.session import session, settings
from functions.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from functions.sites.audit import Audit, Audited, Fault
    from functions.sites.captions import PublicCaptions

_MOST_FAULTS = 500
_LEVELS = ("error", "warning", "note")
# What a run needs of each page: where it is named, its bytes, and its address if it is published.
Source = tuple[str, Callable[[], bytes], str]


@click.command()
@click.argument("target")
@click.option("--bucket", default="", help="The bucket in which TARGET's images are.")
@click.option("--prefix", default="", help="What their names begin with there.")
@click.option("--site", default="", metavar="URL", help="The address that TARGET is published at.")
@click.option("--lang", default="", metavar="TAG", help="Language of pages that name none.")
@click.option("--context", is_flag=True, help="Suggest what was written for each place.")
@click.option("--fix", is_flag=True, help="Mend in the files what needs no thought.")
@click.option("--sarif", metavar="FILE", help="Write the faults for code hosts; - prints them.")
@click.option(
    "--fail-on",
    type=click.Choice(_LEVELS),
    default="warning",
    show_default=True,
    help="End with 1 if there is a fault of this level, or a worse one.",
)
@common
def audit(
    target: str,
    bucket: str,
    prefix: str,
    site: str,
    lang: str,
    context: bool,
    fix: bool,
    sarif: str | None,
    fail_on: str,
) -> None:
    """Judge the alt text that is there already.

    TARGET is a folder of HTML files, one of them, the address of a page, or a file with addresses,
    one a line (- reads them). Where the captions of the images are known, they are suggested.
    """
    from functions.sites.audit import Audit, FittedTexts
    from functions.sites.place_texts import PlaceTexts

    read = settings()
    folder = Path(target) if target != "-" and Path(target).is_dir() else Path()
    locator = image_locator(folder, bucket, prefix, site, read)
    captions = _captions_of(read, bucket)
    if context and captions is None:
        raise click.UsageError("--context needs --local, --bucket or CAPTION_ORIGINS")
    fitted = (
        FittedTexts(PlaceTexts(composition.store(read)), language(lang) or read.languages[0])
        if context
        else None
    )
    judge = Audit(locator, captions, language(lang), fitted)
    sources = list(_sources(target))
    if fix and any(address for _, _, address in sources):
        raise click.UsageError("--fix writes files; name a folder, not addresses")
    report = AuditReport(quiet=session().json or sarif == "-", fixed=fix)
    for name, data, address in sources:
        report.page(name, _audited(judge, name, data, address, folder if fix else None))
    if sarif:
        report.write(sarif)
    report.show(output.console())
    if report.errors or report.fails(fail_on):
        raise click.exceptions.Exit(1)


def _captions_of(read: Settings, bucket: str) -> PublicCaptions | None:
    """The captions, where somebody has said which store and which images are meant."""
    from functions.sites.captions import PublicCaptions

    if not (read.local or bucket or read.origins):
        return None
    return PublicCaptions(composition.store(read), withhold=read.unreviewed == "withhold")


def _sources(target: str) -> Iterator[Source]:
    from functions.sites import fetch, files

    path = Path(target)
    if target.lower().startswith(("http://", "https://")):
        addresses = [target]
    elif target == "-":
        addresses = sys.stdin.read().split()
    elif path.is_dir():
        names = list(files.pages(path))
        if not names:
            raise click.UsageError(f"{target} has no .html or .htm files; name the folder that has")
        yield from ((name, (path / name).read_bytes, "") for name in names)
        return
    elif path.suffix.lower() in files.PAGES and path.is_file():
        yield target, path.read_bytes, ""
        return
    else:
        try:
            addresses = path.read_text("utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            why = (isinstance(error, OSError) and error.strerror) or "it is not in UTF-8"
            reason = f"{target} is no folder, page or list of addresses: {why}"
            raise click.UsageError(reason) from None
    for address in addresses:
        yield address, lambda address=address: fetch.page(address), address  # type: ignore[misc]


def _audited(
    judge: Audit, name: str, data: Callable[[], bytes], address: str, folder: Path | None
) -> Audited | str:
    """The faults of a page, or why it cannot be read or written."""
    from functions.sites import files
    from functions.sites.encoding import NotText

    try:
        found = judge.page(name, data(), address)
    except NotText as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror}" if error.strerror else str(error)
    if folder is not None and found.changed:
        return files.replace(folder / name, found.before, found.after) or found
    return found


class AuditReport:
    """What was found, told as it is found (JSON) or at the end."""

    def __init__(self, quiet: bool, fixed: bool) -> None:
        self.errors: dict[str, str] = {}
        self._quiet, self._fixed = quiet, fixed
        self._faults: list[tuple[str, Fault]] = []
        self._pages = self._images = self._changed = 0

    def page(self, name: str, found: Audited | str) -> None:
        """Count a page, or why there is none."""
        error, faults = (found, ()) if isinstance(found, str) else (None, found.faults)
        if isinstance(found, str):
            self.errors[name] = found
        else:
            self._images += found.images
            self._changed += found.changed
        self._pages += 1
        self._faults += [(name, fault) for fault in faults]
        if session().json:
            record = {"file": name, "error": error, "faults": [_record(each) for each in faults]}
            click.echo(output.as_json(record))

    def fails(self, level: str) -> bool:
        """Whether a fault is of this level, or a worse one."""
        levels = _LEVELS[: _LEVELS.index(level) + 1]
        return any(fault.level in levels for _, fault in self._faults)

    def write(self, file: str) -> None:
        """The faults as SARIF."""
        from functions.sites import sarif

        text = output.as_json(sarif.log(self._faults, self.errors.items()))
        if file == "-":
            click.echo(text)
            return
        try:
            Path(file).write_text(text, "utf-8")
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None

    def show(self, out: Console) -> None:
        """For people: each fault, then how many there are of each."""
        for name, error in self.errors.items():
            click.echo(output.plain(f"{name} {error}."), err=True)
        if self._quiet:
            return
        if self._faults:
            table = output.table(out, "Where", "Fault", "Alt text", "Better")
            for name, fault in self._faults[:_MOST_FAULTS]:
                better = fault.suggestion if fault.fix is None else fault.fix or '""'
                alt_text = "-" if fault.alt is None else fault.alt or '""'
                where, code = f"{name}:{fault.line}", f"{fault.level} {fault.code}"
                table.add_row(*map(output.text, (where, code, alt_text, better or "-")))
            out.print(table)
        counts = Counter(fault.code for _, fault in self._faults)
        facts = output.facts()
        facts.add_row("Pages", output.text(self._pages))
        facts.add_row("Images", output.text(self._images))
        for code, count in counts.most_common():
            facts.add_row(code, output.text(count))
        if self._changed:
            name = "Pages mended" if self._fixed else "Pages that --fix mends"
            facts.add_row(name, output.text(self._changed))
        out.print(facts)
        if len(self._faults) > _MOST_FAULTS:
            more = len(self._faults) - _MOST_FAULTS
            click.echo(f"{more} faults more: --json and --sarif tell all.", err=True)


def _record(fault: Fault) -> dict[str, Any]:
    return {"level": fault.level, **asdict(fault)}
