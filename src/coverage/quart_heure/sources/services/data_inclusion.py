"""data.inclusion's services and structures (schema v1), as the open files or its API give them.

Its words are those of orientation: a theme is not a place. Of our categories it can say
*distribution alimentaire* and *centre social*; it has no word for showers, luggage or day centres.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from quart_heure.sources.problems import LEFT_OUT
from quart_heure.sources.services.admission import in_order
from quart_heure.sources.services.category_rules import Rule, first_rule
from quart_heure.sources.services.columns import plain_heading
from quart_heure.sources.services.coordinates import to_number
from quart_heure.sources.services.extracts import Extract, Told, with_columns
from quart_heure.sources.services.rows import KEPT, TAKEN_AS_UNKNOWN
from quart_heure.sources.services.wordings import read_text
from quart_heure.sources.text_columns import RawTable

SOURCE = "data.inclusion"

THEMES: Mapping[str, str] = {
    "equipement-et-alimentation--alimentation": "distribution_alimentaire",
}
"""Themes of services that are one of our categories, where something is handed out."""

NETWORKS: Mapping[str, str] = {"fcsf": "centre_social"}
"""Networks whose structures are one of our categories."""

PUBLICS: Mapping[str, str] = {
    "tous-publics": "everyone",
    "femmes": "women",
    "familles": "families",
    "jeunes": "young_people",
    **dict.fromkeys(
        (
            *("actifs", "beneficiaires-des-minimas-sociaux", "demandeurs-emploi", "etudiants"),
            *("personnes-en-situation-de-handicap", "personnes-en-situation-durgence"),
            *("personnes-en-situation-juridique-specifique", "personnes-exilees"),
            *("residents-qpv-frr", "seniors"),
        ),
        "unknown",
    ),
}
"""Publics of the schema, and whom of ours they admit. Who is one of them is eligible."""

_HANDED_OUT = frozenset({"", "aide-materielle"})
"""Types of services of which a theme may be handed out; others give money, advice or lessons."""

_MODES = frozenset({"en-presentiel", "a-distance"})
_WHO = frozenset({"usagers", "professionnels"})
_LOW_SCORE = 0.5
_WORD = re.compile(r"[\w-]+")
_NOTHING = frozenset({"nan", "none", "null"})

Column = Callable[[str], Sequence[str]]


def words_in(cell: str) -> tuple[str, ...]:
    """Return the values of a list, however it is written.

    JSON (``["femmes"]``), Python's or NumPy's own way (``['femmes' 'jeunes']``), PostgreSQL's
    (``{femmes,jeunes}``), or with signs between them: the values of the schema are made of letters,
    digits and hyphens.
    """
    found = _WORD.findall(cell.lower())
    return tuple(word for word in dict.fromkeys(found) if word not in _NOTHING)


def from_data_inclusion(
    raw: RawTable, *, category: str = "", rules: Sequence[Rule] = ()
) -> Extract | None:
    """Return data.inclusion's table in our columns, None if it is another one's.

    Parameters
    ----------
    raw
        Services, structures, or the services that a search of the API found.
    category
        Of the whole file, as the study says: then themes are not asked.
    rules
        The study's rules on names, which come before themes.
    """
    raw = _unfolded(raw)
    at = {plain_heading(heading): n for n, heading in enumerate(raw.headings)}

    def column(name: str) -> Sequence[str]:
        position = at.get(plain_heading(name))
        return raw.column(position) if position is not None else [""] * len(raw)

    of_services = {"structureid", "thematiques", "nom"} <= at.keys()
    of_structures = {"reseauxporteurs", "datemaj", "source", "nom"} <= at.keys()
    if not of_services and not of_structures:
        return None
    told: list[Told] = []
    ours = _in_our_words(column, len(raw), services=of_services, category=category, told=told)
    left_out = set(_at_a_distance(column, told)) if of_services else set()
    _tell_quality(column, told)
    if not of_services:
        left_out |= _without_doubles(ours, column, rules, raw.numbers, told)
    return Extract(table=with_columns(raw, ours), told=told, left_out=frozenset(left_out))


def _unfolded(raw: RawTable) -> RawTable:
    """Return the services that a search found as rows: the API puts each beside its distance."""
    headings = [plain_heading(heading) for heading in raw.headings]
    if "service" not in headings or "structureid" in headings:
        return raw
    records = [_record(cell) for cell in raw.column(headings.index("service"))]
    if not any("structure_id" in record for record in records):
        return raw
    names = tuple(dict.fromkeys(str(key) for record in records for key in record))
    return RawTable(
        headings=names,
        numbers=raw.numbers,
        column=lambda at: [_cell(record.get(names[at])) for record in records],
        doubts=raw.doubts,
    )


def _record(cell: str) -> Mapping[str, Any]:
    try:
        record = json.loads(cell)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _in_our_words(
    column: Column, count: int, *, services: bool, category: str, told: list[Told]
) -> dict[str, list[str]]:
    structures = [_record(cell) for cell in column("structure")]

    def text(name: str) -> list[str]:
        return [" ".join(cell.split()) for cell in column(name)]

    hours, places = text("horaires_accueil"), [text("longitude"), text("latitude")]
    where = [text("adresse"), text("code_postal")]
    for row, structure in enumerate(structures):
        # What a service does not say is as its structure says.
        hours[row] = hours[row] or _cell(structure.get("horaires_accueil"))
        if not any(part[row] for part in (*places, *where)):
            names = ("longitude", "latitude", "adresse", "code_postal")
            for part, name in zip((*places, *where), names, strict=True):
                part[row] = _cell(structure.get(name))
    precisions = text("publics_precisions")
    return {
        "service_id": text("id"),
        "category": [""] * count if category else _categories(column, services=services),
        "name": text("nom"),
        "address": where[0],
        "postcode": where[1],
        "longitude": places[0],
        "latitude": places[1],
        "access": _access(column, told),
        "audience": _audiences(column("publics"), precisions),
        "admits": _admits(column("publics"), precisions, told),
        **{
            field: [read_text(field, said, own=False).word or "unknown" for said in precisions]
            for field in ("animals", "wheelchair")
        },
        "opening_hours": hours,
        "operator": [_cell(structure.get("nom")) for structure in structures],
        "source": [f"{SOURCE}: {name}" if name else SOURCE for name in text("source")],
        "source_date": [date[:10] for date in text("date_maj")],
        "notes": _notes(text, count),
    }


def _categories(column: Column, *, services: bool) -> list[str]:
    """Return the category of each row; its themes or networks, to be told, where they are none."""
    mapped = THEMES if services else NETWORKS
    found = []
    for said, kind in zip(
        column("thematiques" if services else "reseaux_porteurs"), column("type"), strict=True
    ):
        words = words_in(said)
        handed_out = not services or "".join(words_in(kind)) in _HANDED_OUT
        ours = [mapped[word] for word in words if word in mapped and handed_out]
        also = f" ({kind.strip()})" if words and not handed_out else ""
        found.append(ours[0] if ours else ", ".join(words) + also)
    return found


def _access(column: Column, told: list[Told]) -> list[str]:
    """Return whether one may come, or must be sent by a professional.

    Who may ask for a service alone may come, unless its conditions speak of a referral, or it is
    asked for by telephone or in writing.
    """
    found = []
    rows = zip(
        column("mobilisable_par"),
        column("modes_mobilisation"),
        column("conditions_acces"),
        strict=True,
    )
    for row, (who, how, conditions) in enumerate(rows):
        people, ways = set(words_in(who)), set(words_in(how))
        said = read_text("access", conditions, own=False).word
        odd = sorted(people - _WHO)
        if odd:
            reason = f"not understood: {', '.join(odd)}"
            told.append(_told(row, "mobilisable_par", who, reason, TAKEN_AS_UNKNOWN))
        if odd or (said == "referral" and "usagers" in people):
            found.append("unknown")
        elif "usagers" in people:
            found.append("walk_in" if not ways or "se-presenter" in ways else "unknown")
        else:
            found.append("referral" if people else said or "unknown")
    return found


def _audiences(publics: Sequence[str], precisions: Sequence[str]) -> list[str]:
    return [
        " – ".join(part for part in (", ".join(words_in(said)), precision) if part)
        for said, precision in zip(publics, precisions, strict=True)
    ]


def _admits(publics: Sequence[str], precisions: Sequence[str], told: list[Told]) -> list[str]:
    """Return whom each row admits: its publics, unless a remark on them says something else."""
    found = []
    for row, (said, precision) in enumerate(zip(publics, precisions, strict=True)):
        words = words_in(said)
        odd = [word for word in words if word not in PUBLICS]
        if odd:
            reason = f"not understood: {', '.join(odd)}"
            told.append(_told(row, "publics", said, reason, "others may be admitted"))
        groups = ";".join(in_order(PUBLICS.get(word, "unknown") for word in words)) or "unknown"
        remark = read_text("admits", precision, own=False)
        if remark.lost:
            reason = f"not understood: {', '.join(remark.lost)}"
            told.append(_told(row, "publics_precisions", precision, reason, TAKEN_AS_UNKNOWN))
        if remark.word in {"", groups}:
            found.append(groups)
        elif groups in {"everyone", "unknown"}:
            found.append(remark.word)
        else:
            found.append("unknown")
            if not remark.lost:
                reason = "says something else than the publics"
                told.append(_told(row, "publics_precisions", precision, reason, TAKEN_AS_UNKNOWN))
    return found


def _notes(text: Callable[[str], list[str]], count: int) -> list[str]:
    named = {
        "conditions_acces": text("conditions_acces"),
        "modes_mobilisation": [", ".join(words_in(cell)) for cell in text("modes_mobilisation")],
        "frais": [", ".join(words_in(cell)) for cell in text("frais")],
        "score_qualite": text("score_qualite"),
        "accessibilite_lieu": text("accessibilite_lieu"),
    }
    descriptions = text("description")
    return [
        " ; ".join(
            [
                *(f"{name} {cells[row]}" for name, cells in named.items() if cells[row]),
                *filter(None, [descriptions[row]]),
            ]
        )
        for row in range(count)
    ]


def _at_a_distance(column: Column, told: list[Told]) -> list[int]:
    """Return the services that nobody comes to: they are no places. Tell odd ways, too."""
    rows = []
    for row, said in enumerate(column("modes_accueil")):
        modes = set(words_in(said))
        if modes == {"a-distance"}:
            rows.append(row)
            told.append(_told(row, "modes_accueil", said, "given at a distance alone", LEFT_OUT))
        elif odd := sorted(modes - _MODES):
            reason = f"not understood: {', '.join(odd)}"
            told.append(_told(row, "modes_accueil", said, reason, KEPT))
    return rows


def _tell_quality(column: Column, told: list[Told]) -> None:
    """Tell addresses that were not found, and rows of which data.inclusion thinks little."""
    for row, said in enumerate(column("adresse_certifiee")):
        if "".join(words_in(said)) in {"false", "non", "0", "f"}:
            told.append(_told(row, "adresse_certifiee", "", "its address was not found", KEPT))
    for row, said in enumerate(column("score_qualite")):
        score = to_number(said)
        if said.strip().lower() not in {"", *_NOTHING} and not 0 <= score <= 1:
            told.append(_told(row, "score_qualite", said, "no score from 0 to 1", KEPT))
        elif score < _LOW_SCORE:
            reason = f"a score of quality below {_LOW_SCORE:g}"
            told.append(_told(row, "score_qualite", said, reason, KEPT))


# --- doubles -------------------------------------------------------------------------------------


def _without_doubles(
    ours: dict[str, list[str]],
    column: Column,
    rules: Sequence[Rule],
    numbers: Sequence[int],
    told: list[Told],
) -> set[int]:
    """Return rows that another one of their cluster stands for, which learns what they know.

    Kept is the row with the highest score, then the latest date, then the first id, as
    data.inclusion itself keeps it; of rows with a place and of one category alone.
    """
    named = first_rule(ours["name"], rules) if rules else [""] * len(numbers)
    scores = [to_number(text) for text in column("score_qualite")]
    groups: dict[tuple[int, str], list[int]] = {}
    for row, cluster in enumerate(_clusters(ours["service_id"], column)):
        if ours["longitude"][row] and ours["latitude"][row]:
            groups.setdefault((cluster, named[row] or ours["category"][row]), []).append(row)
    left_out = set()
    for rows in groups.values():
        # Sorted by what matters least first: the sort keeps the order of equals.
        best = sorted(rows, key=lambda row: ours["service_id"][row])
        best.sort(key=lambda row: ours["source_date"][row], reverse=True)
        best.sort(key=lambda row: -scores[row] if scores[row] >= 0 else 1.0)
        kept, *others = best
        for row in others:
            _learn(ours, kept, row)
            left_out.add(row)
            reason = f"the same place as row {numbers[kept]} for data.inclusion"
            told.append(_told(row, "doublons", ours["name"][row], reason, LEFT_OUT))
    return left_out


def _clusters(ids: Sequence[str], column: Column) -> list[int]:
    """Return a number for each row, the same for rows that are told to be one."""
    head = list(range(len(ids)))

    def root(row: int) -> int:
        while head[row] != row:
            head[row] = head[head[row]]
            row = head[row]
        return row

    known: dict[str, int] = {}
    for row, key in enumerate(ids):
        known.setdefault(f"id {key}", row)
    for name in ("_cluster_id", "cluster_id"):
        for row, cluster in enumerate(column(name)):
            if cluster.strip() and cluster.strip().lower() not in _NOTHING:
                head[root(row)] = root(known.setdefault(f"cluster {cluster.strip()}", row))
    for row, cell in enumerate(column("doublons")):
        for key in _ids_in(cell):
            if (other := known.get(f"id {key}")) is not None:
                head[root(row)] = root(other)
    return [root(row) for row in range(len(ids))]


def _ids_in(cell: str) -> list[str]:
    """Return the ids of a list of doubles: ``[{"source": "dora", "id": "dora--1"}]``, or bare."""
    if not cell.strip():
        return []
    try:
        # Python's own way of writing a list differs by its quotes.
        content = json.loads(cell if '"' in cell else cell.replace("'", '"'))
    except (ValueError, RecursionError):
        # A list of one is read as what it holds: an id.
        return [cell.strip()]
    found = []
    for one in content if isinstance(content, list) else [content]:
        if isinstance(one, dict):
            found += [_cell(one.get("id")), f"{one.get('source')}--{one.get('id')}"]
        elif isinstance(one, str):
            found.append(one)
    return found


def _learn(ours: dict[str, list[str]], kept: int, other: int) -> None:
    for field in ("address", "postcode", "opening_hours", "operator", "notes"):
        ours[field][kept] = ours[field][kept] or ours[field][other]
    sources = ours.setdefault("other_sources", [""] * len(ours["source"]))
    known = [ours["source"][kept], *filter(None, sources[kept].split(";"))]
    if ours["source"][other] not in known:
        sources[kept] = ";".join([*known[1:], ours["source"][other]])


def _told(row: int, field: str, value: str, reason: str, action: str) -> Told:
    return Told(at=row, field=field, value=value, reason=reason, action=action)
