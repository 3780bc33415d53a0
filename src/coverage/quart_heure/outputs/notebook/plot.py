"""Pictures: cells by their walk, the line of the threshold, the places; the hours of a week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.errors import InputFileError
from quart_heure.labels import text, word
from quart_heure.outputs.hour_words import DAYS, HOURS, range_words, share_columns
from quart_heure.outputs.notebook.at_hand import AtHand
from quart_heure.outputs.palette import PALETTE
from quart_heure.outputs.report.content import resolve_districts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#1c2430"
_COVERED = ("covered", "borderline_covered")


def plot_minutes(
    found: object,
    category: str = "",
    *,
    ax: Axes | None = None,
    lang: str = "fr",
    width_in: float = 9.0,
    height_in: float = 6.0,
) -> Axes:
    """Draw the minutes of a category: see `quart_heure.study.views.Views.plot`."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - heavy, and only pictures need it
    from matplotlib.colors import BoundaryNorm, ListedColormap  # noqa: PLC0415

    here = AtHand.of(found, shown=True)
    category = here.category(category)
    if ax is None:
        _, ax = plt.subplots(figsize=(width_in, height_in), layout="constrained")
    minutes, extent = _grid(here, f"minutes_{category}")
    most = 2 * here.threshold_min
    steps = np.linspace(0, most, len(PALETTE.minutes) + 1)
    image = ax.imshow(
        np.minimum(minutes, most),
        origin="lower",
        extent=extent,
        cmap=ListedColormap(list(PALETTE.minutes)),
        norm=BoundaryNorm(steps, len(PALETTE.minutes)),
        interpolation="nearest",
    )
    covered, _ = _grid(here, f"status_{category}", of=_COVERED)
    if 0 < covered.sum() < covered.size:
        x, y = _centres(covered, extent, here.cell_m)
        ax.contour(x, y, covered, levels=[0.5], colors=_INK, linewidths=1.2)
    here.districts.boundary.plot(ax=ax, color=_INK, linewidth=0.4, alpha=0.7)
    _draw_places(ax, here, category)
    if f"perhaps_{category}" in here.cells():
        _draw_perhaps(ax, here, category, lang)
    ax.set_title(_title(here, category, lang))
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.7, ticks=steps[::2], extend="max")
    bar.set_label(text("notebook.plot_minutes", lang))
    ax.annotate(
        here.attribution, (0, 0), xycoords="axes fraction", va="top", fontsize=6, color=_INK
    )
    ax.set_axis_off()
    ax.set_aspect("equal")
    return ax


def _title(here: AtHand, category: str, lang: str) -> str:
    """Return the share that is covered: of residents, else of the area; at an hour, as a range."""
    rows = here.found.indicators
    city = rows[(rows["level"] == "city") & (rows["category"] == category)].iloc[0]
    by_area = "_area" if np.isnan(city["residents_covered_pct"]) else ""
    part = "" if by_area else "residents_"
    share = city[f"{part}covered_pct"]
    about = {"category": here.label(category, lang), "minutes": f"{here.threshold_min:g}"}
    most = city[f"{part}covered_at_most_pct"] if "covered_at_most_pct" in rows else share
    return text(f"notebook.plot_title{by_area}", lang, share=range_words(share, most), **about)


def _draw_perhaps(ax: Axes, here: AtHand, category: str, lang: str) -> None:
    """Hatch the cells of which nobody knows whether they are covered."""
    from matplotlib.patches import Patch  # noqa: PLC0415

    perhaps, extent = _grid(here, f"perhaps_{category}", of=(True,))
    if not perhaps.any():
        return
    hatch, ink = "////", PALETTE.paints.perhaps.line or _INK
    x, y = _centres(perhaps, extent, here.cell_m)
    lines = ax.contourf(x, y, perhaps, levels=[0.5, 1.5], colors="none", hatches=[hatch])
    lines.set_edgecolor(ink)  # of the hatch; an outline would be a second line of the threshold
    lines.set_linewidth(0)
    patch = Patch(facecolor="none", edgecolor=ink, hatch=hatch)
    said = text("notebook.plot_perhaps", lang)
    ax.legend([patch], [said], loc="lower left", edgecolor="none", fontsize=9)


def plot_week(
    found: object, category: str = "", *, lang: str = "fr", district: str = ""
) -> NDArray[np.object_]:
    """Draw the hours of a week: see `quart_heure.study.views.Views.plot_week`."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - heavy, and only pictures need it
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415

    here = AtHand.of(found, shown=True)
    place = resolve_districts(here.found.indicators, [district])[0] if district else ""
    table = here.found.week_rows([place])
    if table is None:
        msg = "The week was not asked for."
        raise InputFileError(msg, hint="Analyse the study with week=True.")
    if category not in COMPOSITES:
        category = here.category(category)
    by, names = share_columns(table)
    rows = table[table["category"] == category]
    figure, axes = plt.subplots(1, 2, figsize=(12, 3), sharey=True, layout="constrained")
    shades = LinearSegmentedColormap.from_list("shares", ["#ffffff", *PALETTE.minutes[::-1]])
    bounds = (text("notebook.plot_least", lang), word("at_most", lang))
    for ax, name, bound in zip(axes, names, bounds, strict=True):
        hours = rows.sort_values("hour")[name].to_numpy(dtype=float).reshape(DAYS, HOURS)
        image = ax.imshow(hours, vmin=0, vmax=100, cmap=shades, aspect="auto")
        ax.set_title(f"{here.label(category, lang)} – {bound}")
        ax.set_yticks(range(DAYS), [word(f"day_{day}", lang) for day in range(DAYS)])
        ax.set_xticks(range(0, HOURS, 3))
        ax.set_xlabel(text("notebook.plot_hour", lang))
    ending = "" if by == "residents" else "_area"
    bar = figure.colorbar(image, ax=axes)
    bar.set_label(text(f"notebook.plot_week_share{ending}", lang))
    drawn: NDArray[np.object_] = axes
    return drawn


def _centres(
    grid: NDArray[Any], extent: tuple[float, float, float, float], cell_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middles of the columns and rows of a picture, in metres."""
    x = np.linspace(extent[0], extent[1], grid.shape[1] + 1)[:-1] + cell_m / 2
    y = np.linspace(extent[2], extent[3], grid.shape[0] + 1)[:-1] + cell_m / 2
    return x, y


def _draw_places(ax: Axes, here: AtHand, category: str) -> None:
    services = here.found.services
    counted = services[services["counted"].astype(bool) & (services["category"] == category)]
    xy = shapely.get_coordinates(counted.geometry.to_numpy())
    ax.scatter(xy[:, 0], xy[:, 1], s=34, color="white", edgecolor=_INK, linewidth=1.2, zorder=3)


def _grid(
    here: AtHand, column: str, of: Any = None
) -> tuple[NDArray[Any], tuple[float, float, float, float]]:
    """Return a column of the cells as a picture, and its bounds in metres; NaN where no cell is."""
    cells = here.cells()
    col, row = cells["col"].to_numpy(), cells["row"].to_numpy()
    left, low = int(col.min()), int(row.min())
    shape = (int(row.max()) - low + 1, int(col.max()) - left + 1)
    if of is None:
        grid: NDArray[Any] = np.full(shape, np.nan)
        grid[row - low, col - left] = cells[column].to_numpy(dtype=float)
    else:
        grid = np.zeros(shape)
        grid[row - low, col - left] = cells[column].isin(list(of)).to_numpy()
    size = here.cell_m
    east, north = left + shape[1], low + shape[0]
    return grid, (left * size, east * size, low * size, north * size)
