"""The questions of `quart-heure init` about services: lists, their columns, words, secrecy."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quart_heure.commands.answers import Desk
from quart_heure.commands.speech import progress, tell
from quart_heure.errors import CategoryError, InputFileError, QuartHeureError
from quart_heure.hints import nearest_hint
from quart_heure.starting.draft import Draft
from quart_heure.starting.folder import Found, look_at
from quart_heure.starting.lists import (
    ServiceList,
    as_list,
    category_named,
    column_of_categories,
    crs_by_place,
    geocoding_command,
    near_categories,
    placed_name,
)

if TYPE_CHECKING:
    from quart_heure.commands.starting import Said

_WANTED = ("name", "address")
"""Fields that a person is asked about where no usual heading was found."""

_NEW, _OUT = "+", "-"

_EXAMPLE = 24
"""So many signs of a value are shown beside its heading."""


def ask_lists(draft: Draft, said: Said, found: Found, desk: Desk) -> None:
    """Settle which lists are taken, how their columns are read, and where their places are."""
    columns = _pairs(said.column, "--column", "name=Lieu")
    categories = _pairs(said.category, "--category", "bains.csv=bains_douches")
    _check_ids(draft, list(categories.values()))
    _check_headings(found.lists, columns)
    dropped: set[Path] = set()
    for one in found.lists:
        _tell_list(one)
        if not said.services and not desk.agrees(f"Take {one.called}", default=True):
            dropped.add(one.file)
            continue
        taken = _with_columns(one, columns, desk)
        taken = _with_category(draft, taken, categories, said, desk)
        placed = _with_crs(draft, _with_places(draft, taken, said, desk), said, desk)
        draft.lists.append(placed)
    # The sheets that are wanted are named where others of their file are not.
    draft.lists = [
        dataclasses.replace(one, alone=True) if one.file in dropped else one for one in draft.lists
    ]


def ask_categories(draft: Draft, said: Said, desk: Desk) -> None:
    """Settle what words for categories mean, which are essential, and which are secret."""
    _ask_words(draft, said, desk)
    occurring = draft.occurring()
    _ask_essentials(draft, said, occurring, desk)
    _ask_secrecy(draft, said, occurring, desk)


# --- lists ---------------------------------------------------------------------------------------


def _pairs(given: Sequence[str] | None, option: str, example: str) -> dict[str, str]:
    """Read options such as ``name=Lieu``."""
    import typer

    pairs = {}
    for text in given or ():
        left, sign, right = text.rpartition("=")
        if not (sign and left.strip() and right.strip()):
            msg = f"{text!r} is not a pair such as {example!r}."
            raise typer.BadParameter(msg, param_hint=option)
        pairs[left.strip()] = right.strip()
    return pairs


def _check_headings(lists: Sequence[ServiceList], given: dict[str, str]) -> None:
    """Refuse a heading that was named and that no list has."""
    known = list(dict.fromkeys(h for one in lists for h in one.table.headings))
    unknown = [heading for heading in given.values() if heading not in known]
    if unknown:
        named = ", ".join(one.called for one in lists) or "no list of services"
        msg = f"{named}: there is no column {unknown[0]!r}."
        raise InputFileError(msg, hint=f"Columns are {', '.join(known) or 'none'}.")


def _tell_list(one: ServiceList) -> None:
    """Show how a list is read: rows, what stands above the headings, and its columns."""
    above = next((value for field, value, *_ in one.table.doubts if field == "headings"), "")
    above = above.replace("line ", "lines ") if " to " in above else above
    skipped = f", {above} above the headings left out" if above else ""
    tell(f"{one.called}: {len(one.table)} rows{skipped}")
    example = one.example()

    def told(heading: str, field: str = "") -> str:
        value = example.get(heading, "")[:_EXAMPLE]
        arrow = f" → {field}" if field else ""
        return f"{heading[:40]}{arrow}" + (f" ({value})" if value else "")

    tell("  read: " + ", ".join(told(heading, field) for heading, field in one.read_as()))
    if one.not_read():
        tell("  not read: " + ", ".join(told(heading) for heading in one.not_read()[:20]))


def _with_columns(one: ServiceList, given: dict[str, str], desk: Desk) -> ServiceList:
    """Read a list with the headings that were named, or that somebody names."""
    chosen = dict(given)
    left = one.not_read()
    for field in _WANTED if left else ():
        placed = field == "address" and one.has_places
        if desk.asks and field not in one.position and field not in chosen and not placed:
            answer = desk.until(
                f"Column of {one.called} that holds the {field}, empty for none",
                "",
                lambda told: "" if told in {"", *left} else f"There is no column {told!r}.",
            )
            chosen |= {field: answer} if answer else {}
    if not chosen:
        return one
    return as_list(one.file, one.table, chosen) or one


def _with_category(
    draft: Draft, one: ServiceList, given: dict[str, str], said: Said, desk: Desk
) -> ServiceList:
    """Settle the category of a list that has no column of it."""
    named = given.get(one.file.name) or given.get(str(one.file)) or given.get(one.called)
    if named:
        return dataclasses.replace(one, category=named)
    if one.tells_category:
        return one
    catalogue = draft.catalogue()
    column = column_of_categories(one, catalogue)
    if column and desk.agrees(
        f"Column {column!r} of {one.called} tells the category", default=desk.asks or desk.takes
    ):
        if not desk.asks:
            tell(f"  {column} → category, for most of its words are those of categories")
        return as_list(one.file, one.table, {**one.columns, "category": column}) or one
    likely = category_named(f"{one.part or one.file.stem} {one.table.titles}", catalogue)
    if desk.asks:
        tell(f"  {', '.join(catalogue)}")
        return dataclasses.replace(
            one,
            category=desk.until(
                f"Category of all places of {one.called}",
                likely,
                lambda told: "" if told in catalogue else nearest_hint(told, catalogue),
            ),
        )
    if likely and desk.takes:
        tell(f"  all its places are taken as {likely}, as it is called (--category)")
        return dataclasses.replace(one, category=likely)
    msg = f"{one.called}: no column tells the category of its places."
    by_column = f'--column "category={column or "HEADING"}"'
    whole = f'--category "{one.file.name}={likely or "ID"}"'
    first, other = (by_column, whole) if column or not likely else (whole, by_column)
    raise InputFileError(msg, hint=f"Say {first}, or {other}.")


def _with_places(draft: Draft, one: ServiceList, said: Said, desk: Desk) -> ServiceList:
    """Give a list that has addresses alone its coordinates, if somebody agrees to go online."""
    missing = one.unplaced if one.has_places else len(one.table)
    if not missing:
        return one
    command = geocoding_command(one, Path())
    tell(f"  {_rows(missing)} with an address and no coordinates; to place: {command}")
    online = said.geocode or (
        desk.asks
        and desk.agrees(
            "Ask the State's geocoding service now (addresses, postcodes and communes leave the"
            " machine, but for those of discreet places)",
            default=False,
        )
    )
    if not online:
        return one
    from quart_heure.sources.online.geocoding import GEOCODING_URL, geocode_file
    from quart_heure.sources.online.web import Web

    try:
        with progress() as say:
            placed, web = placed_name(one.file), Web(say=say)
            done = geocode_file(one.file, placed, part=one.part, url=GEOCODING_URL, web=web)
    except QuartHeureError as error:
        if said.geocode:
            raise
        tell(error)
        return one
    for line in done.lines():
        tell(f"  {line}")
    again = Found()
    look_at(done.path, again)
    return dataclasses.replace(again.lists[0], category=one.category, columns=one.columns)


def _with_crs(draft: Draft, one: ServiceList, said: Said, desk: Desk) -> ServiceList:
    """Settle which metres the coordinates of a list are, where they are no degrees.

    Where they lie in or near the districts in one of the usual systems, that is meant.
    """
    xy = one.metres()
    if not xy:
        return one
    placed = draft.shapes is not None and draft.shapes.crs is not None
    likely = crs_by_place(one, draft.shapes) if placed and draft.shapes is not None else ""
    crs = said.crs or desk.ask(
        f"Coordinates of {one.called} are metres ({xy[0][0]:.0f}, {xy[0][1]:.0f}) of which CRS",
        likely,
    )
    if not crs:
        msg = f"{one.called}: its coordinates are metres ({xy[0][0]:.0f}, {xy[0][1]:.0f})."
        raise InputFileError(msg, hint="Say which: --crs EPSG:2154, for instance.")
    if not (said.crs or desk.asks):
        tell(f"  coordinates are metres of {crs}: by it they lie in the area (--crs)")
    return dataclasses.replace(one, crs=crs)


# --- categories ----------------------------------------------------------------------------------


def _check_ids(draft: Draft, ids: Sequence[str]) -> None:
    from quart_heure.categories import check_categories

    check_categories(dict.fromkeys(ids), draft.catalogue())


def _ask_words(draft: Draft, said: Said, desk: Desk) -> None:
    """Settle what words for a category mean that nobody knows."""
    catalogue = draft.catalogue()
    for word, meant in _pairs(said.word, "--word", "Accueil jour=accueil_de_jour").items():
        _mean(draft, word, meant)
    counts: dict[str, int] = {}
    for one in draft.lists:
        for word, rows in one.unknown_words(draft.catalogue()).items():
            counts[word] = counts.get(word, 0) + rows
    near = near_categories(counts, catalogue)
    if counts and desk.asks:
        tell(f"Categories: {', '.join(catalogue)}")
        tell(f"{_OUT} leaves the rows of a word out, {_NEW} makes a category of it")
    left: list[str] = []
    for word, rows in counts.items():
        likely, sure = near.get(word, ("", False))
        if desk.asks:
            meant = desk.until(
                f"{word!r} ({_rows(rows)}) is which category",
                likely or _OUT,
                lambda told: (
                    ""
                    if told in {_NEW, _OUT, *draft.catalogue()}
                    else nearest_hint(told, catalogue)
                ),
            )
            if meant != _OUT:
                _mean(draft, word, _id_of(word) if meant == _NEW else meant)
        elif likely and sure and desk.takes:
            tell(f"{word!r} ({_rows(rows)}) is taken as {likely} (--word says otherwise)")
            _mean(draft, word, likely)
        else:
            maybe = f"{word}={likely or 'ID'}"
            tell(f'{word!r} ({_rows(rows)}) is no category: left out, unless --word "{maybe}"')
            left.append(likely)
    if "" in left:
        tell(f"  ID is one of {', '.join(catalogue)}; or a new one of your own")


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _mean(draft: Draft, word: str, category: str) -> None:
    if category not in draft.catalogue():
        if category != _id_of(category):
            msg = f"There is no category {category!r}, and no category can have this id."
            raise CategoryError(msg, hint="Ids are of small letters, digits and _.")
        draft.own[category] = word[:1].upper() + word[1:]
    draft.words[word] = category


def _id_of(word: str) -> str:
    from quart_heure.sources.texts import fold

    return re.sub(r"[^a-z0-9]+", "_", fold(word)).strip("_")[:40] or "other"


def _ask_essentials(draft: Draft, said: Said, occurring: Sequence[str], desk: Desk) -> None:
    catalogue = draft.catalogue()
    usual = [name for name, one in catalogue.items() if one.essential]
    if said.essential:
        _check_ids(draft, said.essential)
        draft.essentials = list(dict.fromkeys(said.essential))
        return
    there = [name for name in usual if name in occurring]
    if not desk.asks:
        if occurring and not there:
            tell(
                f"None of the usual essential services ({', '.join(usual)}) has a place here:"
                f" essential are {', '.join(occurring)} (--essential names others)."
            )
            draft.essentials = list(occurring)
        return
    tell(f"  {', '.join(catalogue)}")

    def wrong(answer: str) -> str:
        try:
            _check_ids(draft, _words(answer))
        except CategoryError as error:
            return str(error)
        return ""

    default = usual if there or not occurring else list(occurring)
    chosen = _words(
        desk.until("Essential services, separated by commas", ", ".join(default), wrong)
    )
    draft.essentials = [] if set(chosen) == set(usual) else list(dict.fromkeys(chosen))


def _words(answer: str) -> list[str]:
    return [word.strip() for word in answer.split(",") if word.strip()]


def _ask_secrecy(draft: Draft, said: Said, occurring: Sequence[str], desk: Desk) -> None:
    """Settle which categories are not shown: shelters are asked about, and hidden if nobody says.

    A place that is hidden by mistake can be shown tomorrow; one that was shown cannot be hidden.
    """
    from quart_heure.sources.services.discretion import is_shelter

    _check_ids(draft, [*(said.secret or ()), *(said.public or ())])
    draft.secret = list(dict.fromkeys(said.secret or ()))
    catalogue = draft.catalogue()
    for name in occurring:
        silent = [
            one
            for one in draft.lists
            if name in one.categories(catalogue) and "discreet" not in one.position
        ]
        known = name in draft.secret or name in (said.public or ())
        if known or not silent or not is_shelter(catalogue[name]):
            continue
        label = catalogue[name].fr
        public = desk.agrees(f"{label}: may name and address be shown to everybody", default=False)
        if not public:
            draft.secret.append(name)
        if not desk.asks:
            tell(f"{label}: taken as secret and never shown (--public {name} shows them)")
