"""Metrics, alerts and the dashboard are made of fields that the log lines really have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cloudevents.http import CloudEvent

from functions import logs
from tests.infra.terraform import INFRA, Module
from tests.support.answers import gemini
from tests.support.pictures import jpeg
from tests.support.stack import Embedded

MODULE = Module.load(INFRA)
METRICS = {
    "captions_outcomes",
    *(f"captions_{name}" for name in MODULE.locals["amounts"]),
}
_CONDITION = re.compile(r'jsonPayload\.(?P<field>\w+)(?P<is>:|>|=)(?P<value>\*|[\d.]+|"[^"]*")')


def matches(line: dict[str, Any], query: str) -> bool:
    """Whether the parts of a Cloud Logging query that speak of the line's fields hold."""
    for field, is_, value in _CONDITION.findall(query):
        found = line.get(field)
        if is_ == ":" and found is None:
            return False
        if is_ == ">" and not (found or 0) > float(value):
            return False
        if is_ == "=" and found != value.strip('"'):
            return False
    return True


def extracted(line: dict[str, Any], extractor: str) -> Any:
    [field] = re.findall(r"EXTRACT\(jsonPayload\.(\w+)\)", extractor)
    assert field in line, f"no log line has {field}"
    return line[field]


@pytest.fixture
def captioned(embedded: Embedded) -> dict[str, Any]:
    embedded.deliver(embedded.put("mug.jpg", jpeg()))
    [line] = embedded.log()
    return line


def test_a_caption_counts_in_every_metric(captioned: dict[str, Any]) -> None:
    outcomes = MODULE.resource("google_logging_metric.outcomes").body
    assert matches(captioned, MODULE.locals["deliveries"])
    for label in outcomes["metric_descriptor"][0]["labels"]:
        extracted(captioned, outcomes["label_extractors"][label["key"]])
    amount = MODULE.resource("google_logging_metric.amount").body
    for name in MODULE.locals["amounts"]:
        at = amount["value_extractor"].replace("${each.key}", name)
        assert matches(captioned, amount["filter"].replace("${each.key}", name)), name
        assert extracted(captioned, at) > 0
    assert extracted(captioned, amount["label_extractors"]["model"]).startswith("gemini:")


def test_a_duplicate_is_an_outcome_that_cost_nothing(embedded: Embedded) -> None:
    data = embedded.put("mug.jpg", jpeg())
    embedded.deliver(data)
    embedded.deliver(data)
    again = embedded.log()[-1]
    assert matches(again, MODULE.locals["deliveries"])
    amount = MODULE.resource("google_logging_metric.amount").body
    assert not matches(again, amount["filter"].replace("${each.key}", "cost_usd"))


def alerted(line: dict[str, Any]) -> set[str]:
    return {name for name, each in MODULE.locals["alerts"].items() if matches(line, each["filter"])}


def test_a_caption_alerts_nobody(captioned: dict[str, Any]) -> None:
    assert alerted(captioned) == set()


def test_a_wrong_key_alerts(embedded: Embedded) -> None:
    embedded.model.answer(gemini.ERRORS["wrong key"])
    embedded.deliver(embedded.put("mug.jpg", jpeg()))
    [line] = embedded.log()
    assert alerted(line) == {"configuration"}
    assert "GEMINI_API_KEY" in line["message"]


def test_an_image_that_is_given_up_alerts(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION_MAX_ATTEMPTS", "1")
    embedded.restart()
    embedded.model.answer(gemini.ERRORS["overloaded"])
    data = embedded.put("mug.jpg", jpeg())
    embedded.deliver(data)
    embedded.deliver(data)
    assert alerted(embedded.log()[-1]) == {"failed"}


def test_a_defect_alerts(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: logs.Report) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        logs.handle(CloudEvent({"type": "t", "source": "s", "id": "1"}, {}), broken)
    assert alerted(json.loads(capsys.readouterr().out)) == {"defect"}


def queries() -> Iterator[str]:
    dashboard = json.loads((INFRA / "dashboard.json").read_text("utf-8"))
    for tile in dashboard["mosaicLayout"]["tiles"]:
        yield from re.findall(r"'prometheusQuery': ['\"](.*?)['\"][,}]", str(tile["widget"]))
    cost = MODULE.resource("google_monitoring_alert_policy.cost").body["conditions"][0]
    yield cost["condition_prometheus_query_language"][0]["query"].replace(
        '${google_logging_metric.amount["cost_usd"].name}', "captions_cost_usd"
    )


def test_charts_and_alerts_ask_for_metrics_that_are_made() -> None:
    asked = re.findall(r"user_(captions_\w+?)(?:_sum|_bucket)?[{\[]", " ".join(queries()))
    assert set(asked) == METRICS
    for query in queries():
        for label in re.findall(r"by \((\w+)\)", query):
            assert label in {"le", "outcome", "reason", "model", "subscription_id"}


def test_only_amounts_have_sums() -> None:
    for query in queries():
        for name, part in re.findall(r"user_captions_(\w+?)_(sum|bucket)\{", query):
            assert name in MODULE.locals["amounts"], part


def test_tiles_fill_rows_and_do_not_overlap() -> None:
    layout = json.loads((INFRA / "dashboard.json").read_text("utf-8"))["mosaicLayout"]
    taken: set[tuple[int, int]] = set()
    for tile in layout["tiles"]:
        cells = {
            (x, y)
            for x in range(tile["xPos"], tile["xPos"] + tile["width"])
            for y in range(tile["yPos"], tile["yPos"] + tile["height"])
        }
        assert not cells & taken
        taken |= cells
    assert {x for x, _ in taken} == set(range(layout["columns"]))


def test_the_runbook_asks_for_fields_that_lines_have(captioned: dict[str, Any]) -> None:
    said = (INFRA / "README.md").read_text("utf-8")
    said += "".join(path.read_text("utf-8") for path in sorted(INFRA.glob("*.tf")))
    asked = set(re.findall(r"jsonPayload\.(\w+)", said))
    assert asked
    assert asked <= set(captioned)
