"""The questions of `quart-heure init`, subject by subject: each answer goes into a draft."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quart_heure.commands.answers import Desk
from quart_heure.commands.speech import progress, tell
from quart_heure.errors import InputFileError, QuartHeureError, StudyFileError
from quart_heure.network.files import holds_tiles
from quart_heure.outputs.results.rows import printable
from quart_heure.starting.draft import Draft
from quart_heure.starting.folder import Found, People, Polygons, look_at

if TYPE_CHECKING:
    import pandas as pd

    from quart_heure.commands.starting import Said

_SHOWN = 3
"""Values of a column that are shown, to choose among columns."""

_MARGIN_M = 1500.0
"""Metres around the area in which maps draw water and parks."""


def begun(path: Path, said: Said, found: Found, desk: Desk) -> Draft:
    """Return the draft of a study from what was found, what was said, and what is answered."""
    from quart_heure.commands.begun_lists import ask_categories, ask_lists

    draft = Draft(file=path)
    _name_files(said, found)
    _tell_found(found, desk)
    _ask_districts(draft, said, found, desk)
    draft.name = said.name or desk.ask("Name of the area", _likely_name(draft, path))
    if not (said.name or desk.asks):
        tell(f"name of the area: {draft.name} (--name says another)")
    ask_lists(draft, said, found, desk)
    ask_categories(draft, said, desk)
    _ask_network(draft, said, found, desk)
    _ask_people(draft, said, found, desk)
    _take_background(draft, said, found, desk)
    return draft


def what_is_next(draft: Draft) -> list[str]:
    """Return what a person does next: what is missing still, or the commands to run."""
    from quart_heure.starting.lists import geocoding_command

    lines = []
    if draft.districts is None:
        lines.append(
            "To do: districts = … in [area] names a layer of polygons; or 'quart-heure fetch'."
        )
    if not draft.lists:
        lines.append("To do: files = … in [services] names a list of places (CSV, Excel, layer).")
    lines += [
        f"To do: {geocoding_command(one, Path())}   (goes online: addresses leave the machine)"
        for one in draft.lists
        if not one.has_places
    ]
    if draft.network is None:
        lines.append(
            "To do: file = … in [network] names the streets: vector tiles, an extract such as"
            " city.osm.pbf, or what 'quart-heure fetch' brings."
        )
    where = draft.file
    lines.append(f"Next: quart-heure check {where}   then: quart-heure analyse {where} -o results")
    return lines


# --- what lies there -----------------------------------------------------------------------------


def _name_files(said: Said, found: Found) -> None:
    """Put the files that were named in the place of those that were found."""

    def named(file: Path, kind: Callable[[Found], Sequence[object]], what: str) -> Found:
        _must_exist(file, what)
        alone = Found()
        look_at(file, alone)
        if not kind(alone):
            why = next((why for _, why in alone.unread), "")
            msg = f"{file}: does not hold {what}" + (f" ({why})." if why else ".")
            raise InputFileError(msg, hint="Give another file, or leave the option out.")
        return alone

    if said.districts is not None:
        found.districts = named(said.districts, lambda f: f.districts, "districts").districts
    if said.services:
        every = [named(file, lambda f: f.lists, "services") for file in said.services]
        found.lists = [one for each in every for one in each.lists]
    if said.network is not None:
        found.networks = named(said.network, lambda f: f.networks, "streets").networks
    if said.residents is not None and said.residents_column:
        _must_exist(said.residents, "residents")
        found.people = [People(file=said.residents, column=said.residents_column)]
    elif said.residents is not None:
        found.people = named(said.residents, lambda f: f.people, "residents").people


def _must_exist(file: Path, what: str) -> None:
    if not file.exists():
        msg = f"{file}: there is no such file."
        raise InputFileError(msg, hint=f"Give the file that holds the {what}.")


def _tell_found(found: Found, desk: Desk) -> None:
    """Tell what cannot be read, and a person what lies there, before anything is asked."""
    for path, why in found.unread:
        tell(f"not read: {path.name or path.resolve().name} ({why})")
    if not desk.asks:
        return
    for polygons in found.districts:
        tell(f"polygons: {_called(polygons)}, {len(polygons.table)} rows")
    for one in found.lists:
        tell(f"places: {one.called}, {len(one.table)} rows")
    for path in found.networks:
        tell(f"streets: {path.name}")
    for people in found.people:
        tell(f"residents: {_counted(people)}")


def _called(polygons: Polygons) -> str:
    return f"{polygons.file.name}, {polygons.layer}" if polygons.layer else polygons.file.name


def _counted(people: People) -> str:
    """Return what people are counted by."""
    column = f", column {people.column}" if people.column else ""
    rows = f" ({people.rows:,} rows)" if people.rows else ""
    return f"{people.file.name}{column}{rows}"


# --- districts -----------------------------------------------------------------------------------


def _ask_districts(draft: Draft, said: Said, found: Found, desk: Desk) -> None:
    candidates = found.districts
    if not candidates:
        if not desk.asks:
            return
        answer = desk.until(
            "File of the districts (polygons), empty to fill it in later", "", _no_file
        )
        if not answer:
            return
        alone = Found()
        look_at(Path(answer), alone)
        candidates = alone.districts
        if not candidates:
            tell(f"{answer} holds no polygons: fill in districts = … later.")
            return
    at = 0
    if len(candidates) > 1:
        shown = [f"{_called(one)}: {len(one.table)} polygons" for one in candidates]
        if not (desk.asks or desk.takes):
            msg = f"Several layers may be the districts: {'; '.join(shown)}."
            raise InputFileError(msg, hint="Name one with --districts, or take the first: --yes.")
        at = desk.choose("Which are the districts", shown)
    chosen = candidates[at]
    if not desk.asks:
        tell(f"districts: {_called(chosen)}, {len(chosen.table)} polygons")
    draft.districts, draft.layer = chosen.file, chosen.layer
    draft.shapes = chosen.table.geometry
    draft.id_column = _column(chosen.table, said.id_column, "ids", 0, desk)
    draft.label_column = _column(chosen.table, said.label_column, "names", 1, desk)


def _no_file(answer: str) -> str:
    return "" if not answer or Path(answer).exists() else f"{answer}: there is no such file."


def _column(table: pd.DataFrame, given: str, what: str, at: int, desk: Desk) -> str:
    """Return the column of ids or of names: the given one, the chosen one, or the likely one."""
    from quart_heure.sources.areas.names import likely_columns

    columns = [str(c) for c in table.columns if c != getattr(table, "active_geometry_name", None)]
    if given:
        if given not in columns:
            msg = f"The districts have no column {given!r}."
            raise InputFileError(msg, hint=f"Columns are {', '.join(columns)}.")
        return given
    likely = likely_columns(table)[at] or ""
    if not desk.asks:
        tell(f"{what} of the districts: {_values(table, likely) or 'no column'}")
        return likely
    for column in columns:
        tell(f"  {_values(table, column)}")
    return desk.until(
        f"Column of their {what}",
        likely,
        lambda answer: "" if answer in columns else f"There is no column {answer!r}.",
    )


def _values(table: pd.DataFrame, column: str) -> str:
    if not column:
        return ""
    values = [printable(str(value)) for value in table[column].head(_SHOWN)]
    return f"{printable(column)} ({', '.join(values)} …)"


def _likely_name(draft: Draft, path: Path) -> str:
    """Return what the area may be called: by its folder, which people name so."""
    folder = path.resolve().parent.name.replace("_", " ").replace("-", " ").strip()
    return folder[:1].upper() + folder[1:] if folder and draft.districts else "My city"


# --- streets, residents, background --------------------------------------------------------------


def _ask_network(draft: Draft, said: Said, found: Found, desk: Desk) -> None:
    wrong = _no_day(said.streets_date)
    if wrong:
        msg = f"--streets-date: {wrong}"
        raise StudyFileError(msg, hint="Write it like 2026-01-31.")
    networks = found.networks
    if not networks and desk.asks:
        answer = desk.until(
            "File or folder of the streets (vector tiles, city.osm.pbf, network.parquet), empty to"
            " fill it in later",
            "",
            _no_file,
        )
        networks = [Path(answer)] if answer else []
    if not networks:
        return
    shown = [path.name or str(path.resolve()) for path in networks]
    if len(networks) > 1 and not (desk.asks or desk.takes):
        msg = f"Several files may be the streets: {', '.join(shown)}."
        raise InputFileError(msg, hint="Name one with --network, or take the first: --yes.")
    at = desk.choose("Which are the streets", shown) if len(networks) > 1 else 0
    draft.network = networks[at]
    draft.streets_date = said.streets_date
    if not (desk.asks or said.network):
        tell(f"streets: {shown[at]}")
    if desk.asks and not said.streets_date and holds_tiles(draft.network):
        question = "Day of these streets, such as 2026-01-31, empty if nobody knows"
        draft.streets_date = desk.until(question, "", _no_day)


def _no_day(answer: str) -> str:
    try:
        datetime.date.fromisoformat(answer or "2026-01-31")
    except ValueError:
        return f"{answer!r} is no day such as 2026-01-31."
    return ""


def _ask_people(draft: Draft, said: Said, found: Found, desk: Desk) -> None:
    if said.no_residents or not found.people:
        if draft.districts is not None and not said.no_residents:
            tell("residents: none found, figures are of area alone (--residents names a file)")
        return
    shown = [_counted(one) for one in found.people]
    at = desk.choose("Where residents are counted", shown, none="nowhere: figures of area alone")
    if at < 0:
        return
    draft.people = found.people[at]
    if said.residents_column:
        draft.people = dataclasses.replace(draft.people, column=said.residents_column)
    if not desk.asks:
        others = f"; also there: {'; '.join(shown[1:])}" if len(shown) > 1 else ""
        tell(f"residents: {shown[at]} (--no-residents leaves them out){others}")


def _take_background(draft: Draft, said: Said, found: Found, desk: Desk) -> None:
    """Take water, parks and stations from a file that has them, or out of vector tiles."""
    if said.no_background:
        return
    if found.backgrounds:
        draft.background = found.backgrounds[0]
        others = ", ".join(path.name for path in found.backgrounds[1:])
        also = f" ([map] background names another; also there: {others})" if others else ""
        tell(f"water and parks of the maps: {found.backgrounds[0].name}{also}")
        return
    target = draft.file.parent / "background.parquet"
    tiles = draft.network
    if tiles is None or draft.districts is None or not holds_tiles(tiles) or target.exists():
        return
    if desk.agrees("Take water, parks and stations out of the tiles for the maps", default=True):
        try:
            with progress() as say:
                say("water, parks and stations")
                taken = _write_background(draft, tiles, target)
        except QuartHeureError as error:
            tell(f"water and parks of the maps: none taken ({error})")
            return
        draft.background = target if taken else None
        tell(
            f"water and parks of the maps: {target.name}, taken out of {tiles.name}: {taken}"
            if taken
            else f"water and parks of the maps: {tiles.name} tells of none"
        )


def _write_background(draft: Draft, tiles: Path, target: Path) -> str:
    """Write what tiles tell of the ground; return what it is, "" if it is nothing."""
    from quart_heure.files import replacing
    from quart_heure.sources.areas.areas import read_area
    from quart_heure.sources.background import write_background
    from quart_heure.sources.tiles.scenery import read_tile_background

    assert draft.districts is not None
    area = read_area(
        draft.districts,
        layer=draft.layer,
        id_column=draft.id_column or None,
        label_column=draft.label_column or None,
        mend=True,
    )
    table = read_tile_background(tiles, area=area.geometry, margin_m=_MARGIN_M, crs=area.crs)
    if not len(table):
        return ""
    meta = {
        "source": f"OpenStreetMap, vector tiles in the OpenMapTiles schema, {tiles.name}",
        "licence": "ODbL-1.0",
        "attribution": "© OpenStreetMap contributors",
    }
    with replacing(target) as temporary:
        write_background(table, temporary, meta=meta)
    counts = table["kind"].value_counts()
    shown = {"water": "water", "park": "park", "station": "station", "rail": "rail"}
    return ", ".join(f"{counts[kind]} {word}" for kind, word in shown.items() if kind in counts)
