"""Dossiers: two sides of A4 for each district, and an index that compares them all.

Each page is one file that opens without internet and reads without a script; together they link
to one another.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quart_heure.errors import InputFileError, OutputError
from quart_heure.file_sets import take_names, work_folder
from quart_heure.files import AnyPath
from quart_heure.labels import LANGUAGES
from quart_heure.outputs.assets import Site
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier.content import Dossiers
from quart_heure.outputs.dossier.maps import MapMaker
from quart_heure.outputs.dossier.page import Link, Links, render_district, render_index
from quart_heure.outputs.dossier.pdf import PdfMaker
from quart_heure.outputs.dossier.png import PngMaker
from quart_heure.outputs.proposals.proposal import Proposal
from quart_heure.outputs.report.content import resolve_districts

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.outputs.runs.compare import Run
    from quart_heure.study.coverage import Coverage


INDEX_NAME = "index.html"


def write_dossiers(
    coverage: Coverage,
    folder: AnyPath,
    *,
    districts: Sequence[str] = (),
    lang: str = "fr",
    background: gpd.GeoDataFrame | None = None,
    pdf: bool = False,
    since: Run | None = None,
    proposals: Sequence[Proposal] = (),
    site: Site | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write the dossier of each district, and an index if all are written.

    Parameters
    ----------
    coverage
        Result of an analysis; discreet places are taken out here.
    folder
        Where the files go; made if it does not exist.
    districts
        Those to write, by id, label or number ("75113", "13e", "13"); all if none is given.
    lang
        ``fr`` or ``en``.
    background
        Columns kind and geometry; its water is drawn under the maps.
    pdf
        Whether each dossier is printed to PDF too.
    since
        An earlier run: each dossier then says what has moved most since.
    proposals
        What `quart_heure.outputs.proposals.folder.read_proposal` read, to show with them.
    site
        Other pages of the site that they belong to, from where they are.
    progress
        Called with each step as it begins.

    Returns
    -------
    list of Path
        The files, the index first. They take their names together when all are written, the index
        last: pages of two runs do not stand side by side.

    Raises
    ------
    InputFileError
        If there is no such district, the earlier run cannot be compared with, or a proposal is of
        another study.
    OutputError
        If there is no such language, a file cannot be written, or there is nothing to print with.
    """
    folder = Path(folder)
    if lang not in LANGUAGES:
        msg = f"There are no dossiers in language {lang!r}."
        raise OutputError(msg, hint=f"Languages: {', '.join(LANGUAGES)}.")
    say = progress or (lambda _: None)
    printer = PdfMaker() if pdf else None
    coverage = publishable(coverage)
    wanted = shaped_districts(coverage, districts)
    say("dossiers")
    dossiers = Dossiers(coverage, lang=lang, since=since, proposals=proposals)
    names = file_names(wanted)
    maker = MapMaker(coverage, background)
    away = None
    if site is not None:  # to its own index too
        others = [dataclasses.replace(link, here=False) for link in site.links]
        away = dataclasses.replace(site, links=others)
    written: list[str] = [] if districts else [INDEX_NAME]
    try:
        with work_folder(folder) as work, PngMaker() as pictures:
            for number, (district_id, name) in enumerate(names.items(), start=1):
                say(f"dossier {dossiers.label(district_id)} ({number}/{len(names)})")
                links = None if districts else _links(dossiers, names, district_id)
                drawn = maker.district(district_id)
                page = render_district(
                    dossiers, district_id, drawn, maker=pictures, links=links, site=away
                )
                _write(page, work / name)
                written.append(name)
                if printer is not None:
                    target = (work / name).with_suffix(".pdf")
                    created = str(coverage.manifest.get("created", ""))
                    written.append(printer.write(work / name, target, created=created).name)
            if not districts:
                _write(render_index(dossiers, names, site=site), work / INDEX_NAME)
            take_names(work, folder, reversed(written))
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        msg = f"{folder}: the dossiers cannot be written ({error.strerror or error})."
        hint = "Choose a folder you may write to, with room left."
        raise OutputError(msg, hint=hint) from error
    return [folder / name for name in written]


def shaped_districts(coverage: Coverage, districts: Sequence[str]) -> list[str]:
    """Return the ids of the districts asked for, or of all that have an outline."""
    shaped = set(coverage.study.area.districts["district_id"])
    found = resolve_districts(coverage.indicators, districts)
    kept = [district_id for district_id in found if district_id in shaped]
    if not kept:
        msg = f"There is no district {districts[0]!r}." if districts else "There is no district."
        raise InputFileError(msg, hint="A dossier is about a district with an outline.")
    return kept


def file_names(districts: Sequence[str]) -> dict[str, str]:
    """Return a file name for each district: its id, where that can be one."""
    names: dict[str, str] = {}
    taken = {INDEX_NAME}
    for number, district_id in enumerate(districts, start=1):
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", district_id).strip("-")[:40]
        name = f"dossier-{plain or number}.html"
        if name.lower() in taken:
            name = f"dossier-{plain}-{number}.html"
        taken.add(name.lower())
        names[district_id] = name
    return names


def _links(dossiers: Dossiers, names: dict[str, str], district_id: str) -> Links:
    ids = list(names)
    at = ids.index(district_id)

    def link(position: int) -> Link | None:
        if not 0 <= position < len(ids):
            return None
        return Link(file=names[ids[position]], label=dossiers.label(ids[position]))

    return Links(index=INDEX_NAME, previous=link(at - 1), next=link(at + 1))


def _write(page: str, path: Path) -> None:
    path.write_text(page, encoding="utf-8", newline="\n")
