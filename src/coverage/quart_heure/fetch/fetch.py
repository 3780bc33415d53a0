"""Fetching a territory: boundaries, streets and candidates for services, into a dated snapshot.

The one command that needs the internet. All others read the snapshot it leaves.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely

from quart_heure.cache import Cache
from quart_heure.categories import Category, default_catalogue
from quart_heure.errors import InputFileError, StudyFileError
from quart_heure.fetch import snapshot as snapshots
from quart_heure.fetch.background import (
    BACKGROUND,
    Background,
    background_line,
    fetch_background,
)
from quart_heure.fetch.changes import SnapshotChanges, compare_snapshots
from quart_heure.fetch.communes import COMMUNES_URL
from quart_heure.fetch.content import Content
from quart_heure.fetch.portals import (
    RESIDENTS,
    PortalFiles,
    PortalRequest,
    fetch_datasets,
    fetch_residents,
    portal_lines,
)
from quart_heure.fetch.snapshot import Snapshot, find_snapshots, read_snapshot, write_snapshot
from quart_heure.fetch.study_file import write_study
from quart_heure.fetch.territory import (
    Territory,
    TerritoryRequest,
    find_territory,
    reach_polygon,
)
from quart_heure.files import AnyPath
from quart_heure.network.snapping import SNAP_M
from quart_heure.network.streets import ATTRIBUTION, LICENCE
from quart_heure.profiles import ADULT
from quart_heure.sources.online.answers import Answer, answers_folder
from quart_heure.sources.online.overpass import LiveOsm, LiveSettings
from quart_heure.sources.online.places import format_km2
from quart_heure.sources.online.web import Patience, Web
from quart_heure.sources.osm.services import service_tags
from quart_heure.study.bounds import longest_walk_m

__all__ = ["fetch_territory"]

STREET_TAGS: Mapping[str, bool | list[str]] = {"highway": True, "route": ["ferry"]}
"""What is asked for as streets: everything; the rules decide here what is walked."""

_LONGEST_MIN = 120.0
_FORMAT = 1

Progress = Callable[[str], None]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SnapshotReport:
    """What a fetch brought.

    Parameters
    ----------
    snapshot
        The new snapshot.
    previous
        The last one of the same territory in the same folder.
    changes
        What changed since, None if there is no previous one.
    """

    snapshot: Snapshot
    previous: Snapshot | None
    changes: SnapshotChanges | None

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        manifest = self.snapshot.manifest
        counts, left_out = manifest["counts"], manifest["services_left_out"]
        found = ", ".join(f"{name} {n}" for name, n in counts["services"].items()) or "none"
        about = manifest["territory"]
        return [
            f"{about['full_name']}: {format_km2(about['area_km2'])}",
            f"{self.snapshot.name}, OpenStreetMap of {self.snapshot.osm_date or 'unknown date'}:"
            f" {counts['districts']} districts, {counts['network_km']:.0f} km walked"
            f" ({counts['edges']} edges)",
            f"candidates for services: {found}"
            f" (left out: {', '.join(f'{why} {n}' for why, n in left_out.items())})",
            *([background_line(manifest)] if "background" in manifest else []),
            *portal_lines(manifest),
            *(self.changes.lines() if self.changes else []),
        ]


def fetch_territory(
    request: TerritoryRequest,
    *,
    portals: PortalRequest | None = None,
    communes_url: str = COMMUNES_URL,
    output: AnyPath = Path("snapshots"),
    settings: LiveSettings | None = None,
    catalogue: Mapping[str, Category] | None = None,
    threshold_min: float = 15.0,
    keep_raw: bool = True,
    background: bool = True,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> SnapshotReport:
    """Fetch a territory from OpenStreetMap's servers, and portals, into a dated snapshot.

    Parameters
    ----------
    request
        Which territory: a place name, an INSEE code or a file of polygons.
    portals
        What is wanted besides OpenStreetMap: open data sets, residents.
    communes_url
        The State's service of limits, for a request with ``limits="gouv"``.
    output
        Folder in which the snapshot gets a folder of its own.
    settings
        Servers and patience.
    catalogue
        Categories whose OpenStreetMap tags make candidates for services.
    threshold_min
        The longest threshold to be analysed: streets are taken as far as one walks in that time.
    keep_raw
        Whether to keep the raw elements of the streets.
    background
        Whether to ask for water, parks, railways and places to find, too. Where no server tells
        them, the snapshot is written without, and its manifest says why.
    cache
        Keeps the answers of a fetch that did not end, for the next try.
    progress
        Told each step.

    Raises
    ------
    TryLaterError
        If the servers are away. What they answered is kept in the cache, nothing in ``output``.
    GeometryError
        If there is no such place, or it is too large for servers that all share.
    NetworkError
        If no street in it can be walked.
    InputFileError
        If the file of polygons cannot be read, or a data set is not what it was.
    OutputError
        If the snapshot cannot be written.
    """
    output = Path(output)
    say = progress or (lambda _: None)
    own = settings or LiveSettings()
    wanted = portals or PortalRequest()
    wanted.chosen()  # a name that is wrong is told before anything is asked
    web = Web(_patience(own), say=say)
    catalogue = default_catalogue() if catalogue is None else catalogue
    reach_m = _reach_m(threshold_min)
    tags = service_tags(catalogue)
    key = _hash([_FORMAT, request.key, reach_m, tags])
    kept_in = None if cache is None else cache.folder
    with answers_folder(kept_in, key, hours=own.resume_hours) as folder:
        live = LiveOsm(own, folder, date=request.date, say=say)
        territory = find_territory(
            live, request, largest_km2=own.area_km2, web=web, communes_url=communes_url
        )
        reach = reach_polygon(territory.area, reach_m=reach_m)
        described = _describe(territory, request, reach, reach_m)
        earlier = find_snapshots(output, territory_key=described["key"])
        besides = _besides(web, wanted, reach, catalogue, earlier)
        answers = {**territory.answers, "streets": live.features("streets", reach, STREET_TAGS)}
        if tags:
            answers["services"] = live.features("services", reach, tags)
        ground = Background()
        if background:
            # The last: whatever comes of it, what is there is enough.
            ground = fetch_background(live, territory, reach, say=say)
            answers |= ground.answers
        say("network")
        content = Content.of(answers, territory, reach, catalogue)
        say("snapshot")
        snapshot = write_snapshot(
            output,
            name=territory.name,
            osm_date=content.osm_date,
            writers={
                **content.writers(keep_raw=keep_raw),
                **ground.writers(),
                **{name: write for part in besides for name, write in part.writers.items()},
                snapshots.STUDY: functools.partial(
                    write_study,
                    name=territory.name,
                    threshold_min=threshold_min,
                    services=[f for part in besides for f in part.services],
                    portals=list(dict.fromkeys(h for part in besides for h in part.hosts)),
                    residents=any(RESIDENTS in part.writers for part in besides),
                    categories={k: v for part in besides for k, v in part.categories.items()},
                    background=BACKGROUND if ground.table is not None else "",
                ),
            },
            manifest={
                "territory": described,
                **_describe_answers(answers),
                **content.described(),
                **(ground.described() if background else {}),
                **{key: value for part in besides for key, value in part.manifest.items()},
                "notes": [
                    *_notes(request, answers["streets"]),
                    *(note for part in besides for note in part.notes),
                ],
            },
            origin={
                "source": str(content.network.meta["source"]),
                "licence": LICENCE,
                "attribution": ATTRIBUTION,
            },
            origins={name: origin for part in besides for name, origin in part.origins.items()},
        )
    previous = _previous(snapshot, say)
    changes = compare_snapshots(previous, snapshot) if previous else None
    return SnapshotReport(snapshot=snapshot, previous=previous, changes=changes)


def _reach_m(threshold_min: float) -> float:
    """Return the longest walk that can decide anything, with the access at both of its ends."""
    if not 0 < threshold_min <= _LONGEST_MIN:
        msg = f"threshold_min is {threshold_min:g}, not within (0, {_LONGEST_MIN:g}]."
        raise StudyFileError(msg, hint="Give the longest threshold you analyse, in minutes.")
    return longest_walk_m(ADULT, threshold_min=threshold_min) + 2 * SNAP_M


def _patience(live: LiveSettings) -> Patience:
    """Return the patience with portals: that with OpenStreetMap's servers."""
    return Patience(
        timeout_s=live.timeout_s,
        pauses_s=live.pauses_s,
        longest_wait_s=live.longest_wait_s,
        user_agent="quart-heure (fetch)",
        wait=live.wait,
    )


