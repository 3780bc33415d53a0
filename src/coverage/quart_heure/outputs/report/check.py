"""The page of a check: what is doubtful in the inputs of a study, as text and as a layer."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from quart_heure.files import AnyPath, replacing
from quart_heure.outputs.assets import inlined, page_environment, security_policy, stylesheet
from quart_heure.outputs.degrees import degrees_of
from quart_heure.outputs.results.manifest import json_text
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
