"""JSON Schemas of every JSON that the program writes, made from the types and tables it is made of.

Objects with a structure of their own are typed dictionaries; rows of tables are made from
``schema.csv``. Numbers that are not known are null, so every number may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

import msgspec

from quart_heure.errors import OutputError
from quart_heure.hints import nearest_hint
from quart_heure.outputs.report.compare import COMPARISON_FORMAT
from quart_heure.outputs.report.structure import REPORT_FORMAT, Report
from quart_heure.outputs.report.verify import VERIFICATION_FORMAT
from quart_heure.outputs.results.structure import Manifest
from quart_heure.schema import CATEGORY_MARK, table_columns

__all__ = ["SCHEMAS", "json_schema"]

_OPEN = frozenset({"fetch"})
"""Outputs of which a part is told: what a portal brings besides is as the portal has it."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Asked(TypedDict):
    format: str
    area: str
    private: bool
    profile: str
    person: str
    asked: list[str]
    threshold_min: float


class Paces(_Asked):
    """``paces --json``."""

    paces: list[dict[str, Any]]


class Sensitivity(_Asked):
    """``sensitivity --json``."""

    sensitivity: list[dict[str, Any]]


class Calls(_Asked):
    """``ask --json``."""

    unit: str
    calls: list[dict[str, Any]]


class Links(TypedDict):
    """``links --json``; each link has its ``ends`` in degrees."""

    format: str
    area: str
    private: bool
    category: str
    profile: str
    threshold_min: float
    most_m: float
    unit: str
    links: list[dict[str, Any]]


class Walk(TypedDict):
    """``walk --json``: where to open for the shortest mean walk; sites with their places."""

    format: str
    area: str
    private: bool
    category: str
    profile: str
    threshold_min: float
    unit: str
    longest_min: float
    mean_min: float
    mean_after_min: float
    model_after_min: float
    least_after_min: float
    sites: list[dict[str, Any]]


class Hours(TypedDict):
    """``hours --json``: when to open; gains are of people (hectares) times hours of a week."""

    format: str
    area: str
    private: bool
    category: str
    profile: str
    threshold_min: float
    unit: str
    week_of: str
    hours: int
    value: float
    bound: float
    wanted: float
    proven: bool
    stopped: bool
    windows: list[dict[str, Any]]


class Crosschecked(TypedDict):
    """``crosscheck --json``: how far two networks agree; shares in per cent, null if unknown."""

    format: str
    area: str
    private: bool
    profile: str
    threshold_min: float
    by: Literal["residents", "area"]
    networks: list[dict[str, str]]
    mean_points: float
    worst_points: float
    same_pct: float
    explained_pct: float | None
    agreement: list[dict[str, Any]]
    zones: list[dict[str, Any]]
    streets: list[dict[str, Any]]


class Sites(TypedDict):
    """``site --json``: the question, the answer with its bound, and every table."""

    format: str
    area: str
    private: bool
    category: str
    profile: str
    person: str
    threshold_min: float
    asked: dict[str, Any]
    value: float
    bound: float
    gap_pct: float
    wanted: float
    proven: bool
    stopped: bool
    at_least: int | None
    price: float
    least_pct: float
    least_at_most_pct: float
    sites: list[dict[str, Any]]
    site_candidates: list[dict[str, Any]]
    site_alternatives: list[dict[str, Any]]
    site_gaps: list[dict[str, Any]]
    site_districts: list[dict[str, Any]]
    site_curve: list[dict[str, Any]]
    problems: list[dict[str, Any]]


class ScenarioNote(TypedDict):
    """What of a scenario changes no figure: see docs/scenarios.md."""

    why: str
    about: str


class ScenarioTold(TypedDict):
    """A scenario, the categories that were searched again, and what of it changes nothing."""

    name: str
    description: str
    profile: str
    threshold_min: float
    asked: list[str]
    touched: list[str]
    notes: list[ScenarioNote]


class WhatIf(TypedDict):
    """``what-if --json``: who gains and who loses, and the gaps that change."""

    format: str
    area: str
    profile: str
    person: str
    asked: list[str]
    threshold_min: float
    private: bool
    scenarios: list[ScenarioTold]
    scenario_changes: list[dict[str, Any]]
    scenario_gaps: list[dict[str, Any]]


