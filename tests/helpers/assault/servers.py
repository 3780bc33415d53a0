"""Hostile servers: answers that are deep, endless, packed, cut, or something else."""

from __future__ import annotations

import gzip
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.assault.trials import Trial
from helpers.fake_server import FakeServer, Handler

_PACKED = {"Content-Encoding": "gzip"}


def _zeros(megabytes: int) -> bytes:
    return gzip.compress(bytes(megabytes * 1_000_000), 1)


_Answer = Callable[[], tuple[int, dict[str, str], bytes]]

_ANSWERS: dict[str, _Answer] = {
    "deep lists": lambda: (200, {}, b"[" * 100_000 + b"]" * 100_000),
    "deep objects": lambda: (200, {}, b'{"elements":' * 50_000 + b"{}" + b"}" * 50_000),
    "a remark that is deep": lambda: (
        200, {}, b'{"elements": [], "remark": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "packed and large": lambda: (200, _PACKED, _zeros(620)),
    "packed and cut": lambda: (200, _PACKED, _zeros(1)[:-40]),
    "packed, and is not": lambda: (200, _PACKED, b"plain"),
    "a page": lambda: (200, {}, b"<html><title>Busy</title></html>"),
    "nothing": lambda: (200, {}, b""),
    "cut": lambda: (200, {}, b'{"elements": [{"type": "node", "id": 1'),
    "null": lambda: (200, {}, b"null"),
    "a list": lambda: (200, {}, b"[]"),
    "no elements": lambda: (200, {}, b'{"elements": []}'),
    "elements of nothing": lambda: (200, {}, b'{"elements": [null, 7, {}, {"type": "way"}]}'),
    "elements that are no list": lambda: (200, {}, b'{"elements": {"a": 1}}'),
    "no numbers": lambda: (
        200, {}, b'{"elements": [{"type": "node", "id": "x", "lat": null, "lon": "y"}]}'),
    "not in any encoding": lambda: (200, {}, b"\xff\xfe\x00[" + bytes(range(256))),
    "a table": lambda: (200, {}, b"address,postcode,latitude\n1,2\n\"x"),
    "control signs": lambda: (400, {}, '{"message": "\x1b[31m\x07\x9b"}'.encode()),
    "away": lambda: (503, {}, b""),
    "too many": lambda: (429, {"Retry-After": "99999999999999"}, b""),
    "elsewhere": lambda: (307, {"Location": "http://127.0.0.2:1/"}, b""),
    "in a circle": lambda: (302, {"Location": "/"}, b""),
    "a file": lambda: (302, {"Location": "file:///etc/hostname"}, b""),
    "packed and elsewhere": lambda: (302, {**_PACKED, "Location": "/more"}, _zeros(300)),
    "odd codes": lambda: (599, {}, b"\x00"),
}  # fmt: skip


class _Hostile(FakeServer):
    """Gives the same answer to everyone."""

    def __init__(self) -> None:
        super().__init__(_Request)
        self.answer: tuple[int, dict[str, str], bytes] = (503, {}, b"")


class _Request(Handler):
    def get(self) -> None:
        code, headers, body = self.service.answer
        self.reply(body, code=code, headers=headers)

    def post(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.get()


def servers(rng: random.Random, folder: Path) -> Iterator[Trial]:
    """Ask hostile servers for places of addresses and for a territory."""
    folder.mkdir(parents=True)
    listed = folder / "list.csv"
    listed.write_text("name,address,postcode\nA,1 rue A,75001\n", encoding="utf-8")
    server = _Hostile()
    with server.running():
        here = [
            "--mirror",
            f"{server.url}/api",
            "--nominatim",
            server.url,
            "-o",
            str(folder / "snapshots"),
        ]
        commands = [
            ["geocode", str(listed), "-o", str(folder / "placed.csv"), "--server", server.url],
            ["fetch", "--insee", "75101", *here],
            ["fetch", "Paris", *here],
        ]
        trials = [(name, command) for name in _ANSWERS for command in commands]
        rng.shuffle(trials)
        for name, command in trials:
            server.answer = _ANSWERS[name]()
            yield Trial(
                name=f"{name}: {' '.join(command[:2])[:20]}",
                arguments=command,
                inside=_impatient,
                codes=frozenset({3, 6, 10}),
                outputs=[folder / "snapshots"],
            )
    assert threading.current_thread() is threading.main_thread()


def _impatient() -> None:
    """Wait for no server, and hold the memory to what a small machine has."""
    import resource  # noqa: PLC0415

    from quart_heure.sources.online import overpass, web  # noqa: PLC0415

    for kind in (overpass.LiveSettings, web.Patience):
        kind.__init__.__kwdefaults__["pauses_s"] = ()  # type: ignore[misc, index]
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
