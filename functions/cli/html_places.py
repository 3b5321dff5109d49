"""Alt text for places: what it would cost, and what a model is asked for it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from functions import composition
from functions.cli import output
from functions.cli.backfill import cost, number
from functions.cli.session import choose_model, settings
from functions.core.document import Answer, Usage
from functions.core.errors import Away, CaptionError, ConfigurationError, Gone, OverBudget
from functions.core.page_place import PlaceText
from functions.core.report import Report
from functions.model import place_prompt
from functions.settings import Settings

if TYPE_CHECKING:
    from functions.sites.captions import PublicCaptions
    from functions.sites.fill import Filled, HtmlPage, ImageUse
    from functions.usecases.describe_in_place import DescribingInPlace

_AT_ONCE = 8


class PlacesOfSite:
    """The places of a site's images: counted and priced first, then asked about, each once.

    With ``people``, images count whose text a person wrote or approved.
    """

    def __init__(self, read: Settings, known: PublicCaptions, people: bool) -> None:
        self._read, self._known, self._people = read, known, people
        from functions.sites.place_texts import PlaceTexts

        self._texts = PlaceTexts(composition.store(read))
        self._describing: DescribingInPlace | None = None
        self._left, self._ended = 0, False
        self._asked, self._unasked, self._why = 0, 0, ""
        self._usage = Usage()

    def price(self, pages: Iterable[Sequence[HtmlPage]], limit: int | None, asks: bool) -> int:
        """Say how many places are to be asked about, and what that costs; how many they are.
        With ``asks``, a model is chosen for it, or ConfigurationError raised."""
        wanted, tokens, replies = set[tuple[str, str]](), 0, 0
        for together in pages:
            for use in self._missing(together):
                if use.id not in wanted:
                    wanted.add(use.id)
                    expected = place_prompt.expected(use.place)
                    tokens += expected.input_tokens
                    replies += expected.output_tokens
        count = min(len(wanted), len(wanted) if limit is None else limit)
        if count and asks:
            choose_model(cloud=self._read.local is None)
            self._read = settings()
            self._describing = composition.describing_by(self._read)
        share = count / max(len(wanted), 1)
        total = Answer("", input_tokens=int(tokens * share), output_tokens=int(replies * share))
        of = f" of {number(len(wanted), 'place')}" if count < len(wanted) else ""
        mended = f", {2 * count:,} if each reply needs mending" if count else ""
        said = f"{number(count, 'place')}{of} to ask about: {number(count, 'call')}{mended}; "
        click.echo(f"{said}{cost(self._read, total) if count else 'nothing to pay'}.", err=True)
        self._left = count if asks else 0
        return count

    def fill(self, page: HtmlPage, *, long: bool = False) -> Filled:
        """The page with the words for its places; with ``long``, also what is said at length."""
        return page.fill(self._known, self._texts, self._people, long=long)

    def ask(self, pages: Sequence[HtmlPage]) -> None:
        """Ask about the places of these pages that nobody has asked about, as far as the limit
        and the day's calls go. Raises ConfigurationError."""
        uses = {use.id: use for use in self._missing(pages)}
        some = list(uses.values())[: self._left]
        if self._describing is None or not some:
            return
        self._left -= len(some)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            results = pool.map(functools.partial(self._answer, self._describing), some)
            for use, (answer, report) in zip(some, results, strict=True):
                self._usage += report.usage
                if isinstance(answer, PlaceText):
                    self._asked += 1
                    self._texts.settle(use.document, use.place, answer)
                else:
                    self._unasked += 1
                    self._why = self._reason(answer, use)

    def close(self) -> None:
        """Let go of the model, and say what it came to."""
        if self._describing is None:
            return
        self._describing.close()
        spent = output.money(round(self._usage.cost_usd, 6))
        calls = number(self._usage.model_calls, "call")
        click.echo(f"{number(self._asked, 'place')} asked about: {calls}, {spent}.", err=True)
        if self._unasked:
            left = f"{number(self._unasked, 'place')} left with the general alt text"
            click.echo(output.plain(f"{left}: {self._why}."), err=True)

    def _missing(self, pages: Sequence[HtmlPage]) -> Iterator[ImageUse]:
        uses = [use for page in pages for use in page.uses(self._known, self._people)]
        self._texts.load((use.document, use.place) for use in uses)
        return (use for use in uses if not self._texts.settled(use.document, use.place))

    def _answer(
        self, describing: DescribingInPlace, use: ImageUse
    ) -> tuple[PlaceText | CaptionError | None, Report]:
        """What a model writes, or why it does not; None where it is not worth asking any more."""
        report, document = Report(), use.document
        if self._ended:
            return None, report
        at = (document.bucket, document.name, document.generation)
        try:
            return describing.describe(*at, use.place, report), report
        except ConfigurationError:
            raise
        except CaptionError as error:
            self._ended = self._ended or isinstance(error, OverBudget | Away)
            return error, report

    def _reason(self, error: CaptionError | None, use: ImageUse) -> str:
        """Why places have the general text, for people."""
        if isinstance(error, OverBudget):
            limit = self._read.daily_limit
            return (
                f"the day's {limit:,} model calls (CAPTION_DAILY_LIMIT) are spent; go on tomorrow"
            )
        if isinstance(error, Gone):
            uri = use.document.uri
            return self._why or f"{uri} is gone, or another one than was captioned"
        return f"{error}; run it again later" if error else self._why
