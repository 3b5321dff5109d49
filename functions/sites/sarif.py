"""An audit's faults as SARIF 2.1.0, which code hosts show beside the lines that they are about."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote

from functions.sites.audit import RULES, AuditRule, Fault

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def log(faults: Iterable[tuple[str, Fault]], errors: Iterable[tuple[str, str]] = ()) -> Any:
    """One run. ``errors`` are the files that could not be read, and why."""
    notifications = [
        {"level": "error", "message": {"text": f"{path} {why}"}} for path, why in errors
    ]
    run = {
        "tool": {
            "driver": {
                "name": "captions audit",
                "semanticVersion": _version(),
                "rules": [_rule(rule) for rule in RULES.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not notifications,
                "toolExecutionNotifications": notifications,
            }
        ],
        "results": [_result(path, fault) for path, fault in faults],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: AuditRule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.meaning},
        "defaultConfiguration": {"level": rule.level},
    }


def _result(path: str, fault: Fault) -> dict[str, Any]:
    alt = f" It says: {fault.alt}" if fault.alt else ""
    better = f" Its caption says: {fault.suggestion}" if fault.suggestion else ""
    uri = path if path.startswith(("http://", "https://")) else quote(os.fsencode(path))
    # Lines move: what a fault is about stays.
    about = f"{fault.code}\n{path}\n{fault.src}\n{fault.alt}".encode("utf-8", "surrogateescape")
    fingerprint = hashlib.sha256(about).hexdigest()[:32]
    return {
        "ruleId": fault.code,
        "ruleIndex": list(RULES).index(fault.code),
        "level": fault.level,
        "message": {"text": f"{fault.message}{alt}{better}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    "region": {"startLine": fault.line, "startColumn": fault.column},
                }
            }
        ],
        "partialFingerprints": {"imageAndText/v1": fingerprint},
    }


def _version() -> str:
    try:
        return version("bucket-captions")
    except PackageNotFoundError:
        return "0.0.0"
