"""Answers of Overpass as osmnx keeps them: kept until a fetch ends, read together when it does."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import re
import shutil
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart_heure.errors import OutputError, QuartHeureError, TryLaterError
from quart_heure.sources.online.patience import Refusal, host_of

if TYPE_CHECKING:
    import requests


_PREFIX = "fetch-"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """All elements that a request brought, in as many parts as it took.

    Parameters
    ----------
    elements
        Nodes, ways and relations as Overpass gives them, some perhaps twice.
    osm_dates
        ``timestamp_osm_base`` of the parts, or the moment that was asked for, ascending.
    no_dates
        What servers say there that is no date: ``""`` for nothing, or an operator's own words.
    server
        Host that answered.
    queries
        What it was asked, without the coordinates of each part.
    parts
        Number of requests.
    """

    elements: list[dict[str, Any]]
    osm_dates: tuple[str, ...]
    no_dates: tuple[str, ...]
    server: str
    queries: tuple[str, ...]
    parts: int

    @property
    def osm_date(self) -> str:
        """Date of the oldest part, ``""`` if the server does not say."""
        return self.osm_dates[0] if self.osm_dates else ""


@dataclasses.dataclass(frozen=True)
class KeptAnswers:
    """Answers of one server to one request, as osmnx keeps them: one JSON file each."""

    folder: Path
    server: str

    @classmethod
    def within(cls, parent: Path, *, what: str, server: str, split: int) -> KeptAnswers:
        """Return the answers in a folder of their own: servers and sizes are never mixed."""
        name = re.sub(r"[^a-z0-9]+", "-", f"{what} {server} {split}".lower())
        return cls(parent / name, server)

    def files(self) -> list[Path]:
        """Return the files of the answers so far."""
        return sorted(self.folder.glob("*.json"))

    def drop_unusable(self, resume_hours: float) -> None:
        """Remove answers that are too old, or were being written when a fetch was stopped."""
        self.folder.mkdir(parents=True, exist_ok=True)
        oldest = time.time() - resume_hours * 3600
        for file in self.files():
            try:
                json.loads(file.read_bytes())
                usable = file.stat().st_mtime >= oldest
            except (ValueError, RecursionError):
                usable = False
            if not usable:
                file.unlink()

    def note_query(self, request: requests.PreparedRequest, *, timeout_s: int) -> None:
        """Keep what was asked, without the coordinates, and without what each try declared."""
        body = request.body or urllib.parse.urlsplit(request.url or "").query
        text = body.decode() if isinstance(body, bytes) else str(body)
        query = "".join(urllib.parse.parse_qs(text).get("data", [urllib.parse.unquote_plus(text)]))
        query = re.sub(r"\[timeout:\d+\]\[maxsize:\d+\]", f"[timeout:{timeout_s}]", query)
        query = re.sub(r"poly:(['\"])[^'\"]*\1", "poly:'…'", query)
        with (self.folder / "queries.txt").open("a", encoding="utf-8") as file:
            file.write(query + "\n")

    def answer(self, date: str = "") -> Answer:
        """Read all answers together, on the moment that was asked for.

        Raises
        ------
        Refusal
            If one holds what is no element of OpenStreetMap; it is not kept.
        """
        parts = [self._part(file) for file in self.files()]
        said = {str(part.get("osm3s", {}).get("timestamp_osm_base", "")) for part in parts}
        dates = {text for text in said if _is_date(text)}
        no_dates = said - dates
        if date:
            # Servers that are asked for the past say of what moment their present is.
            dates, no_dates = {min(date, each) for each in dates or {date}}, set()
        asked = self.folder / "queries.txt"
        queries = asked.read_text(encoding="utf-8").splitlines() if asked.exists() else []
        return Answer(
            elements=[element for part in parts for element in part["elements"]],
            osm_dates=tuple(sorted(dates)),
            no_dates=tuple(sorted(no_dates)),
            server=host_of(self.server),
            queries=tuple(sorted(set(queries))),
            parts=len(parts),
        )

    def _part(self, file: Path) -> dict[str, Any]:
        part = json.loads(file.read_bytes())
        elements = part.get("elements") if isinstance(part, dict) else None
        whole = isinstance(elements, list) and isinstance(part.get("osm3s", {}), dict)
        if not whole or not all(map(_is_element, elements or ())):
            file.unlink()
            msg = "elements that are none of OpenStreetMap's"
            raise Refusal(msg)
        return dict(part)


_PARTS = {"node": (), "way": ("nodes",), "relation": ("members",)}
"""Lists that elements of each type have."""


def _is_element(element: Any) -> bool:
    """Tell whether an element has the form that those of Overpass have."""
    if not isinstance(element, dict) or element.get("type") not in _PARTS:
        return False
    kind, tags = element["type"], element.get("tags", {})
    numbers = ("lat", "lon") if kind == "node" else ()
    return (
        type(element.get("id")) is int
        and all(isinstance(element.get(name), int | float) for name in numbers)
        and all(isinstance(element.get(name, []), list) for name in _PARTS[kind])
        and all(type(node) is int for node in element.get("nodes", ()))
        and all(isinstance(member, dict) for member in element.get("members", ()))
        and isinstance(tags, dict)
        and all(isinstance(text, str) for text in tags.values())
    )


def _is_date(text: str) -> bool:
    """Tell whether a server's words on its date are one: an operator may have given any."""
    try:
        return bool(text[:4].isdigit() and datetime.datetime.fromisoformat(text))
    except ValueError:
        return False


