"""What a provider tells of its limits, as servers write it, and as nobody should."""

from __future__ import annotations

import pytest

from functions.adapters.rate_limits import allowance, delay, said
from functions.core.document import Allowance

DATE = "Thu, 26 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7s"}, 7.0),
        ({"retry-after": "1000000000s"}, 86400.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Thu, 26 Nov 2026 12:01:30 GMT", "date": DATE}, 90.0),
        ({"retry-after": "2026-11-26T12:00:05Z", "date": DATE}, 5.0),
        ({"retry-after": "Thu, 26 Nov 2026 11:59:00 GMT", "date": DATE}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "1000000000"}, 86400.0),
        ({"retry-after": "inf"}, 86400.0),
        ({"retry-after-ms": "1e300"}, 86400.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 400}, 86400.0),
        ({"retry-after": "Thu, 99 Nov 99999 12:00:00 GMT"}, None),
        ({}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "6m0s"}, None),
    ],
)
def test_a_delay_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert delay(headers) == seconds


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Limit 500, Used 500. Please try again in 7.66s. Visit https://x", 7.66),
        ("Please try again in 20ms.", 0.02),
        ("Please try again in 6m0s.", 360.0),
        ("Please retry in 58.821668433s.", 58.821668433),
        ("Please retry after 7 seconds.", 7.0),
        ("try again in 1 minute, 5 seconds", 65.0),
        ("Try again in 2 hours", 7200.0),
        ("retry in 99999999 days", 86400.0),
        ("Please try again later. Error 17 seconded", None),
        ("limit: 20 per 60s", None),
        ("", None),
    ],
)
def test_a_delay_is_read_in_words(words: str, seconds: float | None) -> None:
    assert said(words) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (
            {
                "x-ratelimit-limit-requests": "500",
                "x-ratelimit-remaining-requests": "499",
                "x-ratelimit-reset-requests": "120ms",
                "x-ratelimit-limit-tokens": "200000",
                "x-ratelimit-remaining-tokens": "2000",
                "x-ratelimit-reset-tokens": "59.4s",
            },
            Allowance(2.0, 200.0, 59.4),
        ),
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "3",
                "anthropic-ratelimit-requests-reset": "2026-11-26T12:00:40Z",
                "date": DATE,
            },
            Allowance(3.0, 50.0, 40.0),
        ),
        (
            {"x-ratelimit-remaining": "7", "x-ratelimit-reset": "1795694460000", "date": DATE},
            Allowance(7.0, 0.0, 60.0),
        ),
        ({"ratelimit-remaining": "7", "ratelimit-reset": "1795694460", "date": DATE},
         Allowance(7.0, 0.0, 60.0)),
        ({"x-ratelimit-remaining-requests": "7"}, None),
        ({"x-ratelimit-remaining-requests": "x", "x-ratelimit-reset-requests": "1s"}, None),
        ({"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "-1s"}, None),
        ({"x-ratelimit-remaining-requests": "nan", "x-ratelimit-reset-requests": "1s"}, None),
        ({"content-type": "application/json"}, None),
    ],
)  # fmt: skip
def test_what_is_left_is_that_of_the_tightest_limit(
    headers: dict[str, str], found: Allowance | None
) -> None:
    assert allowance(headers, 1000) == found


def test_words_without_end_take_no_time() -> None:
    assert said("retry in " + "1s " * 1300) == 1300
    assert said("try again " * 400 + "1" * 4000 + " ms" * 1000) is None
