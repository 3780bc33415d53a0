"""The page of a check: what is doubtful in the inputs of a study, as text and as a layer."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from quart_heure.files import AnyPath, replacing
from quart_heure.network.findings import SAFETY
from quart_heure.outputs.assets import inlined, page_environment, security_policy, stylesheet
from quart_heure.outputs.degrees import degrees_of
from quart_heure.outputs.results.manifest import json_text
from quart_heure.sources.problems import CHOSEN
from quart_heure.study.check import Check

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["write_check"]

_SHOWN = 10
"""Rows of one kind shown on a terminal; the other forms have all."""


def render_check(check: Check, *, form: str, width: int = 100) -> str:
    """Write a check as text: ``table`` for a terminal, ``json``, or ``html`` in one file."""
    if form == "json":
        return json_text(_content(check)) + "\n"
    if form == "html":
        style = stylesheet("report")
        page = page_environment().get_template("check.html.j2")
        policy = security_policy(styles=[style])
        return page.render(check=_content(check), css=inlined(style), policy=policy)
    return _terminal(check, width)


def write_check(check: Check, path: AnyPath) -> None:
    """Write the findings as a GeoPackage, to be opened beside the streets in QGIS."""
    path = Path(path)
    findings = check.findings.copy()
    findings["geometry"] = [
        shape if not shapely.is_empty(shape) else None for shape in findings.geometry
    ]
    with replacing(path) as temporary:
        temporary.unlink()
        findings.to_file(temporary, layer="findings", driver="GPKG")


def _content(check: Check) -> dict[str, Any]:
    centres = shapely.centroid(check.findings.geometry.to_numpy())
    xy = np.stack([shapely.get_x(centres), shapely.get_y(centres)], axis=1)
    rows = check.findings.drop(columns="geometry").to_dict("records")
    for row, (x, y) in zip(rows, degrees_of(xy, check.findings.crs), strict=True):
        known = np.isfinite(x)
        row |= {name: _rounded(row[name], digits) for name, digits in _AMOUNTS.items()}
        row["longitude"] = round(float(x), 6) if known else None
        row["latitude"] = round(float(y), 6) if known else None
    return {
        "area": check.area,
        "osm_date": check.osm_date,
        "age_days": check.age_days,
        "summary": check.summary(),
        "findings": rows,
        "moving": len(check.moving),
        "problems": _problem_rows(check.problems),
        "dropped": {reason: dict(amount) for reason, amount in check.dropped.items()},
    }


_AMOUNTS = {"residents": None, "ha": 1}


def _rounded(amount: float, digits: int | None) -> float | None:
    return None if np.isnan(amount) else round(float(amount), digits)


def _problem_rows(problems: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return problems as plain rows; what is wrong with a whole file has no row, None."""
    # What is left out moves figures, what was chosen among several may, the rest tells.
    urgent = problems["action"].astype(str).map(_urgency)
    table = problems.iloc[np.argsort(urgent.to_numpy(), kind="stable")].astype(object)
    return table.where(table.notna(), None).to_dict("records")


def _urgency(action: str) -> int:
    if action.startswith(CHOSEN):
        return 2
    return 0 if "left out" in action or action.startswith("nothing") else 1


def _terminal(check: Check, width: int) -> str:
    from quart_heure.outputs.terminal import drawn  # noqa: PLC0415 - only for this form

    return drawn(_parts(check), width=width)


def _amount(row: Any) -> str:
    """Write whose answer a finding may change, nothing where it changes none."""
    if row.kind == SAFETY:
        return ""
    return f"{row.ha:,.1f} ha" if np.isnan(row.residents) else f"{row.residents:,.0f}"


def _parts(check: Check) -> Iterator[RenderableType]:
    from rich.table import Table  # noqa: PLC0415 - only for a terminal

    age = "unknown" if check.age_days is None else f"{check.age_days} days"
    yield f"{check.area}: streets of {check.osm_date or 'an unknown date'}, age {age}"
    moving = check.moving
    if len(moving):
        title = f"What is public, and what moves figures, the most first: {len(moving)}"
        table = Table(title=title, title_justify="left", box=None)
        table.add_column("residents, at most", justify="right")
        for column in ("what", "place"):
            table.add_column(column, max_width=20)
        # Below what it is about: a link that is cut leads nowhere.
        table.add_column("detail, and where", overflow="fold")
        for row in moving.head(_SHOWN).itertuples():
            kind, value = str(row.kind).replace("_", " "), f"{row.value:g} {row.unit}"
            link = row.osm_url.replace("https://www.openstreetmap.org/", "osm.org/")
            detail = "\n".join(filter(None, (row.detail, link)))
            table.add_row(_amount(row), f"{kind}, {value}", row.place, detail)
        yield table
        if len(moving) > _SHOWN:
            yield f"… and {len(moving) - _SHOWN} more: use --format json, html or --output."
    still = check.findings.drop(index=moving.index)["kind"].value_counts()
    if len(still):
        rest = ", ".join(f"{n} {str(kind).replace('_', ' ')}" for kind, n in still.items())
        yield f"Besides, moving no figure that is known: {rest}; --format html lists them."
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
