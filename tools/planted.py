"""The bugs that ``tools.mutants`` plants: the promise's own protections, taken out."""

from __future__ import annotations

from dataclasses import dataclass

_OUTCOMES = "tests/scenarios/test_outcomes.py"
_ASKING = "tests/scenarios/test_model_outcomes.py"
_STORMS = "tests/scenarios/test_storms.py"
_LOOKUPS = "tests/scenarios/test_alt_text.py"
_ALT_JS = "tests/browser/test_alt_js.py"
_EDITS, _REVIEW = "tests/unit/usecases/test_edit_caption.py", "tests/scenarios/test_review.py"
_FRONT = "tests/scenarios/cli/test_local_guard.py"
_MEANT = "tests/scenarios/test_embeddings.py"
_CHAOS = "tests/chaos/test_races.py tests/chaos/test_promise.py"
_ALT_TEXT = "functions/http/alt_text.py"
_CAPTIONING = "functions/usecases/caption_image.py"
_CLAIMS = "functions/core/lease.py"
_ERRORS = "functions/adapters/vendor_errors.py"
_FAULTS = "tests/unit/adapters/test_vendor_errors.py"
_GCS = "functions/adapters/gcs.py"
_LABELS = "functions/core/object_metadata.py"
_MEANING = "functions/model/embeddings.py"
_PUBLISHING = "functions/core/transitions.py"
_REMOVALS = "functions/usecases/forget_image.py"


@dataclass(frozen=True)
class Mutant:
    """One bug: ``old`` becomes ``new`` in ``file``, and ``tests`` (``only`` some) must see it."""

    name: str
    file: str
    old: str
    new: str
    tests: str = _CHAOS
    only: str = ""


