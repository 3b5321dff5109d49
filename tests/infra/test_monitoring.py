"""Metrics, alerts and the dashboard are made of fields that the log lines really have."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cloudevents.http import CloudEvent

from functions import logs
from tests.infra.deployment import Deployment
from tests.infra.terraform import INFRA, MODULE, Module
from tests.support.answers import gemini
from tests.support.pictures import jpeg
from tests.support.stack import Embedded

captions = partial(Module.load, MODULE)  # when a test asks: it takes a second
_CONDITION = re.compile(r'jsonPayload\.(?P<field>\w+)(?P<is>:|>|=)(?P<value>\*|[\d.]+|"[^"]*")')


def metrics() -> set[str]:
    return {"captions_outcomes", *(f"captions_{name}" for name in captions().locals["amounts"])}


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
    outcomes = captions().resource("google_logging_metric.outcomes").body
    assert matches(captioned, captions().locals["deliveries"])
    for label in outcomes["metric_descriptor"][0]["labels"]:
        extracted(captioned, outcomes["label_extractors"][label["key"]])
    amount = captions().resource("google_logging_metric.amount").body
    for name in captions().locals["amounts"]:
        at = amount["value_extractor"].replace("${each.key}", name)
        assert matches(captioned, amount["filter"].replace("${each.key}", name)), name
        assert extracted(captioned, at) > 0
    assert extracted(captioned, amount["label_extractors"]["model"]).startswith("gemini:")


def test_a_duplicate_is_an_outcome_that_cost_nothing(embedded: Embedded) -> None:
    data = embedded.put("mug.jpg", jpeg())
    embedded.deliver(data)
    embedded.deliver(data)
    again = embedded.log()[-1]
    assert matches(again, captions().locals["deliveries"])
    amount = captions().resource("google_logging_metric.amount").body
    assert not matches(again, amount["filter"].replace("${each.key}", "cost_usd"))


def alerted(line: dict[str, Any]) -> set[str]:
    return {
        name for name, each in captions().locals["alerts"].items() if matches(line, each["filter"])
    }


def test_a_caption_alerts_nobody(captioned: dict[str, Any]) -> None:
    assert alerted(captioned) == set()


def test_a_wrong_key_alerts(embedded: Embedded) -> None:
    embedded.model.answer(gemini.ERRORS["wrong key"])
    embedded.deliver(embedded.put("mug.jpg", jpeg()))
    [line] = embedded.log()
    assert alerted(line) == {"configuration"}
    assert "GEMINI_API_KEY" in line["message"]


def test_an_image_that_is_given_up_alerts(embedded: Embedded) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    embedded.deliver(embedded.put("mug.jpg", jpeg()), time=long_ago)
    assert alerted(embedded.log()[-1]) == {"failed"}


def test_a_defect_alerts(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: logs.Report) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        logs.handle(CloudEvent({"type": "t", "source": "s", "id": "1"}, {}), broken)
    assert alerted(json.loads(capsys.readouterr().out)) == {"defect"}


def test_what_keep_leaves_to_a_person_alerts(embedded: Embedded) -> None:
    embedded.deliver(embedded.put("mug.jpg", jpeg()), time=datetime.now(UTC) - timedelta(days=2))
    embedded.log()
    embedded.keep(bucket="no-bucket-of-that-name")
    [line] = embedded.log()
    assert alerted(line) == {"person"}
    assert "no-bucket-of-that-name" in line["message"]


def test_each_alert_on_a_line_has_a_line_here_that_the_code_writes() -> None:
    tested = set(re.findall(r'alerted\(.*?\) == \{"(\w+)"\}', Path(__file__).read_text("utf-8")))
    assert set(captions().locals["alerts"]) == tested


@pytest.fixture
def outcomes(embedded: Embedded, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What deliveries end in while the model is away, and when the day's limit is spent."""
    embedded.model.always(gemini.ERRORS["overloaded"])
    for number in range(3):
        embedded.deliver(embedded.put(f"{number}.jpg", jpeg(number)))
    embedded.model.always(gemini.good())
    monkeypatch.setenv("CAPTION_DAILY_LIMIT", "1")
    embedded.restart()
    for number in range(3, 5):
        embedded.deliver(embedded.put(f"{number}.jpg", jpeg(number)))
    lines = embedded.log()
    assert all("model_state" in line for line in lines)
    return {str(line["outcome"]) for line in lines}


def test_the_outcomes_that_alerts_count_are_ones_that_the_code_writes(
    applied: Deployment, outcomes: set[str]
) -> None:
    counted = {
        each
        for query in queries(applied)
        for _, values in re.findall(r'outcome(=~?)"([\w|]+)"', query)
        for each in values.split("|")
    }
    assert {"away", "redelivered", "deferred"} <= counted & outcomes


def queries(deployment: Deployment) -> list[str]:
    """What the deployed dashboard and alerts ask Prometheus for."""
    [dashboard] = deployment.cloud.all("google_monitoring_dashboard")
    policies = deployment.cloud.all("google_monitoring_alert_policy")
    asked: list[str] = []
    json.loads(
        dashboard["dashboard_json"],
        object_hook=lambda found: asked.append(found.get("prometheusQuery", "")),
    )
    for condition in (condition for each in policies for condition in each["conditions"]):
        for each in condition["condition_prometheus_query_language"]:
            asked.append(each["query"])
    return asked


def test_charts_and_alerts_ask_for_metrics_that_are_made(applied: Deployment) -> None:
    made = {each["name"] for each in applied.cloud.all("google_logging_metric")}
    asked = re.findall(r"user_(captions_\w+?)(?:_sum|_bucket)?[{\[]", " ".join(queries(applied)))
    assert set(asked) == metrics() == made
    for query in queries(applied):
        for label in re.findall(r"by \((\w+)\)", query):
            assert label in {"le", "outcome", "reason", "model", "subscription_id"}
        assert query.count("(") == query.count(")"), query


def test_only_amounts_have_sums(applied: Deployment) -> None:
    for query in queries(applied):
        for name, part in re.findall(r"user_captions_(\w+?)_(sum|bucket)\{", query):
            assert name in captions().locals["amounts"], part


def test_each_sign_has_its_alert_and_its_row_in_the_runbook(applied: Deployment) -> None:
    told = {each["display_name"] for each in applied.cloud.all("google_monitoring_alert_policy")}
    assert len(told) == len(captions().locals["alerts"]) + len(captions().locals["signs"]) + 3
    runbook = (INFRA.parent / "docs" / "operate.md").read_text("utf-8")
    for title in told:
        words = re.sub(r" than [\d.]+ US dollars$", "", title.removeprefix("Captions: "))
        assert f'alert "{words}' in runbook, title


def test_tiles_fill_rows_and_do_not_overlap() -> None:
    layout = json.loads((MODULE / "dashboard.json").read_text("utf-8"))["mosaicLayout"]
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
    said = (INFRA.parent / "docs" / "operate.md").read_text("utf-8")
    said += "".join(path.read_text("utf-8") for path in sorted(MODULE.glob("*.tf")))
    asked = set(re.findall(r"jsonPayload\.(\w+)", said))
    assert asked
    assert asked <= set(captioned)