class ClosuresTold(TypedDict):
    """``closures --json``: the worst sets, with a bound, and buildings of several categories."""

    format: str
    area: str
    category: str
    count: int
    profile: str
    threshold_min: float
    private: bool
    by: str
    proven: bool
    bound: float
    closures: list[dict[str, Any]]
    buildings: list[dict[str, Any]]


class Finding(TypedDict):
    """A doubt about an input."""

    kind: str
    place: str
    residents: float | None
    ha: float | None
    value: float
    unit: str
    detail: str
    osm_url: str
    longitude: float | None
    latitude: float | None


class Checked(TypedDict):
    """``check --json``."""

    area: str
    osm_date: str
    age_days: int | None
    summary: dict[str, int]
    findings: list[Finding]
    moving: int
    problems: list[dict[str, Any]]
    dropped: dict[str, dict[str, float]]


class Files(TypedDict):
    """``analyse --json``: the files that were written."""

    files: list[str]


class RunTold(TypedDict):
    """A run that is compared."""

    area: str
    created: str
    version: str
    osm_date: str
    definitions_date: str


class CauseTold(TypedDict):
    """What is known of a cause."""

    cause: str
    changed: bool
    how: str
    what: list[str]


class CauseRow(TypedDict):
    """The share of a cause in the change of a figure."""

    level: str
    district_id: str
    category: str
    measure: str
    cause: str
    change: float


class Change(TypedDict):
    """A figure before and after."""

    level: str
    district_id: str
    category: str
    measure: str
    label: str
    before: float
    after: float
    change: float


class DefinitionChange(TypedDict):
    """A definition that has changed."""

    date: str
    fr: str
    en: str


class Lost(TypedDict):
    """Inputs that are gone or another."""

    earlier: list[str]
    later: list[str]


class Compared(TypedDict):
    """``compare --json``."""

    format: str
    earlier: RunTold
    later: RunTold
    figures: list[Change]
    causes: list[CauseRow]
    about: list[CauseTold]
    gaps: list[dict[str, Any]]
    services: list[dict[str, Any]]
    definitions: list[DefinitionChange]
    lost: Lost


class InputTold(TypedDict):
    """An input and what became of it: same, changed, gone, live or new."""

    role: str
    file: str
    state: str


class DifferenceTold(TypedDict):
    """Cells that are another than those recomputed."""

    table: str
    column: str
    cells: int
    examples: list[str]


class Verified(TypedDict):
    """``verify --json``."""

    format: str
    area: str
    created: str
    version: str
    verified: bool
    recomputed: bool
    changed_files: list[str]
    inputs: list[InputTold]
    study_changed: bool
    missing: str
    tables: int
    differences: list[DifferenceTold]
    program: list[str] | None
    definitions: list[DefinitionChange]


class Snapshot(TypedDict):
    """``fetch --json``: the manifest of a snapshot."""

    tool: str
    kind: str
    format: int
    name: str
    osm_date: str
    created: str
    territory: dict[str, Any]
    counts: dict[str, Any]
    files: dict[str, Any]


class Weak(TypedDict):
    """A row that was given no coordinates."""

    row: int
    address: str
    found: str
    reason: str


class MendedPostcode(TypedDict):
    """A postcode that was not sent as it was typed."""

    row: int
    what: str


class Geocoding(TypedDict):
    """``geocode --json``."""

    path: str
    answer: str | None
    rows: int
    had_place: int
    discreet: int
    sent: int
    placed: int
    without_postcode: int
    weak: list[Weak]
    mended: list[MendedPostcode]


class KeptKind(TypedDict):
    """What of one kind is kept between runs; ``used`` is the time of the last use, in UTC."""

    kind: str
    what: str
    entries: int
    mb: float
    used: str


class Kept(TypedDict):
    """``cache --json``; ``folder`` is null where nothing is kept."""

    folder: str | None
    most_mb: float
    cleared: bool
    kinds: list[KeptKind]


