"""The structure of a report: what `report_content` returns and JSON holds, field by field.

Rows of tables have the columns that ``schema.csv`` declares, as plain values (see `Row`). Numbers
that are unknown are NaN and minutes out of reach are infinite; JSON has null for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict

from quart_heure.outputs.doubts import DoubtLine
from quart_heure.outputs.hour_words import Hours
from quart_heure.outputs.proposals.proposal import SaidTable
from quart_heure.outputs.results.rows import Row

REPORT_FORMAT = "quart-heure-report/1"
"""Name and version of this structure."""


class Category(TypedDict):
    """A category or a composite, with how it and its gaps are called."""

    id: str
    label: str
    gap_label: str
    essential: bool
    composite: bool


class GapPart(TypedDict):
    """What one district has of a gap."""

    gap_id: str
    category: str
    district_id: str
    area_ha: float
    residents: float
    minutes_min: float
    minutes_max: float
    nearest_service_id: str
    nearest_service_name: str
    street: str


class Gap(TypedDict):
    """A gap that touches a district: the figures of the whole, and the part that is ``here``."""

    gap_id: str
    rank: int
    category: str
    district_id: str
    districts: str
    area_ha: float
    residents: float
    minutes_min: float
    minutes_median: float
    minutes_max: float
    nearest_service_id: str
    nearest_service_name: str
    street: str
    cause: str
    barrier_pct: float
    barrier: str
    cells: int
    next_opening: NotRequired[str]
    """Of a gap in the hours; there only where an hour was asked about."""
    here: GapPart


class District(TypedDict):
    """A district: rows of its indicators and of its composite, and its gaps."""

    district_id: str
    label: str
    indicators: list[Row]
    composite: list[Row]
    gaps: list[Gap]
    none_known: list[str]
    """Categories without any known service here; never one with discreet places."""
    fragility: list[Row]
    doubts: list[DoubtLine]
    """What the shares of its indicators are good to."""


class Summary(TypedDict, total=False):
    """The answer in figures and in one sentence; empty where no composite was analysed.

    The sentence alone where no place of an essential service is known.
    """

    by: Literal["residents", "area"]
    essentials: int
    threshold_min: float | None
    all_pct: float
    all: float
    none_pct: float
    none: float
    total: float
    all_most_pct: float
    none_least_pct: float
    """The other ends of what was asked for an hour or a person."""
    sentence: str


class SecondWeight(TypedDict, total=False):
    """What is counted besides residents; empty without it."""

    label: str
    source: str
    sentence: str


class WeekDay(TypedDict):
    """A day of the week that was judged."""

    date: str
    label: str


class WeekCategory(TypedDict):
    """7 rows of 24 pairs: per cent covered at least and at most."""

    category: str
    hours: list[list[list[float]]]


class WeekPlace(TypedDict):
    """The week of a district, or of the whole area, whose id is empty."""

    district_id: str
    label: str
    categories: list[WeekCategory]


class Week(TypedDict):
    """Who is covered at each hour of a week."""

    week_of: str
    about: str
    """Which week it is, and why this one."""
    by: Literal["residents", "area"]
    days: list[WeekDay]
    places: list[WeekPlace]


class CityFragility(TypedDict):
    """Who depends on a single service in the whole area, and on which services."""

    city: list[Row]
    services: list[Row]


class FactsLine(TypedDict):
    """How old the facts are behind the share of a category or composite in the whole area."""

    category: str
    facts_share: float
    """Per cent of residents covered; of area where residents are not known."""
    facts_share_confirmed: float
    """The same with confirmed places alone."""
    facts_known: float
    facts_placed: float
    facts_confirmed: float
    facts_confirmed_pct: float
    facts_undated: float
    words: str
    """The counts in words."""


class UnplacedPlace(TypedDict):
    """A place that is known and has no coordinates."""

    category: str
    name: str
    address: str
    postcode: str
    status: str
    would_count: bool
    source_date: str


class Facts(TypedDict):
    """How old the facts are that the figures rest on."""

    since: str
    """First day of what is recent; empty without any category."""
    sentence: str
    """The headline with confirmed places alone; empty without a headline."""
    lines: list[FactsLine]
    unplaced: list[UnplacedPlace]
    confirm_first: list[Row]
    """Rows of dependence: services to confirm first."""


class ServiceCounts(TypedDict):
    """How many services of a category there are, and why some do not count."""

    category: str
    known: int
    counted: int
    not_shown: int | None
    """Discreet places; None where it is not told."""
    counted_outside: int
    left_out: int
    reasons: dict[str, int]


class ListedService(TypedDict):
    """A service, counted or left out."""

    service_id: str
    category: str
    name: str
    address: str
    postcode: str
    district_id: str
    inside: bool
    status: str
    access: str
    counted: bool
    perhaps: bool
    left_out_reason: str
    source: str
    source_date: str


class ServiceLists(TypedDict):
    """The services of the districts asked for, or all."""

    by_category: list[ServiceCounts]
    withheld: int
    """Discreet places in the whole study."""
    without_zone: int
    """Those of them that count nowhere, since their zone has no street to count from."""
    list: Sequence[ListedService]


class Next(TypedDict):
    """A proposal: what is said of it, and its answer in figures."""

    kind: str
    category: str
    title: str
    created: str
    lines: list[str]
    parts: list[SaidTable]
    answer: dict[str, Any]


class Definition(TypedDict):
    """A term that figures rest on."""

    key: str
    term: str
    text: str


class Run(TypedDict):
    """What made the figures; counts and what was dropped are those of the manifest."""

    tool: str
    version: str
    created: str
    counts: dict[str, Any]
    dropped: dict[str, Any]


class SinceRow(TypedDict):
    """A share and what goes with it, in an earlier run and now."""

    district_id: str
    """Empty for the whole area."""
    category: str
    by: Literal["residents", "area"]
    before_pct: float
    after_pct: float
    change_points: float
    residents_before: float
    residents_after: float
    gaps_before: int
    gaps_after: int


class SinceService(TypedDict):
    """A service that is new, gone, or counted otherwise."""

    change: str
    """In words."""
    category: str
    name: str
    district_id: str


class Since(TypedDict):
    """What has changed since an earlier run."""

    created: str
    title: str
    sentence: str
    rows: list[SinceRow]
    services: list[SinceService]
    differs: list[str]
    """Inputs, settings or program that differ, in words."""
    definitions: list[str]
    """Definitions that have changed, in words."""


class Report(TypedDict):
    """What a report says, in one language."""

    format: str
    lang: str
    area: str
    osm_date: str
    parameters: dict[str, Any]
    """Of the run, as in the manifest."""
    selected: bool
    """Whether districts were asked for."""
    district_labels: dict[str, str]
    district_word: str
    categories: list[Category]
    anchored: list[str]
    """Categories with discreet places, which count from public points of their zones."""
    hours: Hours | None
    """The hour that was asked about."""
    week: Week | None
    since: Since | None
    """What has changed since an earlier run, where one was named."""
    summary: Summary
    facts: Facts
    second_weight: SecondWeight
    city: list[Row]
    composite: list[Row]
    districts: list[District]
    person: list[str]
    """The parts of who is asked for, in words."""
    filters: list[Row]
    fragility: CityFragility
    doubts: list[DoubtLine]
    """What the shares of the whole area are good to."""
    capacity: list[Row]
    """Of the districts asked for, of the whole area if none was."""
    services: ServiceLists
    problems: list[Row]
    next: list[Next]
    """Proposals that were given: where to open, whom to call, which link is missing."""
    definitions: list[Definition]
    limits: list[str]
    sources: list[dict[str, Any]]
    """Inputs, as in the manifest, told in the language."""
    attribution: list[str]
    run: Run
