"""Libraries that wheels bring along are audited too."""

from __future__ import annotations

import pytest

from tools import bundled


def test_no_library_that_is_deployed_has_a_known_hole() -> None:
    found = bundled.bundled()
    assert {"libheif", "libde265", "libtiff", "libvips", "pdfium", "libjxl"} <= {
        name for name, _ in found
    }
    assert bundled.faults(found, bundled.table()) == []


@pytest.mark.parametrize(
    ("library", "version", "fault"),
    [
        ("libheif", "1.23.0", "GHSA-x8r2"),
        ("libde265", "1.1.0", "memory faults"),
        ("libwebp", "1.3.1", "CVE-2023-4863"),
        ("libtiff", "", "cannot be told"),
        ("libunheard", "1.0", "not in bundled.toml"),
    ],
)
def test_an_old_or_unknown_library_is_told(library: str, version: str, fault: str) -> None:
    (line,) = bundled.faults({(library, "some-wheel"): version}, bundled.table())
    assert fault in line
    assert "some-wheel" in line
