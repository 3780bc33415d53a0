"""A picture of the minutes: cells by their walk, the line of the threshold, the places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.labels import text
from quart_heure.outputs.notebook.at_hand import AtHand
from quart_heure.outputs.palette import PALETTE

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
        x = np.linspace(extent[0], extent[1], covered.shape[1] + 1)[:-1] + here.cell_m / 2
        y = np.linspace(extent[2], extent[3], covered.shape[0] + 1)[:-1] + here.cell_m / 2
        ax.contour(x, y, covered, levels=[0.5], colors=_INK, linewidths=1.2)
    here.districts.boundary.plot(ax=ax, color=_INK, linewidth=0.4, alpha=0.7)
    _draw_places(ax, here, category)
    rows = here.found.indicators
    city = rows[(rows["level"] == "city") & (rows["category"] == category)].iloc[0]
    of_people = city["residents_covered_pct"]
    share = city["covered_pct"] if np.isnan(of_people) else of_people
    key = "plot_title_area" if np.isnan(of_people) else "plot_title"
    ax.set_title(
        text(
            f"notebook.{key}",
            lang,
            category=here.label(category, lang),
            share=f"{share:.0f}",
            minutes=f"{here.threshold_min:g}",
        )
    )
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.7, ticks=steps[::2], extend="max")
    bar.set_label(text("notebook.plot_minutes", lang))
    ax.annotate(
        here.attribution, (0, 0), xycoords="axes fraction", va="top", fontsize=6, color=_INK
    )
    ax.set_axis_off()
    ax.set_aspect("equal")
    return ax


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
