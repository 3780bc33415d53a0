"""What is doubtful in the inputs of a study: findings, refused rows, dropped streets, ages."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from quart_heure.analysis.mending import with_what_they_move
from quart_heure.analysis.placement import outside_problems
from quart_heure.analysis.second_entries import second_entries
from quart_heure.analysis.steep_ground import steep_ground
from quart_heure.cache import Cache
from quart_heure.errors import QuartHeureError
from quart_heure.network.doctor import examine_network, examine_services
from quart_heure.network.findings import KINDS, SAFETY, Finding, finding_table
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.sources.areas.districts import check_districts
from quart_heure.sources.problems import problem_table
from quart_heure.sources.services.discretion import ASKED
from quart_heure.sources.services.mentions import Mentions, free_texts
from quart_heure.sources.services.services import Services
from quart_heure.study.coverage import Coverage
from quart_heure.study.line import analyse
from quart_heure.study.study import Study

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Check", "check_study"]

_BARRIERS = ("water", "rail")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Check:
    """What was found.

    Parameters
    ----------
    area
        Name of the area.
    findings
        See `quart_heure.network.findings`; what moves most first.
    problems
        Rows of the inputs that were refused or doubted.
    dropped
        Streets left out: for each reason, how many, how long, and their share of all in percent.
    osm_date, age_days
        Date of the streets, and days since then, None if it is not known.
    """

    area: str
    findings: gpd.GeoDataFrame
    problems: pd.DataFrame
    dropped: Mapping[str, Mapping[str, float]]
    osm_date: str
    age_days: int | None

    def summary(self) -> dict[str, int]:
        """Count the findings of each kind, in the order of `KINDS`."""
        counts = self.findings["kind"].value_counts()
        return {kind: int(counts[kind]) for kind in KINDS if kind in counts}

    @property
    def moving(self) -> gpd.GeoDataFrame:
        """The findings that come first: shelters to confirm, and what is known to move figures."""
        moves = self.findings["residents"].fillna(self.findings["ha"]) > 0
        return self.findings[moves | (self.findings["kind"] == SAFETY)]


def check_study(
    study: Study, *, today: datetime.date | None = None, cache: Cache | None = None
) -> Check:
    """Examine the inputs of a study.

    Parameters
    ----------
    study
        The study.
    today
        The day from which ages are counted; today by default.
    cache
        As in `quart_heure.study.line.analyse`: what single services reach is searched too.
    """
    background = study.background()
    barriers = None
    if background is not None and "kind" in background:
        barriers = background.loc[background["kind"].isin(_BARRIERS)].geometry.to_numpy()

    coverage, failed = _analysed(study, cache)
    rows = [
        *_outside(study),
        *steep_ground(study.network, study.heights),
        *_telling_texts(study.services),
        *failed,
    ]
    problems = pd.concat([study.problems, problem_table(rows)], ignore_index=True)
    asked = problems["reason"] == ASKED

    def findings() -> Iterator[Finding]:
        yield from _shelters_asked(problems[asked])
        yield from examine_services(
            study.services.table,
            study.network,
            study.profile,
            snap_m=study.snap_m,
            barriers=barriers,
        )
        if coverage is not None:
            yield from _second_entries(coverage)
        yield from examine_network(study.network, study.profile)
        yield from _district_faults(study)

    found = list(findings())
    if coverage is not None:
        table = study.services.table
        placed = dict(zip(table["service_id"], table["category"], strict=True))
        found = with_what_they_move(found, coverage.basis, snap_m=study.snap_m, placed=placed)
    osm_date = str(study.network.meta.get("osm_date", ""))
    return Check(
        area=study.area.name,
        findings=finding_table(found, study.network),
        problems=problems[~asked].reset_index(drop=True),
        dropped=_dropped(study.network),
        osm_date=osm_date,
        age_days=_age_days(osm_date, today or datetime.datetime.now(datetime.UTC).date()),
    )


def _analysed(study: Study, cache: Cache | None) -> tuple[Coverage | None, list[dict[str, object]]]:
    """Return what an analysis of any time and for everybody finds, or why there is none.

    Inputs that are too ill to be analysed are what a check is for. Of gaps and isochrones it finds
    the least that it may.
    """
    plain = study.replace(
        at=None,
        on=None,
        between=None,
        person=None,
        isochrones_min=(study.threshold_min,),
        min_gap_ha=study.area.geometry.area,
        week=False,
        week_of=None,
    )
    try:
        return analyse(plain, cache=cache), []
    except QuartHeureError as error:
        row = {"file": "", "row": None, "field": "", "value": "", "reason": str(error)}
        return None, [{**row, "action": "nothing analysed"}]


def _second_entries(coverage: Coverage) -> Iterator[Finding]:
    """Find services that reach less by their nearest street alone."""
    basis, network = coverage.basis, coverage.study.network
    for row in second_entries(basis).to_dict("records"):
        nearest, second = int(row["nearest_edge"]), int(row["second_edge"])
        every = _amount(row["ha_reached"], row["residents_reached"])
        less = _amount(row["ha_nearest"], row["residents_nearest"])
        yield Finding(
            kind="service_second_entry",
            place=str(row["name"]),
            detail=f"{row['category']}: within {basis.threshold_min:g} min it has {every}; by its"
            f" nearest street alone ({_called(network, nearest)}, {row['nearest_m']:.0f} m) {less}."
            f" Most of it by {_called(network, second)}: is the place drawn where its door is?",
            value=round(float(row["lost_pct"]), 1),
            unit="% less",
            residents=float(row["residents_reached"] - row["residents_nearest"]),
            ha=float(row["ha_reached"] - row["ha_nearest"]),
            osm_id=int(network.osm_id[second]),
            geometry=shapely.shortest_line(
                shapely.Point(basis.xy[row["service"]]), network.lines[second]
            ),
        )


def _amount(ha: float, residents: float) -> str:
    people = "" if np.isnan(residents) else f" and {residents:,.0f} residents"
    return f"{ha:,.0f} ha{people}"


def _called(network: WalkNetwork, edge: int) -> str:
    return network.name_of(edge) or f"{network.kind_of(edge)} without a name"


def _shelters_asked(asked: pd.DataFrame) -> Iterator[Finding]:
    """Ask, once per file and category, whether shelters of which nobody says so are public."""
    for row in asked.itertuples():
        label, _, count = str(row.value).rpartition(": ")
        yield Finding(
            kind="shelter_to_confirm",
            place=label,
            detail=f"{row.file}: are these places public? They are shown, with name and address."
            " Say discreet = true or false in a column of the file.",
            value=int(count),
            unit="places",
        )


def _dropped(network: WalkNetwork) -> dict[str, dict[str, float]]:
    """Return what each rule left out of the streets, and its share of the kilometres of all."""
    dropped = network.meta.get("dropped", {})
    mapped = network.flags & Flags.SQUARE_WALK == 0
    all_km = network.length_m[mapped].sum() / 1000 + sum(a["length_km"] for a in dropped.values())
    return {
        reason: {
            "ways": a["ways"] if "ways" in a else a["lines"],  # tiles hold lines, not ways
            "length_km": a["length_km"],
            "share_pct": round(100 * float(a["length_km"] / all_km), 1),
        }
        for reason, a in dropped.items()
    }


def _outside(study: Study) -> list[dict[str, object]]:
    return outside_problems(
        study.services, study.area, snap_m=study.snap_m, margin_m=study.margin_m
    )


def _telling_texts(services: Services) -> Iterator[dict[str, object]]:
    """Tell the owner alone which texts of places that are shown tell of one that is not.

    The texts are not repeated here: a check may be passed on.
    """
    mentions = Mentions(services.hidden)
    if not mentions:
        return
    shown = services.table[~services.table["discreet"].astype(bool)]
    for field in ("name", *free_texts(shown)):
        telling = mentions.told_in(shown[field].fillna("").astype("str"))
        for service_id in shown.loc[telling, "service_id"]:
            file, row = services.rows.get(str(service_id), ("", None))
            yield {
                "file": file,
                "row": row,
                "field": field,
                "value": "",
                "reason": "tells of a place that is not shown",
                "action": "shown all the same" if field == "name" else "emptied where published",
            }


def _district_faults(study: Study) -> Iterator[Finding]:
    """Find where districts overlap or leave gaps wider than a sliver."""
    faults = check_districts(study.area.districts, union=study.area.geometry)
    for fault in faults[~faults["sliver"].astype(bool)].itertuples():
        yield Finding(
            kind=f"district_{fault.kind}",
            place=fault.district_ids.replace(";", " – "),
            detail="The first district by id holds it."
            if fault.kind == "overlap"
            else "Between districts, and not in the area.",
            value=round(fault.area_m2),
            unit="m²",
            geometry=fault.geometry,
        )


def _age_days(osm_date: str, today: datetime.date) -> int | None:
    try:
        return (today - datetime.date.fromisoformat(osm_date[:10])).days
    except ValueError:
        return None
