"""The data of the map's page, as its script reads them: every field has a name, and one type.

The script's own types are written from these (see ``script/types.js``). A field that has a default
is left out of the page where it stands at it, so that what is not known takes no room.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Literal

from quart_heure.outputs.palette import Palette

Steps = list[int]
"""A ring or a line ``[x, y, dx, dy, …]`` (see `quart_heure.outputs.shapes`)."""

Rings = list[Steps]
"""A polygon: its outer ring, then its holes."""

Shape = list[Rings]
"""A polygon or multipolygon by its parts."""

Column = list[float | None]
"""A figure of each row of the page's tables, None where it is not known."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatLng:
    """A point, in degrees, as Leaflet names its two sides."""

    lat: float
    lng: float


# --- ground --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bounds:
    """The sides of a rectangle, in degrees."""

    west: float
    south: float
    east: float
    north: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class District:
    """A district: its name, where that stands, and its outline."""

    id: str
    label: str
    at: LatLng
    shape: Shape
    postcode: str = ""
    """Where its id tells it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenery:
    """What is drawn of one kind of background, such as water."""

    areas: Shape
    lines: list[Steps]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlaceName:
    """The name of a large water or park, and where it stands."""

    name: str
    kind: str
    area_ha: int
    at: LatLng


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedPoints:
    """Steps between points, each number packed a byte at a time (see `walk_streets.planes`)."""

    x: list[str]
    y: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedLines:
    """Lines in units of degrees: how many points each has, and the steps between all of them."""

    sizes: list[str]
    steps: PackedPoints


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedLabels:
    """Places of street names, a column per field (see `street_map.StreetLabels`)."""

    at: PackedPoints
    angle_deg: list[str]
    room_m: list[str]
    level: list[str]
    name: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedStretches:
    """A place of every street in every part of the area that it runs through, by name.

    ``name`` is the position of its name, ``part`` that of the part, plus one; of a street, the
    longest stretch comes first.
    """

    at: PackedPoints
    name: list[str]
    part: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreetMap:
    """Streets by class, the main ones first, their names, where these stand, and to find them."""

    classes: list[PackedLines]
    names: str
    labels: PackedLabels
    stretches: PackedStretches


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundPlaces:
    """Stations and other places that can be searched by name.

    ``part`` is the position among the parts of the area, plus one; 0 is none of them.
    """

    names: str
    kinds: list[str]
    kind: list[str]
    at: PackedPoints
    part: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ground:
    """What lies under and over the coverage."""

    bounds: Bounds
    area: Shape
    districts: list[District]
    scenery: dict[str, Scenery]
    place_names: list[PlaceName]
    parts: list[str]
    """What streets and places are said to lie in: districts, or their parts where there are any."""
    streets: StreetMap
    found: FoundPlaces | None = None


# --- figures -------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class CategoryFigures:
    """The table of a category at the threshold of the study."""

    services_inside: Column
    residents_covered_pct: Column
    residents_beyond: Column
    covered_pct: Column
    minutes_median: Column
    gaps_touching: Column
    slow_pct: Column
    fast_pct: Column
    """The share, of residents where they are known, a tenth slower and faster."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CategoryFiguresAt:
    """What of it changes with the threshold."""

    minutes: float
    residents_covered_pct: Column
    residents_beyond: Column
    covered_pct: Column


@dataclasses.dataclass(frozen=True, kw_only=True)
class SharesAt:
    """Of each row, the shares that have 0, 1, 2 … essential services within a threshold."""

    minutes: float
    shares_pct: list[Column]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ends:
    """What is covered for sure and at most."""

    at_least_pct: Column
    at_most_pct: Column
    residents_at_least: Column
    residents_at_most: Column


