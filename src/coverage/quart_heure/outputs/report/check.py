"""What is doubtful in the inputs of a study: findings, refused rows, dropped streets, ages."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
import pandas as pd
import shapely

from quart_heure.analysis.placement import outside_problems
from quart_heure.files import replacing
from quart_heure.network.doctor import (
    Finding,
    examine_network,
    examine_services,
    finding_table,
)
from quart_heure.network.graph import Flags
from quart_heure.outputs.assets import stylesheet, templates
from quart_heure.outputs.results.manifest import json_text
from quart_heure.sources.areas.districts import check_districts
from quart_heure.sources.problems import problem_table
from quart_heure.sources.services.discretion import ASKED

if TYPE_CHECKING:
    import geopandas as gpd
    from rich.console import RenderableType

    from quart_heure.network.graph import WalkNetwork
    from quart_heure.study.study import Study

__all__ = ["Check", "check_study", "write_check"]

_BARRIERS = ("water", "rail")
_SHOWN = 10
"""Rows of one kind shown on a terminal; the other forms have all."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Check:
    """What was found.

    Parameters
    ----------
    area
        Name of the area.
    findings
        See `quart_heure.network.doctor`.
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
        counts = self.findings["kind"].value_counts(sort=False)
        return {str(kind): int(n) for kind, n in counts.items()}


def check_study(study: Study, *, today: datetime.date | None = None) -> Check:
    """Examine the inputs of a study.

    Parameters
    ----------
    study
        The study.
    today
        The day from which ages are counted; today by default.
    """
    background = study.background()
    barriers = None
    if background is not None and "kind" in background:
        barriers = background.loc[background["kind"].isin(_BARRIERS)].geometry.to_numpy()

    problems = pd.concat([study.problems, problem_table(_outside(study))], ignore_index=True)
    asked = problems["reason"] == ASKED

    def findings() -> Any:
        yield from _shelters_asked(problems[asked])
        yield from examine_services(
            study.services.table,
            study.network,
            study.profile,
            snap_m=study.snap_m,
            barriers=barriers,
        )
        yield from examine_network(study.network, study.profile)
        yield from _district_faults(study)

    osm_date = str(study.network.meta.get("osm_date", ""))
    return Check(
        area=study.area.name,
        findings=finding_table(findings(), study.network),
        problems=problems[~asked].reset_index(drop=True),
        dropped=_dropped(study.network),
        osm_date=osm_date,
        age_days=_age_days(osm_date, today or datetime.datetime.now(datetime.UTC).date()),
    )


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


def render_check(check: Check, *, form: str, width: int = 100) -> str:
    """Write a check as text: ``table`` for a terminal, ``json``, or ``html`` in one file."""
    if form == "json":
        return json_text(_content(check)) + "\n"
    if form == "html":
        environment = jinja2.Environment(
            loader=templates(),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        page = environment.get_template("check.html.j2")
        return page.render(check=_content(check), css=stylesheet("report"))
    return _terminal(check, width)


def write_check(check: Check, path: Path) -> None:
    """Write the findings as a GeoPackage, to be opened beside the streets in QGIS."""
    findings = check.findings.copy()
    findings["geometry"] = [
        shape if not shapely.is_empty(shape) else None for shape in findings.geometry
    ]
    with replacing(path) as temporary:
        temporary.unlink()
        findings.to_file(temporary, layer="findings", driver="GPKG")


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


def _content(check: Check) -> dict[str, Any]:
    degrees = check.findings.to_crs(4326)
    centres = shapely.centroid(degrees.geometry.to_numpy())
    rows = check.findings.drop(columns="geometry").to_dict("records")
    for row, x, y in zip(rows, shapely.get_x(centres), shapely.get_y(centres), strict=True):
        known = np.isfinite(x)
        row["longitude"] = round(float(x), 6) if known else None
        row["latitude"] = round(float(y), 6) if known else None
    return {
        "area": check.area,
        "osm_date": check.osm_date,
        "age_days": check.age_days,
        "summary": check.summary(),
        "findings": rows,
        "problems": _problem_rows(check.problems),
        "dropped": {reason: dict(amount) for reason, amount in check.dropped.items()},
    }


def _problem_rows(problems: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return problems as plain rows; what is wrong with a whole file has no row, None."""
    table = problems.astype(object)
    return table.where(table.notna(), None).to_dict("records")


def _terminal(check: Check, width: int) -> str:
    from quart_heure.outputs.terminal import drawn  # noqa: PLC0415 - only for this form

    return drawn(_parts(check), width=width)


def _parts(check: Check) -> Iterator[RenderableType]:
    from rich.table import Table  # noqa: PLC0415 - only for a terminal

    age = "unknown" if check.age_days is None else f"{check.age_days} days"
    yield f"{check.area}: streets of {check.osm_date or 'an unknown date'}, age {age}"
    for kind, n in check.summary().items():
        table = Table(title=f"{kind}: {n}", title_justify="left", box=None)
        for column in ("place", "value", "detail", "osm_url"):
            table.add_column(column, justify="right" if column == "value" else "left")
        for row in check.findings[check.findings["kind"] == kind].head(_SHOWN).itertuples():
            table.add_row(row.place, f"{row.value:g} {row.unit}", row.detail, row.osm_url)
        yield table
        if n > _SHOWN:
            yield f"… and {n - _SHOWN} more: use --format json or --output."
    title = f"Rows refused or doubted: {len(check.problems)}"
    table = Table(title=title, title_justify="left", box=None)
    columns = ("file", "row", "field", "value", "reason", "action")
    for column in columns if len(check.problems) else ():
        table.add_column(column)
    # What occurs a hundred times says no more by its hundredth row.
    alike = check.problems.groupby(["reason", "action"]).cumcount()
    for row in _problem_rows(check.problems[alike < _SHOWN]):
        table.add_row(*("" if row[c] is None else str(row[c]) for c in columns))
    yield table
    more = check.problems[alike >= _SHOWN].groupby(["reason", "action"]).size()
    for row in more.rename("n").reset_index().to_dict("records"):
        yield f"… and {row['n']} more: {row['reason']}, {row['action']}."
    table = Table(title="Streets left out", title_justify="left", box=None)
    table.add_column("reason")
    for column in ("streets", "km", "% of km"):
        table.add_column(column, justify="right")
    for reason, amount in check.dropped.items():
        table.add_row(reason, *(f"{n:g}" for n in amount.values()))
    yield table


def _age_days(osm_date: str, today: datetime.date) -> int | None:
    try:
        return (today - datetime.date.fromisoformat(osm_date[:10])).days
    except ValueError:
        return None
