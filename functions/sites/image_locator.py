"""Which object an image's address means, as it stands in a page."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, urljoin

from functions.core.image_url import Origin, candidates
from functions.core.image_url import origins as parsed

ObjectName = tuple[str, str]
_NOWHERE = "https://pages.invalid"


class ImageLocator:
    """Turns addresses into buckets and names: absolute ones by ``origins``, relative ones by
    where the page lies in the site's folder.

    ``site`` is the address at which the folder is published; with ``bucket``, all that lies
    under it is stored in the bucket under ``prefix``, or only what lies under the folder's
    ``inner`` folder; ``relative`` says whether it is known. Raises ValueError, with the
    remedy, for what is no web address or bucket.
    """

    def __init__(
        self,
        origins: Sequence[Origin] = (),
        site: str = "",
        bucket: str = "",
        prefix: str = "",
        inner: str = "",
    ) -> None:
        self._site = site.rstrip("/") or _NOWHERE
        self._origins = list(origins)
        self.relative = bool(bucket)
        if bucket:
            (here,) = parsed(f"{self._site}={bucket}")
            address = f"{here.address}/{inner}".rstrip("/")
            self._origins.append(replace(here, address=address, prefix=prefix.strip("/")))

    def page(self, path: str) -> str:
        """The address of a file of the folder."""
        return f"{self._site}/{quote(os.fsencode(path))}"

    def find(self, src: str, page: str = "", base: str = "") -> tuple[ObjectName, ...]:
        """What ``src`` may mean, likeliest first; empty if that is no object of a bucket.

        ``page`` is the address of the page and ``base`` what its ``base`` element says.
        """
        try:
            if src[:5].lower() != "gs://":
                src = urljoin(urljoin(page or self.page(""), base), _slashes(src))
            return candidates(src, self._origins)
        except ValueError:
            return ()


def _slashes(src: str) -> str:
    """``src`` as browsers read it: without line ends and tabs, a backslash in the path a slash."""
    path, *rest = re.split("(?=[?#])", re.sub(r"[\t\r\n]", "", src), maxsplit=1)
    return "".join([path.replace("\\", "/"), *rest])