@contextlib.contextmanager
def answers_folder(parent: Path | None, key: str, *, hours: float) -> Iterator[Path]:
    """Give the folder of the answers of a fetch: kept for the next try if the servers fail.

    Parameters
    ----------
    parent
        Where to make it; None for a temporary folder, from which no fetch can be taken up again.
    key
        All that the answers depend on.
    hours
        Folders of other fetches that are older are removed.
    """
    if parent is not None:
        _forget_old(parent, hours)
        try:
            (parent / f"{_PREFIX}{key}").mkdir(parents=True, exist_ok=True)
        except OSError:
            parent = None  # a cache that cannot be written stops nothing
    if parent is None:
        with tempfile.TemporaryDirectory(prefix="quart-heure-") as folder:
            yield Path(folder)
        return
    kept = parent / f"{_PREFIX}{key}"
    try:
        yield kept
    except QuartHeureError as error:
        # Answers that led to another error would lead to it again.
        if not isinstance(error, (TryLaterError, OutputError)):
            shutil.rmtree(kept, ignore_errors=True)
        raise
    shutil.rmtree(kept, ignore_errors=True)


def kept_answers(parent: Path) -> list[tuple[int, float]]:
    """Return bytes and last use, in seconds since 1970, of the answers of each fetch in a folder.

    Those are of fetches that failed and were not taken up again.
    """
    found = []
    for folder in sorted(parent.glob(f"{_PREFIX}*")):
        # Another fetch may be removing it just now.
        with contextlib.suppress(OSError):
            about = [file.stat() for file in (folder, *folder.rglob("*"))]
            found.append((sum(one.st_size for one in about[1:]), max(o.st_mtime for o in about)))
    return found


def forget_answers(parent: Path) -> None:
    """Remove the answers of all fetches in a folder: each then begins anew.

    Raises
    ------
    OSError
        If one cannot be removed.
    """
    for folder in parent.glob(f"{_PREFIX}*"):
        shutil.rmtree(folder)


def _forget_old(parent: Path, hours: float) -> None:
    """Remove the answers of fetches that were never taken up again."""
    oldest = time.time() - hours * 3600
    for folder in parent.glob(f"{_PREFIX}*"):
        # Another fetch may be removing it just now.
        with contextlib.suppress(OSError):
            if max((file.stat().st_mtime for file in folder.rglob("*")), default=0.0) < oldest:
                shutil.rmtree(folder)
