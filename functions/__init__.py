"""Automatic alt text for every image a website stores.

An upload's way through this package, one direction, no step back but one repair::

    CloudEvent -> events -> usecases/caption_image -> core/lease (claim) -> pictures (read, prepare)
               -> model (prompt, ask, fall back) -> quality (check) -> core/transitions
               -> adapters (save the document, write the object's metadata)

==============  =====================================================================
core/           pure rules and nouns: documents, leases, transitions, addresses, ports, errors
usecases/       one file a use case: caption_image, forget_image, edit_caption, reconcile ...
model/          one picture and one prompt in, checked text out: fallback, quota, prices
quality/        the filter between the model's text and the website
pictures/       bytes -> a picture that a model accepts, without private data
adapters/       models, Firestore, Cloud Storage, Pub/Sub, SQLite and a folder
http/           what websites and people ask over HTTP: alt_text, review
sites/          a static site's files, and the alt text they lack; Jinja
local/          a folder as the bucket: the functions on this machine
cli/            the command ``captions``: one verb a file
evals/          captions measured against people's, and runs compared
settings        the environment, read once and validated
providers       who can be asked: one row a provider
events          CloudEvent -> Upload, Deletion, CaptionRequest
logs            one delivery: one log line, acknowledged or raised
composition     the one place that chooses adapters
==============  =====================================================================

Imports point one way: main, cli, local, sites, http -> composition -> usecases -> model,
quality, pictures -> core; adapters know core and their own SDK. tests/unit/test_architecture.py
holds it.
"""