def _besides(
    web: Web,
    wanted: PortalRequest,
    reach: shapely.Geometry,
    catalogue: Mapping[str, Category],
    earlier: Sequence[Snapshot],
) -> list[PortalFiles]:
    """Read what is wanted besides OpenStreetMap, before the streets: they take longest."""
    parts = []
    datasets = wanted.chosen(reach.bounds)
    if datasets:
        parts.append(
            fetch_datasets(web, datasets, reach=reach, catalogue=catalogue, earlier=earlier)
        )
    if wanted.residents:
        parts.append(
            fetch_residents(web, wanted.residents, reach=reach, largest_mb=wanted.largest_mb)
        )
    return parts


def _describe(
    territory: Territory, request: TerritoryRequest, reach: shapely.Geometry, reach_m: float
) -> dict[str, Any]:
    outline = shapely.to_wkt(territory.area.geometry, rounding_precision=0)
    what = territory.relation_id or outline
    return {
        "key": _hash([what, round(reach_m)]),
        "asked": request.asked,
        "full_name": territory.full_name,
        "osm_relation": territory.relation_id,
        "area_km2": round(float(territory.area.geometry.area) / 1e6, 3),
        "reach_m": round(reach_m, 1),
        "crs": territory.area.crs.to_string(),
        "fetched_polygon": shapely.to_wkt(reach, rounding_precision=6),
    }


def _notes(request: TerritoryRequest, streets: Answer) -> list[str]:
    """Return what is to be known of the dates."""
    notes = [
        f"the server dates its data {words!r}, which is no date: their age is not known"
        if words
        else "the server does not say of what date its data are: their age is not known"
        for words in streets.no_dates
    ]
    if request.date and (request.place or request.limits == "gouv"):
        notes.append(f"the outline is that of today; what lies in it is that of {request.date}")
    return notes


def _describe_answers(answers: Mapping[str, Answer]) -> dict[str, Any]:
    return {
        "osm_dates": sorted({date for answer in answers.values() for date in answer.osm_dates}),
        "queries": [
            {
                "what": what,
                "server": answer.server,
                "parts": answer.parts,
                "osm_dates": list(answer.osm_dates),
                "overpass": list(answer.queries),
            }
            for what, answer in answers.items()
        ],
    }


def _previous(snapshot: Snapshot, say: Progress) -> Snapshot | None:
    """Return the last earlier snapshot of the territory that is not damaged."""
    known = find_snapshots(snapshot.folder.parent, territory_key=snapshot.territory_key)
    for earlier in reversed([each for each in known if each.folder != snapshot.folder]):
        try:
            return read_snapshot(earlier.folder)
        except InputFileError as error:
            say(f"not compared: {error}")
    return None


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