# --- views ---------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class GapMinutes:
    """Minutes from a gap to the nearest service, None out of reach."""

    min: float | None
    median: float | None
    max: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class GapPart:
    """What the district of a row has of a gap."""

    row: int
    area_ha: float | None
    residents: float | None
    minutes: GapMinutes
    nearest: str = ""
    discreet: bool = False
    street: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gap:
    """A gap; ``discreet`` is whether its nearest service is not to be shown."""

    rank: int
    at: LatLng
    districts: list[str]
    area_ha: float | None
    residents: float | None
    minutes: GapMinutes
    cell: int
    """A cell of it, by its place in the grid: the page draws the zone that holds it."""
    shape: Shape = dataclasses.field(default_factory=list)
    """Where the cells alone do not tell it: zones that hours part from each other."""
    parts: list[GapPart] = dataclasses.field(default_factory=list)
    """The same of what its districts have of it."""
    nearest: str = ""
    discreet: bool = False
    street: str = ""
    cause: str = ""
    barrier: dict[str, str] | None = None
    """What cuts it off, in words by language."""
    opens: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _View:
    """What all views have: gaps and ranges."""

    id: str
    gaps: list[Gap]
    ends: Ends | None = None
    """Where the study asked for an hour or a person."""
    ends_told: str = ""
    """Share of the whole area from the one end to the other, as the report writes it."""
    confirmed_pct: Column = dataclasses.field(default_factory=list)
    """Of each row, what is covered if only confirmed places count."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CategoryView(_View):
    """One category; ``anchored`` of its services count from public points of their zones."""

    kind: Literal["category"]
    label: str
    none: str
    """What one has none of, as a sentence says it; empty where nobody wrote that."""
    colour: str
    counted: int
    figures: CategoryFigures
    figures_at: list[CategoryFiguresAt]
    essential: bool = False
    unjudged: bool = False
    """No place of it is known: that is not the same as that there is none."""
    anchored: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompositeView(_View):
    """The essential categories together: how many of them are within reach."""

    kind: Literal["composite"]
    total: int
    counted_at_all: list[str]
    """The categories that count at every threshold."""
    shares_pct: list[Column]
    shares_at: list[SharesAt]


View = CategoryView | CompositeView


# --- services ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceWords:
    """What is said of a service in the language of the page; the rest is as its source has it."""

    access: str = ""
    status: str = ""
    left_out: str = ""
    source: str = ""
    source_date: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Service(ServiceWords):
    """A service that the page shows."""

    at: LatLng
    category: str
    name: str = ""
    address: str = ""
    hours: str = ""
    audience: str = ""
    capacity: str = ""
    operator: str = ""
    outside: bool = False


# --- cells and hours -----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class Share:
    """A place, or a length, as shares of the Web Mercator square."""

    x: float
    y: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fit:
    """Polynomials from the Web Mercator square into the grid (see `cells.Grid.fit`)."""

    degree: int
    centre: Share
    half: Share
    col: list[float]
    row: list[float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedNearest:
    """The nearest service of each cell: numbers in as many layers as they have bytes.

    0 is no service and n the one at ``places[n - 1]`` of the page, -1 one that is not shown.
    """

    places: list[int]
    layers: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedCells:
    """The cells, packed by category.

    Codes of minutes are 0 outside the area and in water, n for at most ``upper_min[n - 1]``
    minutes, and the three codes of what has none.
    """

    width: int
    height: int
    cell_m: float
    fit: Fit
    upper_min: list[float]
    far: int
    unreachable: int
    off_network: int
    minutes: dict[str, str]
    nearest: dict[str, PackedNearest]
    perhaps: dict[str, str]
    water: str
    """1 where a cell is in water, packed; empty where none is known to be."""
    district: list[str]
    """The row of each cell in the tables, and 1; packed numbers."""
    quarter: list[str]
    """The position in ``quarters`` of each cell, and 1; packed numbers, empty without quarters."""
    quarters: list[str]
    residents: list[str]
    """Residents of each cell in units of ``resident_unit``; packed numbers."""
    resident_unit: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class CategoryHours:
    """The hours of a category: ``hours`` has the state of each hour of the week.

    ``classes`` are those of the cells, in as many layers as their numbers have bytes; ``table``
    has a row of states per class, and ``ends`` the figures of each state.
    """

    hours: list[int]
    classes: list[str]
    table: str
    ends: list[Ends]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompositeHours:
    """The shares that have 0, 1, 2 … categories open within reach, by state and row."""

    hours: list[int]
    shares_pct: list[list[Column]]
    any_at_most_pct: list[Column]
    """Of each state and row, the share with one that is open within reach at most."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedHours:
    """A week. Where it is ``too_large`` to be sent, nothing else is there."""

    categories: dict[str, CategoryHours]
    monday: str = ""
    holidays: list[int] = dataclasses.field(default_factory=list)
    """Days of the week that are public holidays, Monday being 0."""
    services: str = ""
    """State of each service at each hour, packed."""
    composite: CompositeHours | None = None
    too_large: bool = False


