"""What a fetch brings besides OpenStreetMap: open data sets and residents, as files of a snapshot.

Each data set leaves its rows as they came, and if it is one of services, the same rows in our own
columns. A set that leaves its rows out for a season keeps those of an earlier snapshot.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely

from quart_heure.categories import Category
from quart_heure.errors import InputFileError
from quart_heure.fetch.snapshot import Snapshot, write_features
from quart_heure.files import sha256_of
from quart_heure.sources.online.insee import (
    SQUARE_COLUMNS,
    SQUARES_URL,
    grid_of,
    read_insee_squares,
)
from quart_heure.sources.online.open_data import (
    Dataset,
    DatasetAnswer,
    known_datasets,
    other_dataset,
    read_dataset,
)
from quart_heure.sources.online.open_data_services import service_rows, write_rows
from quart_heure.sources.online.patience import host_of
from quart_heure.sources.online.web import Web, web_address
from quart_heure.sources.projecting import transformer

RESIDENTS = "insee_squares.csv"
_INSEE = {"source": "INSEE, Filosofi", "licence": "Licence Ouverte 2.0", "attribution": "INSEE"}
_CATEGORY = re.compile(r"[a-z][a-z0-9_]*")

Writer = Callable[[Path], Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortalRequest:
    """What is wanted besides OpenStreetMap.

    Parameters
    ----------
    open_data
        All data sets known here that concern the territory.
    datasets
        Other ones: ``ID``, or ``ID=category`` for places of a category.
    portal
        Where those are.
    residents
        ``insee``, or the address or the path of a file of squares.
    largest_mb
        Larger files of squares are not downloaded.
    """

    open_data: bool = False
    datasets: tuple[str, ...] = ()
    portal: str = ""
    residents: str = ""
    largest_mb: float = 1500.0

    def chosen(self, bounds: Sequence[float] | None = None) -> tuple[Dataset, ...]:
        """Return the data sets that are wanted around bounds in degrees, each once.

        Raises
        ------
        InputFileError
            If one cannot be named so.
        """
        asked = [other_dataset(text, portal=self.portal) for text in self.datasets]
        for dataset in asked:
            if dataset.category and not _CATEGORY.fullmatch(dataset.category):
                msg = f"{dataset.category!r} cannot be the id of a category."
                raise InputFileError(msg, hint="Use small letters, digits and underscores.")
        known = known_datasets().values() if self.open_data else ()
        near = [d for d in known if bounds is None or d.concerns(bounds)]
        return tuple({dataset.slug: dataset for dataset in [*near, *asked]}.values())


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PortalFiles:
    """Files for a snapshot.

    Parameters
    ----------
    writers
        For each file, what writes it.
    origins
        For each file: date, source, licence, attribution.
    manifest
        What the snapshot's manifest says of them.
    services
        Files of services, for the study.
    hosts
        Where those come from, as their rows say.
    categories
        Their categories that are not in the catalogue.
    notes
        What a person should read.
    """

    writers: Mapping[str, Writer] = dataclasses.field(default_factory=dict)
    origins: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    manifest: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    categories: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()


def fetch_datasets(
    web: Web,
    datasets: Sequence[Dataset],
    *,
    reach: shapely.Geometry,
    catalogue: Mapping[str, Category],
    earlier: Sequence[Snapshot] = (),
) -> PortalFiles:
    """Read data sets, whole.

    Parameters
    ----------
    web
        Asks the portals.
    datasets
        Which.
    reach
        Where services are wanted, in degrees.
    catalogue
        Categories that need no description.
    earlier
        Snapshots of the same territory, the oldest first.

    Raises
    ------
    InputFileError
        If a portal has no such set, or the set lacks a field or has no row at all.
    TryLaterError
        If a portal does not answer, or not with all rows.
    """
    writers: dict[str, Writer] = {}
    origins: dict[str, Mapping[str, str]] = {}
    told: list[dict[str, Any]] = []
    notes: list[str] = []
    services: list[str] = []
    hosts: list[str] = []
    categories: dict[str, Mapping[str, str]] = {}
    for dataset in datasets:
        answer, kept_from = read_dataset(web, dataset), ""
        if not answer.features:
            answer, kept_from = _last_good(answer, earlier)
        about = _about(answer, kept_from)
        if not answer.features:
            notes.append(f"{dataset.id}: no row now, and no earlier snapshot has any")
            told.append(about)
            continue
        if kept_from:
            notes.append(f"{dataset.id}: no row now; those of {kept_from} are kept")
        origin = {
            "date": answer.date,
            "source": f"{host_of(dataset.portal)}: {answer.title}",
            "licence": answer.dataset.licence,
            "attribution": answer.dataset.attribution,
        }
        raw = _raw_name(dataset)
        writers[raw] = functools.partial(write_features, features=answer.features)
        origins[raw] = origin
        if dataset.role == "services":
            rows, about["left_out"] = service_rows(answer, reach=reach)
            about["services"] = len(rows)
            name = f"services_{dataset.slug}.csv"
            about["file"] = name
            writers[name] = functools.partial(write_rows, rows=rows)
            origins[name] = origin
            if rows:
                services.append(name)
                hosts.append(host_of(dataset.portal))
                if dataset.category not in catalogue:
                    categories[dataset.category] = _category(answer.dataset)
        told.append(about)
    return PortalFiles(
        writers=writers,
        origins=origins,
        manifest={"open_data": told} if told else {},
        services=tuple(services),
        hosts=tuple(hosts),
        categories=categories,
        notes=tuple(notes),
    )


def fetch_residents(
    web: Web, where: str, *, reach: shapely.Geometry, largest_mb: float
) -> PortalFiles:
    """Read INSEE's squares of residents; a study moves their people to its cells.

    Parameters
    ----------
    web
        Downloads them.
    where
        ``insee``, or an address, or the path of a file.
    reach
        Where residents are wanted, in degrees.
    largest_mb
        Larger files are not downloaded.

    Raises
    ------
    InputFileError
        If it is no file of squares, or none of them has residents here.
    TryLaterError
        If it does not come.
    """
    url = SQUARES_URL if where == "insee" else where
    grid = grid_of(reach.bounds)
    to_squares = transformer(4326, grid)
    west, south, east, north = reach.bounds
    bounds = to_squares.transform_bounds(west, south, east, north)
    with tempfile.TemporaryDirectory(prefix="quart-heure-") as folder:
        path = Path(url)
        if not path.is_file():
            # The name tells a CSV file; an archive is known by its contents.
            path = Path(folder) / f"squares{Path(web_address(url)).suffix[:8]}"
            web.download("residents", url, path, largest_mb=largest_mb)
        digest, size = sha256_of(path), path.stat().st_size
        squares = read_insee_squares(path, bounds, grid=grid)
    if not squares["residents"].sum() > 0:
        msg = f"{url}: none of its squares has residents here."
        raise InputFileError(msg, hint="Give the squares of the part of the country you study.")
    table = squares[list(SQUARE_COLUMNS)]
    return PortalFiles(
        writers={RESIDENTS: lambda path: table.to_csv(path, index=False, lineterminator="\n")},
        origins={RESIDENTS: {**_INSEE, "date": ""}},
        manifest={
            "residents": {
                "from": url if "://" in url else Path(url).name,
                "sha256": digest,
                "bytes": size,
                "squares": len(squares),
                "residents": round(float(squares["residents"].sum()), 1),
            }
        },
    )


def portal_lines(manifest: Mapping[str, Any]) -> list[str]:
    """Return what the manifest of a snapshot says of them, as lines of text."""
    lines = [
        f"{about['id']}: {about['rows']} rows"
        + (f", {about['services']} services here" if "services" in about else "")
        + (f", of {about['date'][:10]}" if about["date"] else "")
        + (f". {about['caveat']}" if about["caveat"] else "")
        for about in manifest.get("open_data", ())
    ]
    residents = manifest.get("residents")
    if residents:
        lines.append(f"residents: {residents['residents']:,.0f} in {residents['squares']} squares")
    return [*lines, *manifest.get("notes", ())]


def _raw_name(dataset: Dataset) -> str:
    return f"open_data_{dataset.slug}.geojson"


def _about(answer: DatasetAnswer, kept_from: str) -> dict[str, Any]:
    """Return what the manifest says of a data set."""
    dataset = answer.dataset
    return {
        "id": dataset.id,
        "portal": dataset.portal,
        "title": answer.title,
        "date": answer.date,
        "where": dataset.where,
        "rows": len(answer.features),
        "how": "kept" if kept_from else answer.how,
        "kept_from": kept_from,
        "category": dataset.category,
        "caveat": dataset.caveat,
        "licence": dataset.licence,
        "attribution": dataset.attribution,
    }


def _last_good(answer: DatasetAnswer, earlier: Sequence[Snapshot]) -> tuple[DatasetAnswer, str]:
    """Return the rows that the last snapshot with any has, and its name.

    Raises
    ------
    InputFileError
        If there are none, and the set is not one that leaves its rows out for a season.
    """
    dataset = answer.dataset
    name = _raw_name(dataset)
    for snapshot in reversed(earlier):
        known = snapshot.manifest["files"].get(name)
        path = snapshot.file(name)
        if known is None or not path.is_file() or sha256_of(path) != known["sha256"]:
            continue
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        date = str(known.get("date", ""))
        return dataclasses.replace(answer, features=features, date=date), snapshot.folder.name
    if dataset.seasonal:
        return answer, ""
    msg = f"{host_of(dataset.portal)}, data set {dataset.id}: there is no row in it."
    raise InputFileError(msg, hint="Look at its page; fetch without it until it is back.")


def _category(dataset: Dataset) -> dict[str, str]:
    return {"fr": dataset.label_fr, "en": dataset.label_en, "colour": dataset.colour}
