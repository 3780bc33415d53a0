"""A desk at which a test fetches: where it writes, what was said, how long was waited."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from helpers.fake_osm import INSEE, FakeOsm
from quart_heure.cache import Cache
from quart_heure.fetch.fetch import SnapshotReport, fetch_territory
from quart_heure.fetch.territory import TerritoryRequest
from quart_heure.sources.online.overpass import LiveSettings

TOWN_HALL = TerritoryRequest(insee=INSEE)


class Desk:
    """Fetches of one test: where they write, what they said, how long they waited."""

    def __init__(self, folder: Path, osm: FakeOsm) -> None:
        self.output, self.cache = folder / "snapshots", Cache(folder / "cache")
        self.waits: list[float] = []
        self.said: list[str] = []
        self.settings = LiveSettings(
            mirrors=(osm.a,),
            nominatim_url=osm.nominatim,
            pauses_s=(5, 20),
            timeout_s=10,
            wait=self.waits.append,
        )

    def fetch(
        self, request: TerritoryRequest = TOWN_HALL, *, use: Any = None, **changes: Any
    ) -> SnapshotReport:
        return fetch_territory(
            request,
            output=self.output,
            settings=dataclasses.replace(self.settings, **changes),
            cache=self.cache,
            **{"progress": self.said.append, **(use or {})},
        )

    def left(self) -> list[Path]:
        """List what a fetch left behind besides whole snapshots."""
        folders = self.output.iterdir() if self.output.exists() else ()
        partial = [path for path in folders if not (path / "manifest.json").exists()]
        return partial + [p for p in self.output.glob(".*") if p not in partial]

    def kept(self) -> list[Path]:
        return sorted(self.cache.folder.rglob("*.json")) if self.cache.folder else []