# --- walks ---------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedEdges:
    """The streets, packed (see `quart_heure.outputs.map.walk_streets`).

    ``nodes`` are steps from one to the next; ``begun`` counts the edges that begin at each, and
    ``span`` leads to the node where each ends. ``bends`` counts those of each edge and
    ``bend_steps`` has how far they lie off a straight line. ``there`` is by how much the length
    exceeds that of the drawing, ``back`` by how much the way back does that, if any does.
    """

    n_nodes: int
    n_edges: int
    nodes: PackedPoints
    begun: list[str]
    span: list[str]
    bends: list[str]
    bend_steps: PackedPoints
    there: list[str]
    back: list[str]
    flags: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedBarriers:
    """Lines that nobody walks across, then the rings of areas, in steps from point to point."""

    n_lines: int
    rings_of_area: list[str]
    points: list[str]
    steps: PackedPoints


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedEntries:
    """The streets that some places enter at: steps between places, counts, steps between streets.

    Those of a place ascend; its first one is a step from the first one of the place before.
    ``shares`` tell where on a street, where that is not its nearest point (see `walks.SHARES`).
    """

    places: list[str]
    counts: list[str]
    steps: list[str]
    shares: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackedWalks:
    """What the page searches when something changes.

    ``services`` are those of the page in metres from the corner of its grid, which lies at
    ``corner`` of the study's CRS; ``ids`` are their own, and ``counted`` tells which of them count.
    ``cells`` and ``service_entries`` are the exceptions from the rule of entries.
    """

    unit_m: float
    length_m: float
    cell_m: float
    metres_per_min: float
    reach_m: float
    snap_m: float
    always_m: float
    nearest_factor: float
    further_factor: float
    corner: list[float]
    edges: PackedEdges
    barriers: PackedBarriers
    cells: PackedEntries
    services: list[list[float]]
    ids: list[str]
    service_entries: PackedEntries
    counted: list[int]


# --- proposals -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProposedPlace:
    """A site, a place to call, or a link, by its rank; ``facts`` are said by language."""

    at: LatLng
    rank: int
    name: str
    facts: dict[str, list[str]]
    line: Steps | None = None
    """Of a link."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProposalWords:
    """What is said of a proposal in a language."""

    lines: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gains:
    """What is gained if one opened there, by cell.

    ``classes`` are packed like minutes: 0 is no candidate, n a gain below ``limits[n - 1]`` (from
    the limit before), the last one from the last limit on.
    """

    limits: list[float]
    classes: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Proposal:
    """Where to open next (``sites``), whom to call (``calls``) or which link is missing."""

    kind: str
    category: str
    """The view that it is about, "" for calls."""
    unit: str
    """``people``, ``ha`` or ``second``."""
    said: dict[str, ProposalWords]
    places: list[ProposedPlace]
    minutes: str = ""
    """Minutes of every cell with the proposed sites, packed as those of a category."""
    gains: Gains | None = None


# --- page ----------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class Constants:
    """What the script and the packed data agree on."""

    units_per_degree: int
    borderline: float
    """Change of walking speed that makes a cell borderline if it changes the answer."""
    days: int
    hours_of_day: int
    sure: int
    perhaps: int
    """States of a cell or a service at an hour; 0 is not open."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Said:
    """What the script says in a language."""

    lang: str
    total_word: str
    """The number of essential categories, in words."""
    words: dict[str, str]
    cause_words: dict[str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SaidOtherwise(Said):
    """The same in the other language, with what views and services say there, in their order."""

    labels: dict[str, str]
    nones: dict[str, str]
    places: list[str]
    services: list[ServiceWords]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageData:
    """Everything that the page's script reads."""

    threshold_min: float
    thresholds_min: list[float]
    gap_ha: float
    residents: bool
    online: bool
    constants: Constants
    palette: Palette
    said: Said
    other: SaidOtherwise
    ground: Ground
    rows: list[str]
    """Labels of the rows of every table: the districts, then the whole area."""
    places: list[str]
    """The same as a sentence names them: "15e arrondissement"."""
    views: list[View]
    services: list[Service]
    cells: PackedCells
    hours: PackedHours | None
    proposals: list[Proposal]
    supposed: str = ""
    """The changes that the page opens with, as its address says them."""
    dossiers: list[str] = dataclasses.field(default_factory=list)
    """Links to the dossiers of the districts, in their order, "" for none; empty without any."""


def json_in_html(data: Any) -> str:
    r"""Return data as JSON that may stand in a script element: no value can end it.

    Examples
    --------
    >>> json_in_html({"at": LatLng(lat=48.86, lng=2.34), "name": "</script>"})
    '{"at":{"lat":48.86,"lng":2.34},"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(
        data, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_fields
    )
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _fields(one: Any) -> Mapping[str, Any]:
    """Return the fields of a record by name, without those that stand at their default."""
    return {
        field.name: value
        for field in dataclasses.fields(one)
        if (value := getattr(one, field.name)) != field.default
    }
