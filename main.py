"""The entry points: each translates, and decides nothing."""

import sys
from pathlib import Path

# The framework appends this folder to the path: a distribution named `functions` would win.
sys.path.insert(0, str(Path(__file__).parent))

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request, Response, current_app

from functions import composition, events, logs

# The framework imports this file within an application that is named for the entry point.
logs.warn(composition.start(current_app.name if current_app else ""))
if current_app and current_app.name in composition.ON_EVENTS:
    logs.take_unreadable(current_app)
if current_app and current_app.name == "alt_text":
    composition.serve_lookups(current_app)


@functions_framework.cloud_event
def caption_image(event: CloudEvent) -> None:
    """Keep one caption for each stored image."""
    logs.handle(event, lambda log: composition.captioning().caption(events.upload(event), log))


@functions_framework.cloud_event
def forget_image(event: CloudEvent) -> None:
    """Remove the caption of an image that was deleted."""
    logs.handle(event, lambda log: composition.forgetting().forget(events.deletion(event), log))


@functions_framework.cloud_event
def caption_request(event: CloudEvent) -> None:
    """Caption an image that somebody asks for: backfill, retry, re-caption."""
    logs.handle(event, lambda log: composition.captioning().request(events.request(event), log))


@functions_framework.cloud_event
def keep(event: CloudEvent) -> None:
    """Take up what waits, and mend what has come apart."""
    logs.handle(event, lambda log: composition.keeping().keep(events.keep_request(event), log))


@functions_framework.http
def alt_text(request: Request) -> Response:
    """Tell websites the alt text of their images."""
    return composition.alt_text().answer(request)


@functions_framework.http
def review(request: Request) -> Response:
    """Let people see images with their words, and set them right."""
    return composition.review().answer(request)


@functions_framework.http
def ask(request: Request) -> Response:
    """Answer a question about one image."""
    return composition.ask().answer(request)
