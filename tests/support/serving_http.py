"""A website on a loopback port, for as long as a block lasts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug import Request, Response
from werkzeug.serving import make_server


@contextmanager
def served(pages: Callable[[Request], Response]) -> Iterator[str]:
    """Serve what ``pages`` answers; the website's address."""

    def app(environ: Any, start: Any) -> Any:
        return pages(Request(environ))(environ, start)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
