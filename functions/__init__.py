"""Automatic alt text for every image a website stores.

An upload's way through this package, one direction, no step back but one repair::

    CloudEvent -> events -> captioning -> store (claim) -> images (read, prepare)
               -> prompt -> captioner -> quality -> store (save) -> images (label)

==============  =====================================================================
domain          the nouns (Upload, Document, Picture ...) and the ports they travel
errors          the error families that decide: record, redeliver, or fix a setting
settings        the environment, read once and validated
events          CloudEvent -> Upload, Deletion, CaptionRequest
deliveries      one delivery: one log line, acknowledged or raised
captioning      the use cases of an upload and a request
removals        captions that go: deleted, overwritten, come too late
claims          the rules of who may work on an image, and since when (clock)
skipping        what is not captioned, and in which languages the rest is
reuse           the same bytes again: copied, not asked for
asking          picture and prompt in, checked words out (budget, prices)
publishing      whose words stand: people's before the model's
editing         what people do to a caption: write, approve, accept a proposal
pictures        bytes -> a Picture that a model accepts, without private data
prompt          the zero-shot prompt, the reply's schema
reply           what a model's answer says (lenient_json)
quality         the filter between the model's words and the website
policy          captions.toml: which rule applies to a name
languages       BCP 47 tags, their scripts and fallbacks
addresses       an image's address on the web -> bucket and name
wordings        which of a document's languages a reader gets
search          the words under which a caption is found, and those of a question
labels          what is read from and written to an object's metadata
pages/          a static site's HTML files, and the alt text they lack
meaning         embeddings of captions; do the words match the picture
captioners/     one file a model provider
embedders/      likewise, for embeddings (loading: both, imported late)
stores/         Firestore and Cloud Storage; SQLite and a folder
web/            what websites and people ask over HTTP: alt_text, review
upkeep          what has come apart between a bucket and its captions
evaluation/     captions measured against people's, and runs compared
requesting      messages that ask for captions
wiring          the one place that chooses adapters
templates       alt text for template engines
cli/            the command ``captions``
==============  =====================================================================
"""
