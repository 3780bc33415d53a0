"""OpenStreetMap's public servers, asked with patience: whole answers, or a clear end.

osmnx makes the requests, splits large areas and keeps every answer in a folder. What it would do
in silence or for ever (pauses of a minute, the same busy server again) is decided here: a hook
looks at each answer before osmnx does, and servers take turns with pauses that grow.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
import time
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import requests
import shapely

from quart_heure.errors import GeometryError, QuartHeureError, TryLaterError
from quart_heure.sources.online.answers import Answer, KeptAnswers
from quart_heure.sources.online.patience import (
    Refusal,
    Turns,
    check_answer,
    host_of,
    keep_content,
    wait_for_slot,
)
from quart_heure.sources.online.places import Place, choose_place, format_km2, search
from quart_heure.sources.online.questions import Asking, Declared, Tags, selecting
from quart_heure.sources.online.web import web_address

_ONE_AT_A_TIME = threading.Lock()
"""osmnx has one set of settings per process."""

_OTHER_TEXTS = 10
"""So often is a question asked with another text at once."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """Which servers are asked, and with how much patience.

    Parameters
    ----------
    mirrors
        Overpass servers, in the order in which they are asked; addresses that end in ``/api``.
    nominatim_url
        The server that knows places by name.
    timeout_s
        Seconds that a server may take, both to compute and between two packets.
    pauses_s
        Pauses after each round in which no server answered; their number is that of the retries.
    longest_wait_s
        A server that asks for a longer wait is given up.
    query_km2
        Larger areas are split into requests of about this size.
    splits
        How many times requests are made four times smaller, for servers that cannot answer.
    area_km2
        Larger areas are refused: they are for files, not for servers that all share.
    resume_hours
        How long the answers of an interrupted fetch can be used.
    user_agent
        How the requests call themselves; the servers' owners ask for it.
    wait
        Called with a number of seconds to wait.
    """

    mirrors: tuple[str, ...] = (
        "https://overpass-api.de/api",
        "https://overpass.private.coffee/api",
    )
    nominatim_url: str = "https://nominatim.openstreetmap.org"
    timeout_s: int = 180
    pauses_s: tuple[float, ...] = (5.0, 20.0, 60.0, 120.0)
    longest_wait_s: float = 600.0
    query_km2: float = 400.0
    splits: int = 3
    area_km2: float = 3000.0
    resume_hours: float = 24.0
    user_agent: str = "quart-heure (fetch; through OSMnx)"
    wait: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Take addresses of servers with what stands behind them, and refuse what is none.

        Raises
        ------
        InputFileError
            If one is no address.
        """
        servers = tuple(_server(mirror, "/interpreter") for mirror in self.mirrors)
        object.__setattr__(self, "mirrors", servers)
        object.__setattr__(self, "nominatim_url", _server(self.nominatim_url, "/search"))


