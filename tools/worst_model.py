"""A model that answers badly in forty ways: what it says, and what stands in the document then.

``python -m tools.worst_model`` asks it through the real SDK and prints README's table.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich import box
from rich.console import Console
from rich.table import Table

from functions import quality
from functions.cli import output
from functions.core.document import Answer
from functions.core.errors import UnusableReply
from functions.core.policy import Rule
from functions.model import prompt
from functions.model.reply import read_reply
from tests.support.answers import gemini
from tests.support.bad_answers import WAYS, Bad
from tests.support.model_server import Call, ModelServer
from tests.support.pictures import jpeg
from tests.support.stack import Embedded, environment, model_settings

HEAD = ("the model", "its alt text", "rules", "what stands, if it says so again", "calls")


@dataclass(frozen=True)
class Ended:
    """What became of a bad answer."""

    bad: Bad
    document: dict[str, Any]
    calls: int

    @property
    def codes(self) -> tuple[str, ...]:
        """The rules that the answer breaks."""
        told = prompt.compose(Rule(), self.bad.languages)
        hints = tuple(self.bad.metadata.values())
        said = self.bad.answer.body["candidates"][0]["content"]["parts"][0]["text"]
        try:
            reply = read_reply(Answer(said))
        except UnusableReply:
            return ("unreadable",)
        context = quality.Context(
            self.bad.languages, 125, hints, self.bad.name, f"{told.system}\n{told.user}"
        )
        return tuple(dict.fromkeys(each.code for each in quality.check(reply, context).findings))

    @property
    def after(self) -> str:
        """The published text, and whether a person is asked to look; or that there is none."""
        if self.document["status"] != "captioned":
            return f"nothing, as {self.document['error']['reason']}"
        text = self.document["alt_text"]
        text = "the same" if text == self.bad.before else text
        return f"{text}, for review" if self.document["review"]["needed"] else text

    @property
    def row(self) -> tuple[str, ...]:
        codes = ", ".join(self.codes) or "none"
        return self.bad.way, self.bad.before, codes, self.after, str(self.calls)


@contextmanager
def world(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Embedded]:
    """The product on a folder, with no settings but these; pictures in ``en-fr/`` are wanted in
    both languages."""
    for name in [each for each in os.environ if each.startswith(("CAPTION_", "GOOGLE_"))]:
        patch.delenv(name)
    policy = folder / "captions.toml"
    policy.write_text('[[rules]]\nmatch = "en-fr/**"\nlanguages = ["en", "fr"]\n')
    pictures = folder / "pictures"
    pictures.mkdir()
    with ModelServer() as model:
        settings = model_settings(model)
        settings |= {"CAPTION_LOCAL": str(pictures), "CAPTION_POLICY": str(policy)}
        with environment(patch, settings):
            stack = Embedded(pictures, model, None)
            yield stack
            stack.close()


def ended(stack: Embedded, bad: Bad, *, mends: bool = False) -> Ended:
    """Upload a picture to a model that answers so: again and again, or, if it ``mends``, well
    when it is told what is wrong."""

    def answer(call: Call) -> Any:
        again = mends and "your first reply" in call.text
        return _good(bad) if again else bad.answer

    stack.model.reset()
    stack.model.always(answer)
    number = WAYS.index(bad)
    name = f"{'-'.join(bad.languages)}/{number}/{mends}/{bad.name}"
    event = stack.put(name, jpeg(2 * number + mends), **bad.metadata)
    assert stack.deliver(event) == 200
    document = stack.document(name)
    assert document
    return Ended(bad, document, stack.model.count)


def _good(bad: Bad) -> Any:
    others = [
        {"language": each, "caption": "Un chien brun court.", "alt_text": "Un chien sur une plage"}
        for each in bad.languages[1:]
    ]
    return gemini.good(translations=others)


def markdown(rows: list[tuple[str, ...]]) -> str:
    """README's table."""
    lines = [HEAD, ("---",) * len(HEAD), *(tuple(map(_cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """A cell on one line, short, with nothing in it that a page would act on."""
    text = text.replace("\u202e", "⟨RLO⟩").replace("\u202c", "⟨PDF⟩").replace("\n", " ")
    text = _short(text)
    for sign in "|*[]`":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("<", "&lt;")


def _short(text: str) -> str:
    return text if len(text) <= 72 else text[:70].rstrip() + " …"


def main() -> None:
    """Ask it, and print the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()),
        world(patch, Path(folder)) as stack,
    ):
        rows = [ended(stack, bad).row for bad in WAYS]
    out = Console(markup=False, highlight=False)
    if not out.is_terminal:
        print(markdown(rows))
        return
    table = Table(box=box.SIMPLE_HEAD, leading=1, pad_edge=False)
    for name in HEAD:
        table.add_column(name, overflow="fold", no_wrap=name == "rules")
    for way, before, codes, *rest in rows:
        table.add_row(way, output.plain(_short(before)), codes.replace(", ", "\n"), *rest)
    out.print(table)


if __name__ == "__main__":
    main()
