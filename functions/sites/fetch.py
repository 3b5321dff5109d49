"""Pages that are published already, by their addresses."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

MOST_BYTES = 16 << 20
_SECONDS = 30


def page(address: str) -> bytes:
    """The page at an address of the web. Raises OSError, with the reason."""
    if not address.lower().startswith(("http://", "https://")):
        raise OSError("is no address of the web; write it with http:// or https://")
    headers = {"User-Agent": "captions audit", "Accept": "text/html,application/xhtml+xml"}
    try:
        request = urllib.request.Request(address, headers=headers)  # noqa: S310
        # The scheme has been looked at; a redirect leads to http, https or ftp, never to a file.
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310  # nosec B310
            kind = answer.headers.get_content_type()
            if kind not in ("text/html", "application/xhtml+xml"):
                raise OSError(f"is no page but {kind}")
            data: bytes = answer.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"cannot be read: status {error.code}") from None
    except urllib.error.URLError as error:
        raise OSError(f"cannot be read: {error.reason}") from None
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"cannot be read: {error}") from None
    if len(data) > MOST_BYTES:
        raise OSError(f"is longer than {MOST_BYTES} bytes")
    return data
