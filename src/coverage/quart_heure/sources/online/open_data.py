"""Open data portals of the Opendatasoft kind (Explore API 2.1): whole data sets, or a clear end.

A set is exported at once; where the portal cannot, it is read page by page. Its fields are checked
before, and its number of rows after: what is not whole is not used.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import tomllib
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from quart_heure.errors import InputFileError, TryLaterError
from quart_heure.sources.online.patience import host_of
from quart_heure.sources.online.web import Web, hopeless_status, web_address

DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")

_PAGE = 100
_LAST_ROW = 10_000
"""Explore API 2.1 gives no page behind this row."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(@[A-Za-z0-9_.-]+)?")
_GUESSES: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "nom", "nom_usuel", "libelle", "intitule", "denomination"),
    "address": ("address", "adresse", "adresse_complete", "voie"),
    "postcode": ("postcode", "code_postal", "codepostal", "cp"),
    "id": ("id", "identifiant", "gid", "code"),
    "hours": ("opening_hours", "horaires", "horaire"),
}
"""Names under which data sets that we do not know often have what we look for."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set of a portal. See ``open_data.toml`` for what each field means.

    Raises
    ------
    InputFileError
        If the id or the portal is none.
    """

    id: str
    portal: str
    role: str = "layer"
    category: str = ""
    label_fr: str = ""
    label_en: str = ""
    colour: str = "#444444"
    where: str = ""
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict)
    status: str = "open"
    closed_when: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seasonal: bool = False
    caveat: str = ""
    bounds: tuple[float, ...] = (-180.0, -90.0, 180.0, 90.0)
    licence: str = ""
    attribution: str = ""

    def __post_init__(self) -> None:
        """Refuse what would not be an address."""
        if not _ID.fullmatch(self.id):
            msg = f"{self.id!r} is not the id of a data set."
            raise InputFileError(msg, hint="It is in the page's address: …/explore/dataset/ID/.")
        object.__setattr__(self, "portal", web_address(self.portal))
        object.__setattr__(self, "bounds", tuple(self.bounds))

    @property
    def slug(self) -> str:
        """The id as part of a file name."""
        return re.sub(r"[^a-z0-9]+", "_", self.id.lower()).strip("_")

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the fields that it must have."""
        names = (
            [name.format(day=day) for day in DAYS] if "{day}" in name else [name]
            for name in self.fields.values()
        )
        return tuple(dict.fromkeys(name for group in names for name in group))

    def concerns(self, bounds: Sequence[float]) -> bool:
        """Tell whether it is about anything within bounds in degrees."""
        west, south, east, north = self.bounds
        return bounds[0] <= east and bounds[2] >= west and bounds[1] <= north and bounds[3] >= south


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class DatasetAnswer:
    """All rows of a data set.

    Parameters
    ----------
    dataset
        The set; licence and attribution as the portal states them, if we did not know them.
    features
        GeoJSON features, in the portal's order; the geometry may be None.
    date
        When the portal last changed its data, ISO 8601, ``""`` if it does not say.
    title
        Its title.
    how
        ``export``, or ``pages`` where the export failed.
    """

    dataset: Dataset
    features: list[dict[str, Any]]
    date: str
    title: str
    how: str


@functools.cache
def known_datasets() -> Mapping[str, Dataset]:
    """Read the packaged list of data sets, by id."""
    file = resources.files("quart_heure.sources.online").joinpath("open_data.toml")
    text = file.read_text(encoding="utf-8")
    return {key: Dataset(id=key, **values) for key, values in tomllib.loads(text).items()}


def other_dataset(text: str, *, portal: str = "") -> Dataset:
    """Return the data set that a text names: ``ID``, or ``ID=category`` for places of a category.

    A known id keeps all that is known of it, unless another portal is given.
    """
    name, _, category = text.strip().partition("=")
    known = known_datasets().get(name)
    if known is not None and portal in {"", known.portal}:
        return known if not category else dataclasses.replace(known, category=category)
    if not portal:
        msg = f"There is no data set {name!r} among those known here."
        near = difflib.get_close_matches(name, known_datasets(), n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise InputFileError(msg, hint=f"{hint}For another one, name its portal with --portal.")
    role = "services" if category else "layer"
    return Dataset(id=name, portal=portal, role=role, category=category)


def read_dataset(web: Web, dataset: Dataset) -> DatasetAnswer:
    """Read a data set whole.

    Raises
    ------
    InputFileError
        If the portal has no such set, or the set lacks a field that it must have.
    TryLaterError
        If the portal does not answer, or not with all rows.
    """
    where = f"{host_of(dataset.portal)}, data set {dataset.id}"
    root = f"{dataset.portal}/api/explore/v2.1/catalog/datasets/{urllib.parse.quote(dataset.id)}"
    about = _about(web, dataset, root, where)
    fields = [str(field.get("name", "")) for field in about.get("fields") or []]
    if fields:
        check_fields(dataset, fields, where)
    metas = about.get("metas") or {}
    metas = metas.get("default") or {} if isinstance(metas, Mapping) else {}
    asked: dict[str, str | int] = {"where": dataset.where} if dataset.where else {}
    total = _total(web, root, asked, where)
    order = {"order_by": dataset.fields["id"]} if "id" in dataset.fields else {}
    try:
        features, how = _export(web, root, asked, where), "export"
    except (TryLaterError, InputFileError):
        features, how = _pages(web, root, {**asked, **order}, where, total), "pages"
    if len(features) != total and len(features) != (total := _total(web, root, asked, where)):
        msg = f"{where}: {len(features)} rows came, of {total}."
        raise TryLaterError(msg, hint="A part of a data set is not used. Fetch again later.")
    if features and not fields:
        check_fields(dataset, {key for f in features for key in f["properties"]}, where)
    if features and dataset.role == "services" and not any(f["geometry"] for f in features):
        told = dataset.fields.get("point", "a place")
        msg = f"{where}: no row has a place any more (the field {told!r})."
        raise InputFileError(msg, hint=f"Fields are {', '.join(fields)}.")
    return DatasetAnswer(
        dataset=_described(dataset, metas, fields),
        features=features,
        date=str(metas.get("modified") or metas.get("data_processed") or ""),
        title=str(metas.get("title") or dataset.id),
        how=how,
    )


def check_fields(dataset: Dataset, found: Iterable[str], where: str) -> None:
    """Check that a data set has the fields that we read.

    Raises
    ------
    InputFileError
        If one is missing; the message names it, and what it may be called now.
    """
    names = sorted(found)
    # A place may be a geometry of its own, which portals leave out of the other fields.
    places = {dataset.fields.get("point", "")}
    missing = [name for name in dataset.required if name not in names and name not in places]
    if not missing:
        return
    ours = {name for name in names if name not in dataset.required}
    near = {name: difflib.get_close_matches(name, sorted(ours), n=1) for name in missing}
    told = ", ".join(
        f"{name!r}" + (f" (now {near[name][0]!r}?)" if near[name] else "") for name in missing
    )
    msg = f"{where}: the field {told} is not there any more."
    raise InputFileError(msg, hint=f"Fields are {', '.join(names)}.")


def _about(web: Web, dataset: Dataset, root: str, where: str) -> Mapping[str, Any]:
    """Return what the portal says of a data set: its fields, its dates, its licence."""
    try:
        about = web.json(f"data set {dataset.id}", root)
    except InputFileError as error:
        if hopeless_status(error) != 404:
            raise
        msg = f"{where}: there is no such data set, or no portal of the Opendatasoft kind."
        raise InputFileError(msg, hint="Check the id and the address of the portal.") from error
    if not isinstance(about, Mapping):
        msg = f"{where}: the portal describes it in a way that makes no sense."
        raise TryLaterError(msg, hint="Fetch again later.")
    inner = about.get("dataset")
    return inner if isinstance(inner, Mapping) else about


def _total(web: Web, root: str, asked: Mapping[str, str | int], where: str) -> int:
    page = _page(web, root, {**asked, "limit": 1}, where)
    return int(page["total_count"])


def _page(web: Web, root: str, params: Mapping[str, str | int], where: str) -> Mapping[str, Any]:
    page = web.json("rows", f"{root}/records", params=params)
    rows = page.get("results") if isinstance(page, Mapping) else None
    whole = isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows)
    if not whole or not isinstance(page.get("total_count"), int):
        msg = f"{where}: the portal answers without rows or without their number."
        raise TryLaterError(msg, hint="Fetch again later.")
    return dict(page)


def _export(
    web: Web, root: str, asked: Mapping[str, str | int], where: str
) -> list[dict[str, Any]]:
    """Return all rows at once, as features."""
    answer = web.json("export", f"{root}/exports/geojson", params={**asked, "limit": -1})
    found = answer.get("features") if isinstance(answer, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(f, Mapping) for f in found):
        msg = f"{where}: the export holds no features."
        raise TryLaterError(msg, hint="Fetch again later.")
    return [_feature(f.get("properties") or {}, f.get("geometry")) for f in found]


def _pages(
    web: Web, root: str, asked: Mapping[str, str | int], where: str, total: int
) -> list[dict[str, Any]]:
    """Return all rows page by page, as features."""
    if total > _LAST_ROW:
        msg = (
            f"{where}: the export failed, and page by page no more than {_LAST_ROW:,} of its"
            f" {total:,} rows can be read."
        )
        raise TryLaterError(msg, hint="Fetch again later, when the export works.")
    rows: list[Mapping[str, Any]] = []
    while len(rows) < total:
        page = _page(web, root, {**asked, "limit": _PAGE, "offset": len(rows)}, where)
        rows += page["results"]
        if not page["results"] or page["total_count"] != total:
            break
    return [_feature(row, None) for row in rows]


def _feature(row: Mapping[str, Any], geometry: Any) -> dict[str, Any]:
    """Return a row as a feature, with its place where the portal has put it among the fields."""
    shape = geometry if isinstance(geometry, Mapping) else None
    for value in row.values() if shape is None else ():
        if not isinstance(value, Mapping):
            continue
        if value.get("type") == "Feature":
            shape = value.get("geometry")
            break
        if {"lon", "lat"} <= value.keys():
            shape = {"type": "Point", "coordinates": [value["lon"], value["lat"]]}
    return {"type": "Feature", "properties": dict(row), "geometry": shape}


def _described(dataset: Dataset, metas: Mapping[str, Any], fields: Sequence[str]) -> Dataset:
    """Return a data set with what the portal says of it, where we know nothing better."""
    guessed = {
        ours: next(name for name in names if name in fields)
        for ours, names in _GUESSES.items()
        if not dataset.fields and any(name in fields for name in names)
    }
    title = str(metas.get("title") or dataset.id)
    return dataclasses.replace(
        dataset,
        fields=dataset.fields or guessed,
        label_fr=dataset.label_fr or title,
        label_en=dataset.label_en or title,
        licence=dataset.licence or str(metas.get("license") or ""),
        attribution=dataset.attribution or str(metas.get("publisher") or host_of(dataset.portal)),
    )