SCHEMAS: Mapping[str, tuple[Any, str, Mapping[str, str]]] = {
    "report": (
        Report,
        REPORT_FORMAT,
        {
            "city": "indicators",
            "composite": "composite",
            "filters": "filters",
            "capacity": "capacity",
            "problems": "problems",
        },
    ),
    "manifest": (Manifest, "", {}),
    "paces": (Paces, "quart-heure-paces/1", {"paces": "paces"}),
    "sensitivity": (Sensitivity, "quart-heure-sensitivity/1", {"sensitivity": "sensitivity"}),
    "ask": (Calls, "quart-heure-calls/1", {"calls": "calls"}),
    "links": (Links, "quart-heure-links/1", {"links": "links"}),
    "site": (
        Sites,
        "quart-heure-sites/1",
        {
            **{name: name for name in ("sites", "site_candidates", "site_alternatives")},
            **{name: name for name in ("site_gaps", "site_districts", "site_curve", "problems")},
        },
    ),
    "what-if": (
        WhatIf,
        "quart-heure-what-if/1",
        {name: name for name in ("scenario_changes", "scenario_gaps")},
    ),
    "closures": (
        ClosuresTold,
        "quart-heure-closures/1",
        {"closures": "closures", "buildings": "shared_buildings"},
    ),
    "walk": (Walk, "quart-heure-walk/1", {"sites": "walk_sites"}),
    "hours": (Hours, "quart-heure-hours/1", {"windows": "windows"}),
    "crosscheck": (
        Crosschecked,
        "quart-heure-crosscheck/1",
        {
            "agreement": "crosscheck",
            "zones": "crosscheck_zones",
            "streets": "crosscheck_streets",
        },
    ),
    "compare": (
        Compared,
        COMPARISON_FORMAT,
        {"gaps": "gap_changes", "services": "service_changes"},
    ),
    "verify": (Verified, VERIFICATION_FORMAT, {}),
    "check": (Checked, "", {}),
    "analyse": (Files, "", {}),
    "fetch": (Snapshot, "", {}),
    "geocode": (Geocoding, "", {}),
    "cache": (Kept, "", {}),
}
"""What is written, by name: its type, the name and version that it states, tables of its lists."""


def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of an output.

    Parameters
    ----------
    name
        One of `SCHEMAS`.

    Raises
    ------
    OutputError
        If there is none of this name; the message suggests the nearest.
    """
    if name not in SCHEMAS:
        msg = f"There is no schema {name!r}."
        raise OutputError(msg, hint=nearest_hint(name, list(SCHEMAS)))
    kind, stated, tables = SCHEMAS[name]
    (made,), definitions = msgspec.json.schema_components((kind,), ref_template="#/$defs/{name}")
    top = definitions.pop(str(made["$ref"]).rpartition("/")[2])
    schema = _strict({**top, "title": f"quart-heure {name}", "$defs": definitions})
    if name in _OPEN:
        schema.pop("additionalProperties")
    properties = schema["properties"]
    if stated:
        properties["format"] = {"const": stated}
    for key, table in tables.items():
        row = f"{table} row"
        schema["$defs"][row] = _row(table)
        properties[key] = {"type": "array", "items": {"$ref": f"#/$defs/{row}"}}
    return {"$schema": _DIALECT, **schema}


def _row(table: str) -> dict[str, Any]:
    """Return the schema of a row of a table; columns that only some runs have are not required."""
    columns = [
        column
        for column in table_columns(table)
        if column.dtype != "geometry" and CATEGORY_MARK not in column.name
    ]
    kinds = {"text": ["string", "null"], "boolean": ["boolean", "null"]}
    return {
        "type": "object",
        "description": f"A row of the table {table}: see docs/columns.md.",
        "properties": {
            column.name: {
                "type": kinds.get(column.dtype, ["number", "null"]),
                "description": f"{column.en} ({column.unit})" if column.unit else column.en,
            }
            for column in columns
        },
        "required": [column.name for column in columns if column.files == "all"],
    }


def _strict(schema: Any) -> Any:
    """Let every number be null, since what is not known is written so, and nothing untold stand.

    A key that an output has and its type has not would else never be told.
    """
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _strict(value) for key, value in schema.items()}
    if found.get("type") == "number":
        found["type"] = ["number", "null"]
    if found.get("type") == "object" and isinstance(found.get("properties"), dict):
        found.setdefault("additionalProperties", False)
    return found
