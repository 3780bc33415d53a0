"""What every page on one report says alike: method, parameters, sources, credits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from quart_heure.labels import format_date, word
from quart_heure.outputs.dossier.words import Words, short
from quart_heure.outputs.report.structure import Report
from quart_heure.outputs.results.manifest import source_hash

_AREA, _CREDIT = 90, 240


@dataclasses.dataclass(frozen=True, kw_only=True)
class SharedLines:
    """What every page on one report says alike.

    Parameters
    ----------
    about
        A line under the title.
    method, parameters
        Sentences.
    credits
        Lines: sources with dates and licences, credits, version.
    """

    about: str
    method: list[str]
    parameters: str
    credits: list[str]


def shared_lines(report: Report) -> SharedLines:
    """Return what every page on a report says alike."""
    lang = report["lang"]
    say = Words(lang)
    parameters = say.plain(report["parameters"])
    by_people = any(not math.isnan(row["residents_covered_pct"]) for row in report["city"])
    method = ["method_1", "method_2", "method_3" if by_people else "method_3_area"]
    run = report["run"]
    created = format_date(run["created"], lang)
    # How residents were spread is said in a sentence; it takes the place of their file's line.
    residents = short(run["counts"].get("residents_source", ""), _CREDIT)
    listed = [e for e in report["sources"] if not (residents and e.get("role") == "residents")]
    lines = [_source(entry, say) for entry in listed]
    if residents:
        counted = next((e for e in report["sources"] if e.get("role") == "residents"), {})
        known = [residents.rstrip("."), short(source_hash(counted, lang), 40)]
        lines.append(say("report.residents_from", source=" – ".join(filter(None, known))))
    lines.append(say("osm_credit"))
    others = [c for c in report["attribution"] if "OpenStreetMap contributors" not in c]
    if others:
        lines.append(say("credits", names=" · ".join(short(c, _CREDIT) for c in others)))
    lines.append(say("made_by", version=run["version"], date=created))
    osm_date = format_date(report["osm_date"], lang) if report["osm_date"] else say("undated")
    return SharedLines(
        about=(say("report.private") + " " if report["parameters"].get("private") else "")
        + say(
            "sub",
            area=short(report["area"], _AREA),
            speed=parameters["speed_kmh"],
            profile=parameters["profile"],
            date=osm_date,
            created=created,
        ),
        method=[say(key, **parameters) for key in method],
        parameters=say("parameters", **parameters),
        credits=lines,
    )


def _source(entry: Mapping[str, Any], say: Words) -> str:
    """Return what an input is, where it comes from, its date and its licence."""
    role, date = str(entry.get("role", "")), str(entry.get("date") or "")
    name = say(f"role_{role}") if say.has(f"role_{role}") else short(word(role, say.lang), 40)
    facts = [
        short(entry.get("source") or entry.get("file"), _CREDIT),
        format_date(date, say.lang) if date else "",
        short(entry.get("licence"), _CREDIT),
        short(source_hash(entry, say.lang), 40),
    ]
    return say("source", role=name, facts=" – ".join(fact for fact in facts if fact))