MUTANTS = (
    Mutant(
        "download whatever generation is live",
        _GCS,
        "raw_download=True,\n                    if_generation_match=upload.generation,\n",
        "raw_download=True,\n",
        f"{_OUTCOMES} {_STORMS}",
        "cloud and (leaves_no_claim or conditional)",
    ),
    Mutant(
        "label whatever metageneration there is",
        _GCS,
        "                    if_metageneration_match=upload.metageneration,\n",
        "",
        _STORMS,
        "conditional",
    ),
    Mutant(
        "ignore the lease",
        _CLAIMS,
        "return Verdict.HELD if waits_until(stored) else Verdict.WORK",
        "return Verdict.WORK",
    ),
    Mutant(
        "ignore the provider's delay",
        _CLAIMS,
        "times = [document.not_before, document",
        "times = [None, document",
        _ASKING,
        "embedded and before_the_provider",
    ),
    Mutant(
        "let an older generation in",
        _CLAIMS,
        "        return Verdict.SUPERSEDED\n",
        "        return Verdict.WORK\n",
    ),
    Mutant(
        "count no attempts",
        _CLAIMS,
        "attempts=document.attempts + 1 if again else 1",
        "attempts=1",
        _ASKING,
        "embedded and given_up",
    ),
    Mutant(
        "count attempts after the call",
        _CAPTIONING,
        "            attempts=stored.document.attempts - waited,\n",
        "            attempts=stored.document.attempts - 1,\n",
        _ASKING,
        "embedded and given_up",
    ),
    Mutant(
        "create a document over what is there",
        "functions/adapters/sqlite.py",
        "insert or ignore into captions",
        "insert or replace into captions",
        "tests/contracts",
        "sqlite",
    ),
    Mutant(
        "set a Firestore document instead of creating it",
        "functions/adapters/firestore.py",
        ".create(_record(document), **_BOUNDS)",
        ".set(_record(document), **_BOUNDS)",
        "tests/contracts",
        "firestore",
    ),
    Mutant(
        "update a Firestore document unconditionally",
        "functions/adapters/firestore.py",
        "reference.update(changed, option=option, **_BOUNDS)",
        "reference.update(changed, **_BOUNDS)",
        "tests/contracts",
        "firestore",
    ),
    Mutant(
        "swallow a transient error",
        _CAPTIONING,
        "            self._postpone(stored, error, report)\n            raise\n",
        "            self._postpone(stored, error, report)\n            return\n",
    ),
    Mutant(
        "keep the lease after an error",
        _CAPTIONING,
        "            lease=None,\n            not_before=now",
        "            not_before=now",
        _ASKING,
        "embedded and overloaded",
    ),
    Mutant(
        "keep the claim on an image that is gone",
        _CAPTIONING,
        "            removals.drop(self._store, self._images, stored)\n",
        "",
    ),
    Mutant(
        "label before saving",
        _CAPTIONING,
        "        saved = self._save(stored, publishing.spent(document, report.usage), report)\n",
        "        document = publishing.spent(document, report.usage)\n"
        "        if document.status == 'captioned':\n"
        "            publishing._write(self._images, document, upload)\n"
        "        saved = self._save(stored, document, report)\n",
        "tests/scenarios/test_crashes.py",
        "write",
    ),
    Mutant(
        "say that it is labelled before it is",
        _PUBLISHING,
        "        metadata_synced=False,\n        search_terms=terms,",
        "        metadata_synced=True,\n        search_terms=terms,",
        "tests/scenarios/test_crashes.py",
        "write",
    ),
    Mutant(
        "label again without reading the document",
        _PUBLISHING,
        "            stored = current\n",
        "",
    ),
    Mutant(
        "save over what a person wrote",
        _CAPTIONING,
        'if edited or current.document.status != "pending":',
        'if current.document.status == "rejected":',
    ),
    Mutant(
        "replace a person's text by the model's",
        _PUBLISHING,
        'if claim.source == "human":',
        'if claim.source == "nobody":',
    ),
    Mutant(
        "forget a person's text with an overwrite",
        _CLAIMS,
        'document.generation != upload.generation and document.source != "human"',
        "document.generation != upload.generation",
    ),
    Mutant(
        "believe a forged caption-source",
        _LABELS,
        '    return metadata.get("caption-source", "") in SOURCES\n',
        "    return False\n",
        _OUTCOMES,
        "embedded and believed",
    ),
    Mutant(
        "forget an image though it stands",
        _REMOVALS,
        "            if self._images.look_up(deletion.bucket, deletion.name):\n",
        "            if False:\n",
    ),
    Mutant(
        "forget whatever the generation",
        _REMOVALS,
        "            if stored.document.generation > deletion.generation:\n",
        "            if False:\n",
    ),
    Mutant(
        "end unread without a look at the object",
        "functions/usecases/preflight.py",
        "    if live is None or live.generation != upload.generation:\n",
        "    if False:\n",
    ),
    Mutant(
        "two that ask for the same bytes do not see each other",
        "functions/usecases/find_copy.py",
        "(other.version, other.document.id) < order",
        "False",
        _STORMS,
        "embedded and many_names",
    ),
    Mutant(
        "two that ask for the same bytes wait for each other",
        "functions/usecases/find_copy.py",
        "_asking(other) and (other.version, other.document.id) < order",
        "_asking(other)",
    ),
    Mutant(
        "never check the daily limit",
        "functions/model/quota.py",
        "            if not self._left:\n                return False\n",
        "",
        _ASKING,
        "embedded and daily_limit",
    ),
    Mutant(
        "repair until it works",
        "functions/model/client.py",
        "        if draft.faults and self._clock() < again_until:\n",
        "        while draft.faults and self._clock() < again_until:\n",
        _ASKING,
        "embedded and stays_unusable",
    ),
    Mutant(
        "mark nothing for review",
        "functions/model/client.py",
        "            tuple(filter(None, (*draft.checked.reasons, draft.answer.review))),\n",
        "            (),\n",
        "tests/scenarios/test_worst_model.py",
    ),
    Mutant(
        "publish a refusal",
        "functions/quality/findings.py",
        '"prompt_echo", "refusal"}',
        '"prompt_echo"}',
        "tests/scenarios/test_worst_model.py",
    ),
    Mutant(
        "trust the instance's clock",
        "functions/core/clock.py",
        "        return wrong\n",
        "        self._behind = timedelta()\n        return False\n",
    ),
    Mutant(
        "answer for private buckets",
        _ALT_TEXT,
        " if not public or place[0] in public",
        "",
        _LOOKUPS,
    ),
    Mutant(
        "tell an overwritten image's words",
        _ALT_TEXT,
        'document.status == "pending" and document.width is not None',
        'document.status == "pending"',
        _LOOKUPS,
    ),
    Mutant(
        "take a path for a part of a longer one",
        "functions/core/image_url.py",
        'under = address.startswith(self.address + "/")',
        "under = address.startswith(self.address)",
        "tests/unit/core/test_image_url.py",
    ),
    Mutant(
        "take what a page says about an encoding for its own",
        "functions/sites/encoding.py",
        """attributes.get(b"http-equiv", b"").lower() != b"content-type":""",
        """not attributes:""",
        "tests/unit/sites/test_encoding.py",
    ),
    Mutant(
        "take the rest of a page for a template's code",
        "functions/sites/template_code.py",
        " or (expression and not _CODE.fullmatch(text, begin + 2, end))",
        "",
        "tests/unit/sites/test_markup.py",
    ),
    Mutant(
        "take a link its name",
        "functions/sites/fill.py",
        "    if not said.alt_text and only:\n",
        "    if not said.alt_text and not only and only:\n",
        "tests/scenarios/cli/test_html.py",
        "name",
    ),
    Mutant(
        "say twice what a figcaption says",
        "functions/sites/fill.py",
        "if not only and functional.says_the_same(",
        "if only and functional.says_the_same(",
        "tests/scenarios/cli/test_html.py",
        "around_an_image",
    ),
    Mutant(
        "leave a text that stands beside its image",
        "functions/sites/audit.py",
        "redundant = functional.is_beside_its_name(context) or context.control is None",
        "redundant = False",
        "tests/scenarios/cli/test_audit.py",
        "mended",
    ),
    Mutant(
        "call one picture in two sizes two pictures",
        "functions/sites/audit.py",
        "shortest = min((name, *originals(name)), key=len)",
        "shortest = name",
        "tests/scenarios/cli/test_audit.py",
        "wrong_with_a_text",
    ),
    Mutant(
        "believe the query of an address that is an image's own",
        "functions/core/image_proxies.py",
        "    if not at_endpoint and _OWN.search(path):\n        return\n",
        "",
        "tests/unit/core/test_image_url.py",
    ),
    Mutant(
        "let a pattern take hosts that end alike",
        "functions/core/image_url.py",
        '"[a-z0-9._-]+" if',
        '".*" if',
        "tests/unit/core/test_image_url.py",
    ),
    Mutant(
        "prefer an original to the copy that has words",
        "functions/core/renditions.py",
        "dict.fromkeys([*seen, *converted])",
        "dict.fromkeys([*reversed(seen), *converted])",
        "tests/unit/core/test_image_url.py",
    ),
    Mutant(
        "decode names twice",
        "functions/core/image_url.py",
        "unquote(text, errors",
        "unquote(unquote(text), errors",
        "tests/unit/core/test_image_url.py",
    ),
    Mutant(
        "serve a script that the reader cannot read",
        "functions/core/public_text.py",
        " and script_of(tag) & script_of(language)",
        "",
        "tests/unit/core/test_public_text.py",
    ),
    Mutant(
        "remember without a bound on bytes",
        "functions/http/cache.py",
        " or self._bytes > self._most_bytes",
        "",
        "tests/unit/http/test_cache.py",
    ),
    Mutant(
        "keep other websites' scripts out of step with Vary",
        "functions/http/responses.py",
        '        response.vary.add("Origin")\n',
        "",
        _LOOKUPS,
    ),
    Mutant(
        "overwrite the alt text of the page",
        "functions/http/static/alt.js",
        "img:not([alt])",
        "img",
        _ALT_JS,
    ),
    Mutant(
        "answer about the picture that was there before",
        "functions/http/static/alt.js",
        " clear(img, state);\n    } else if (!img",
        ";\n    } else if (!img",
        _ALT_JS,
    ),
    Mutant(
        "leave an image without words that a library has taken away",
        "functions/http/static/alt.js",
        "attributeFilter = ['alt', 'src'",
        "attributeFilter = ['src'",
        "tests/browser/test_alt_js_guests.py",
    ),
    Mutant(
        "fight for ever with a program that takes words away",
        "functions/http/static/alt.js",
        "    if (state.fills++ >= REFILLS) return;\n",
        "",
        _ALT_JS,
        "for_ever",
    ),
    Mutant(
        "name an image that its author has named or hidden",
        "functions/http/static/alt.js",
        "        if (intended(img)) continue;\n",
        "",
        _ALT_JS,
        "intends",
    ),
    Mutant(
        "wait for a silent endpoint for ever",
        "functions/http/static/alt.js",
        "abort.abort()",
        "abort",
        _ALT_JS,
    ),
    Mutant(
        "overwrite what somebody else has edited meanwhile",
        "functions/usecases/edit_caption.py",
        "if seen and version(stored.document) != seen:",
        "if False:",
        _EDITS,
    ),
    Mutant(
        "keep the translations of words that were wrong",
        "functions/usecases/edit_caption.py",
        "        edited = replace(edited, translations={})\n",
        "        pass\n",
        _EDITS,
    ),
    Mutant(
        "take a change from another website",
        "functions/http/review_requests.py",
        'return site != "same-origin"',
        'return site == "cross-site"',
        _REVIEW,
    ),
    Mutant(
        "show an SVG as a document",
        "functions/http/review.py",
        "        if kind == _SVG:\n",
        "        if not kind:\n",
        _REVIEW,
    ),
    Mutant(
        "answer to a name that was turned to this machine",
        "functions/local/uploads.py",
        "return host in self._hosts",
        "return True",
        _FRONT,
    ),
    Mutant(
        "let any website read what is in a folder",
        "functions/local/uploads.py",
        '        if not _foreign(request):\n            return ""\n',
        '        if not _foreign(request) or request.method == "GET":\n            return ""\n',
        _FRONT,
    ),
    Mutant(
        "store what comes with a question beforehand",
        "functions/local/uploads.py",
        '        if request.method == "OPTIONS":\n            return Response(status=204, ',
        '        if request.method == "NONE":\n            return Response(status=204, ',
        _FRONT,
    ),
    Mutant(
        "take another way to write a file's name for another file",
        "functions/adapters/folder.py",
        " or path.relative_to(self._folder).as_posix() != name:",
        ":",
        _FRONT,
    ),
    Mutant(
        "call a malformed body a defect",
        "functions/http/responses.py",
        "    except Exception:  # every server",
        "    except KeyError:  # every server",
        "tests/scenarios/test_http_bodies.py",
    ),
    Mutant(
        "let the framework take a long body into memory",
        "functions/http/responses.py",
        "        left = _MOST_DROPPED if len(taken) > most else 0\n",
        "        left = 0\n        if len(taken) > most:\n            raise Refusal(413, '')\n",
        "tests/scenarios/test_http_bodies.py",
    ),
    Mutant(
        "store an upload over another picture",
        "functions/local/uploads.py",
        'path.open("xb")',
        'path.open("wb")',
        _FRONT,
    ),
    Mutant(
        "show a caption as markup",
        "functions/http/static/review.js",
        '  text(".alt", words(caption));\n',
        '  $(".alt", row).innerHTML = words(caption);\n',
        "tests/browser/test_review_page.py",
    ),
    Mutant(
        "take words away that are asked for again in vain",
        _CAPTIONING,
        'before.status == "captioned":',
        "False:",
        _ASKING,
        "in_vain",
    ),
    Mutant(
        "let an event fail for an embedding",
        _MEANING,
        "        except CaptionError as error:\n            report.embedding",
        "        except Gone as error:\n            report.embedding",
        _MEANT,
    ),
    Mutant(
        "ask a wrong embedding model at every event",
        _MEANING,
        "if isinstance(error, ConfigurationError):",
        "if False:",
        _MEANT,
    ),
    Mutant(
        "publish unmarked what does not match its image",
        _MEANING,
        "return document if document.similarity >= threshold else _doubted(document, LOW)",
        "return document",
        _MEANT,
    ),
    Mutant(
        "remove captions of images that stand",
        "functions/usecases/reconcile.py",
        "if self._images.look_up(document.bucket, document.name) is None:",
        "if True:",
        "tests/scenarios/test_reconcile.py",
    ),
    Mutant(
        "reject the images that a model without eyes cannot see",
        _ERRORS,
        '    if family := says("blind"):\n        return family\n',
        "",
        _FAULTS,
        "without_eyes",
    ),
    Mutant(
        "call what names an image the image's fault",
        _ERRORS,
        'and (family := says("too_large", "picture")):\n        return family',
        'and "image" in message.lower():\n        return "picture"',
        _FAULTS,
    ),
    Mutant(
        "take moderation for a wrong setting",
        _ERRORS,
        '        return "refusal"\n    if status == 402',
        '        return ""\n    if status == 402',
        _FAULTS,
        "moderation",
    ),
    Mutant(
        "lose an answer to its own bill",
        _ERRORS,
        "    return int(number) if 0 < number < 1e9 else 0",
        "    return int(value)",
        "tests/contracts/test_answers.py",
        "bill and openai",
    ),
    Mutant(
        "forget what a server does not take",
        "functions/adapters/negotiation.py",
        "self._clock() + _REMEMBERED_SECONDS",
        "0",
        "tests/unit/adapters/test_negotiation.py",
    ),
    Mutant(
        "read the first object that there is",
        "functions/model/reply.py",
        "if said >= rank:",
        "if best is None:",
        "tests/unit/model/test_reply.py",
        "wherever or several",
    ),
    Mutant(
        "charge next year's price",
        "functions/model/prices.py",
        "if begins <= day",
        "if begins",
        "tests/unit/model/test_prices.py",
    ),
    Mutant(
        "show websites what is up for review",
        "infra/firestore.rules",
        "resource.data.review.needed == false",
        "true",
        "tests/infra/test_rules.py",
    ),
)