class LiveOsm:
    """The public servers.

    Parameters
    ----------
    settings
        Which servers, and how patiently.
    folder
        Private folder of answers. An interrupted fetch that is given it again asks only for what
        is missing.
    date
        The moment of which Overpass servers are to answer, ISO 8601; "" for now.
    say
        Told each step.

    Notes
    -----
    Every method raises `TryLaterError` when no server gives a whole answer, and `InputFileError`
    when none of them ever would.
    """

    def __init__(
        self,
        settings: LiveSettings,
        folder: Path,
        *,
        date: str = "",
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._head = "[out:json][timeout:{timeout}]{maxsize}" + (f'[date:"{date}"]' if date else "")
        self._date = date
        self._asked: Counter[str] = Counter()
        self._say = say or (lambda _: None)

    def place(self, name: str) -> Place:
        """Find a place by name, with its outline.

        Raises
        ------
        GeometryError
            If nothing has that name, or nothing that may be a territory.
        """
        found: list[tuple[list[dict[str, Any]], str]] = []

        def call(_: KeptAnswers) -> None:
            found.append(search(name))

        self._ask("boundary", (self._settings.nominatim_url,), call, overpass=False)
        results, country = found[-1]
        try:
            place = choose_place(name, results, country)
        except GeometryError:
            raise
        except (
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
            shapely.errors.ShapelyError,
        ) as error:
            msg = f"Nominatim gives a place that makes no sense ({type(error).__name__})."
            raise TryLaterError(msg, hint="Run the same command later.") from error
        self._say(f"boundary: {place.full_name}, {format_km2(place.area_km2)}")
        return place

    def features(self, what: str, polygon: shapely.Geometry, tags: Tags) -> Answer:
        """Ask for all elements with any of some tags in a polygon, with what they are made of.

        Parameters
        ----------
        what
            What they are, for messages.
        polygon
            In degrees.
        tags
            What each key may be.
        """
        head = self._head.format(timeout=self._settings.timeout_s, maxsize="")
        found: list[Answer] = []

        def call(kept: KeptAnswers) -> None:
            for part in shapely.get_parts(polygon):
                for around in _outlines(part):
                    _request(f"{head};{selecting(tags, around)}")
            found.append(kept.answer(self._date))

        # The first split makes four parts of an area, however small it is.
        largest_km2 = min(self._settings.query_km2, 1.05 * _box_km2(polygon))
        self._ask(what, self._settings.mirrors, call, splittable_km2=largest_km2)
        return found[-1]

    def query(self, what: str, statement: str) -> Answer:
        """Ask for what an Overpass statement selects, with what it is made of."""
        head = self._head.format(timeout=self._settings.timeout_s, maxsize="")
        text = f"{head};{statement}(._;>;);out;"

        found: list[Answer] = []

        def call(kept: KeptAnswers) -> None:
            _request(text)
            found.append(kept.answer(self._date))

        self._ask(what, self._settings.mirrors, call)
        return found[-1]

    def _ask(
        self,
        what: str,
        servers: Sequence[str],
        call: Callable[[KeptAnswers], None],
        *,
        overpass: bool = True,
        splittable_km2: float | None = None,
    ) -> KeptAnswers:
        """Make the servers take turns until one has answered all of a request.

        A request that can be split is made in parts of at most ``splittable_km2``.
        """
        own = self._settings
        turns = Turns(
            servers,
            what=what,
            pauses_s=own.pauses_s,
            longest_wait_s=own.longest_wait_s,
            wait=own.wait,
            say=self._say,
        )
        split, checked, full, again = 0, set[Path](), False, 0
        while True:
            server = turns.next()
            kept = KeptAnswers.within(self._folder, what=what, server=server, split=split)
            if kept.folder not in checked:
                kept.drop_unusable(own.resume_hours)
                checked.add(kept.folder)
            before = len(kept.files())
            part_km2 = (splittable_km2 or own.area_km2) / 4**split
            declared = Declared.full(own.timeout_s)
            if not full:
                declared = Declared.little(own.timeout_s, km2=part_km2 if splittable_km2 else 0.0)
            asking = self._asking(server, declared) if overpass else None
            try:
                self._say(f"{what}: {host_of(server)}")
                self._attempt(kept, call, what=what, query_km2=part_km2, asking=asking)
            except Refusal as refusal:
                if len(kept.files()) > before:
                    turns.begin_again()
                more = refusal.ran_out and declared != Declared.full(own.timeout_s)
                smaller = refusal.too_large and splittable_km2 is not None and split < own.splits
                if more:
                    full = True
                elif smaller:
                    split += 1
                again += refusal.duplicate
                at_once = more or smaller or (refusal.duplicate and again < _OTHER_TEXTS)
                turns.refused(server, refusal, at_once=at_once)
            else:
                return kept

    def _asking(self, server: str, declared: Declared) -> Asking:
        """Return what is done to the requests to a server: nothing leaves without a slot."""
        own = self._settings

        def before() -> None:
            wait_for_slot(server, user_agent=own.user_agent, timeout_s=own.timeout_s)

        return Asking(declared, before=before, asked=self._asked)

    def _attempt(
        self,
        kept: KeptAnswers,
        call: Callable[[KeptAnswers], None],
        *,
        what: str,
        query_km2: float,
        asking: Asking | None,
    ) -> None:
        """Ask one server once.

        Raises
        ------
        Refusal
            If it does not answer, or not well.
        """

        def look(response: requests.Response, *_: Any, **__: Any) -> None:
            try:
                keep_content(response)
                if response.is_redirect:
                    return
                check_answer(response)
            except Refusal:
                response.close()
                raise
            kept.note_query(response.request, timeout_s=own.timeout_s)
            size_mb = len(response.content) / 1e6
            self._say(f"{what}: part {len(kept.files()) + 1}, {size_mb:.1f} MB")

        own = self._settings
        options = {
            "overpass_url": kept.server,
            "nominatim_url": kept.server,
            "cache_folder": str(kept.folder),
            "cache_only_mode": True,
            "use_cache": True,
            "max_query_area_size": query_km2 * 1e6,
            "requests_timeout": own.timeout_s,
            "requests_kwargs": {"hooks": {"response": look}, "auth": asking},
            "overpass_settings": self._head,
            "http_user_agent": own.user_agent,
            "http_referer": own.user_agent,
            # osmnx would wait for ever for a slot of a server that has no slots.
            "overpass_rate_limit": False,
            # No third server is told which hosts are looked up.
            "doh_url_template": None,
        }
        try:
            with _osmnx_settings(options):
                call(kept)
        except (QuartHeureError, Refusal):
            raise
        except requests.Timeout as error:
            msg = f"no answer within {own.timeout_s} s"
            raise Refusal(msg, too_large=True) from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            msg = "cannot be reached, or broke off"
            raise Refusal(msg) from error
        except (OSError, ValueError, LookupError, RecursionError) as error:
            # osmnx raises these for answers that are JSON and yet not what was asked for.
            msg = f"an answer that makes no sense ({type(error).__name__})"
            raise Refusal(msg) from error


def _request(query: str) -> None:
    """Send a query of our own with osmnx's headers, cache and address resolution.

    Its public functions ask for each value of each tag with an outline of its own, and cannot ask
    for a commune by its code.
    """
    from osmnx import _overpass  # noqa: PLC0415

    _overpass._overpass_request(OrderedDict(data=query))


def _outlines(polygon: shapely.Polygon) -> list[str]:
    """Return the outlines of a polygon, or of its parts where it is too large for one request."""
    from osmnx import _overpass  # noqa: PLC0415

    return _overpass._make_overpass_polygon_coord_strs(polygon)


def _server(address: str, behind: str) -> str:
    """Return the address of a server without what is asked there."""
    return web_address(address).removesuffix(behind).rstrip("/")


def _box_km2(polygon: shapely.Geometry) -> float:
    """Return about the size of the bounds of a polygon in degrees."""
    west, south, east, north = polygon.bounds
    km_per_degree = 111.2
    height, width = north - south, (east - west) * np.cos(np.radians((south + north) / 2))
    return float(height * width) * km_per_degree**2


@contextlib.contextmanager
def _osmnx_settings(options: Mapping[str, Any]) -> Iterator[None]:
    """Set osmnx up, and put everything back as it was."""
    from osmnx import settings  # noqa: PLC0415

    with _ONE_AT_A_TIME, warnings.catch_warnings():
        # It warns of areas that take many requests: ours are counted and said.
        warnings.simplefilter("ignore", UserWarning)
        before = {name: getattr(settings, name) for name in options}
        # osmnx replaces this function to stay with one address of a server.
        resolve = socket.getaddrinfo
        try:
            for name, value in options.items():
                setattr(settings, name, value)
            yield
        finally:
            socket.getaddrinfo = resolve
            for name, value in before.items():
                setattr(settings, name, value)
