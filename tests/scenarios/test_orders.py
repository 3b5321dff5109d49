"""An order to the model, wherever it stands, is data: it dictates nothing that is published."""

from __future__ import annotations

import pytest

from tests.support.documentation import page
from tools.orders import DICTATED, markdown, rows
from tools.worst_model import world


def test_no_place_dictates_what_is_published(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        world(patch, tmp_path_factory.mktemp("orders")) as stack,
    ):
        table = rows(stack)
    assert len(table) == 8
    for place, obeyed, _, described, _ in table:
        assert DICTATED not in described, place
        assert DICTATED not in obeyed or obeyed.endswith("for review"), place
    assert markdown(table) in page("evaluate"), "`python -m tools.orders` prints the table anew"
