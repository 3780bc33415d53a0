"""Servers on this machine that answer as the real ones do, on good days and bad ones."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Trouble = Callable[["Handler", bytes], None]


class FakeServer:
    """A server that runs while it is asked for.

    Parameters
    ----------
    handler
        Answers one request; it is given the server first.
    """

    def __init__(self, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, self))
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Self]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # headers and body in one packet: two would wait for each other

    def __init__(self, service: Any, *args: Any) -> None:
        self.service = service
        super().__init__(*args)

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def get(self) -> None:
        """Answer a request without a body."""

    def post(self) -> None:
        """Answer a request with a body."""

    def reply(
        self,
        body: bytes,
        *,
        code: int = 200,
        headers: dict[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


def page(handler: Handler, _: bytes) -> None:
    """Answer with a page for people."""
    handler.reply(b"<!DOCTYPE html><html><head><title>Maintenance</title></head></html>")


def half(handler: Handler, body: bytes) -> None:
    handler.reply(body[: len(body) // 2])


def broken(handler: Handler, body: bytes) -> None:
    handler.reply(body[: len(body) // 2] + b"}")


def hang_up(handler: Handler, body: bytes) -> None:
    """Promise the whole answer and break off."""
    handler.reply(body[: len(body) // 2], length=len(body))
    handler.close_connection = True


def silence(handler: Handler, _: bytes) -> None:
    handler.service.closing.wait(20)
