"""Views: what one asks of figures at hand, of a coverage and of results read back alike.

Pictures, pages and comparisons are made further down the line than what is found, which must not
know them; they are looked up when they are asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from quart_heure.files import AnyPath

if TYPE_CHECKING:
    from pathlib import Path

    import folium
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from quart_heure.study.study import Study


def further(module: str) -> Any:
    """Return a module of a room further down the line."""
    return importlib.import_module(f"quart_heure.{module}")


class Views:
    """Questions that tables answer, a line each, in a notebook."""

    def plot(
        self, category: str = "", *, ax: Axes | None = None, lang: str = "fr", **size: float
    ) -> Axes:
        """Draw the minutes to the nearest service, what is within the threshold, and the places.

        Parameters
        ----------
        category
            Its id; the first one of the study by default.
        ax
            Where to draw; a new figure by default.
        lang
            ``fr`` or ``en``.
        size
            ``width_in``, ``height_in``: inches of a new figure, 9 by 6 by default.

        Raises
        ------
        CategoryError
            If the study has no such category.
        """
        drawn: Axes = further("outputs.notebook.plot").plot_minutes(
            self, category, ax=ax, lang=lang, **size
        )
        return drawn

    def plot_week(
        self, category: str = "", *, district: str = "", lang: str = "fr"
    ) -> NDArray[np.object_]:
        """Draw who is covered in each hour of the week: at least, and at most.

        Parameters
        ----------
        category
            Its id, or that of a composite; the first one of the study by default.
        district
            Its id, name or number; the whole area by default.
        lang
            ``fr`` or ``en``.

        Returns
        -------
        ndarray
            The two matplotlib axes.

        Raises
        ------
        InputFileError
            If the week was not asked for (``week=True``), or there is no such district.
        CategoryError
            If the study has no such category.
        """
        drawn: NDArray[np.object_] = further("outputs.notebook.plot").plot_week(
            self, category, district=district, lang=lang
        )
        return drawn

    def explore(self, category: str = "", *, lang: str = "fr") -> folium.Map:
        """Show isochrone, gaps and places on a map to move about in, which needs no internet.

        Parameters
        ----------
        category
            Its id; the first one of the study by default.
        lang
            ``fr`` or ``en``.

        Raises
        ------
        CategoryError
            If the study has no such category.
        """
        shown: folium.Map = further("outputs.notebook.explore").explore(self, category, lang=lang)
        return shown

    def minutes_at(self, lon: float, lat: float) -> pd.DataFrame:
        """Tell the walks from a place: those of the cell that it lies in.

        Parameters
        ----------
        lon, lat
            Degrees, WGS 84.

        Returns
        -------
        DataFrame
            One row per category: ``minutes`` (infinite where no service is in reach, NaN off the
            network), ``nearest`` (a service_id) and ``status``.

        Raises
        ------
        GeometryError
            If it lies outside the area.
        """
        told: pd.DataFrame = further("outputs.notebook.tables").minutes_at(self, lon, lat)
        return told

    def gaps_of(self, district: str) -> gpd.GeoDataFrame:
        """Return the gaps of a district, cut to it.

        Parameters
        ----------
        district
            Its id, name or number: ``"75119"``, ``"19e"``, ``"19"``.

        Returns
        -------
        GeoDataFrame
            The rows of ``gap_parts`` of the district, with ``cause`` and ``barrier`` of the whole
            gap and the geometry of the part, by category, most residents first.

        Raises
        ------
        InputFileError
            If there is no such district.
        """
        parts: gpd.GeoDataFrame = further("outputs.notebook.tables").gaps_of(self, district)
        return parts

    def compare(self, other: Views) -> pd.DataFrame:
        """Tell which figures are others there: the change from these to those.

        Parameters
        ----------
        other
            A coverage, or results read back, of the same districts.

        Returns
        -------
        DataFrame
            ``level``, ``district_id``, ``label``, ``category``, ``measure``, ``before`` (here),
            ``after`` (there) and ``change``, a row per figure that differs. What only one of them
            knows is NaN in the other.

        Raises
        ------
        StudyFileError
            If they are of different districts.
        """
        changed: pd.DataFrame = further("outputs.notebook.tables").compare(self, other)
        return changed

    def to_xlsx(self, path: AnyPath, *, lang: str = "fr") -> Path:
        """Write the tables into one workbook, a sheet for each, without what must not be shown.

        It is the workbook of a publication: what each column means is a note on its heading, and
        the first sheet says what it is of. Own columns of services are in it.

        Parameters
        ----------
        path
            The file, which ends in ``.xlsx``.
        lang
            ``fr`` or ``en``: of the sheets' names and of the notes.

        Raises
        ------
        OutputError
            If there is no such language, the name ends otherwise, or it cannot be written.
        """
        written: Path = further("outputs.publication.workbook").write_xlsx(self, path, lang=lang)
        return written

    def _repr_html_(self) -> str:
        """Show the figures of the whole area, a row per category."""
        shown: str = further("outputs.notebook.tables").city_html(self)
        return shown


class CoverageViews(Views):
    """What can be asked of a coverage besides, which knows its study."""

    def map(self, path: AnyPath, **options: Any) -> Path:
        """Write the map of `quart_heure.write_map`, with the background of the study.

        Parameters
        ----------
        path
            The file.
        options
            Those of `quart_heure.write_map`.
        """
        return self._write("outputs.map.map", "write_map", path, **options)

    def _write(self, module: str, function: str, path: AnyPath, **options: Any) -> Path:
        study = self.study  # type: ignore[attr-defined]
        options.setdefault("background", study.background())
        written: Path = getattr(further(module), function)(self, path, **options)
        return written


class StudyViews:
    """What a study tells of itself, and the studies next to it."""

    def with_service(
        self,
        category: str,
        lon: float,
        lat: float,
        *,
        name: str = "",
        hours: str = "",
        capacity: float | None = None,
        capacity_unit: str = "",
    ) -> Study:
        """Return the study as it would be with one more service.

        Parameters
        ----------
        category
            Its id.
        lon, lat
            Degrees, WGS 84.
        name, hours, capacity, capacity_unit
            As in a scenario (see docs/scenarios.md).

        Raises
        ------
        CategoryError
            If there is no such category.
        StudyFileError
            If the hours or the unit cannot be read.
        """
        scenario = further("study.scenario")
        added = scenario.Add(
            category=category,
            lon=lon,
            lat=lat,
            name=name,
            hours=hours,
            capacity=capacity,
            capacity_unit=capacity_unit,
        )
        told = scenario.Scenario(name=name or category, add=(added,))
        changed: Study = further("study.changed").changed_study(self, told)
        return changed

    def without_service(self, service: str) -> Study:
        """Return the study as it would be if a service closed, by its id or whole name.

        Raises
        ------
        StudyFileError
            If there is none, or several are called so.
        """
        told = further("study.scenario").Scenario(name=service, close=(service,))
        changed: Study = further("study.changed").changed_study(self, told)
        return changed

    def __repr__(self) -> str:
        """Tell what is studied in a few lines."""
        return "\n  ".join(_told(cast("Study", self)))


def _told(study: Study) -> Iterator[str]:
    services, network = study.services.table, study.network
    yield f"Study of {study.area.name}: {len(study.area.districts)} districts, " + (
        f"{study.area.geometry.area / 1e6:,.1f} km²"
    )
    of_each = services["category"].value_counts()
    told = [f"{category} {of_each.get(category, 0)}" for category in study.categories]
    yield f"services known: {', '.join(told)}"
    dated = str(network.meta.get("osm_date", ""))[:10]
    yield f"streets: {network.n_edges:,} edges" + (f", of {dated}" if dated else "")
    people = "none: figures are of area alone"
    if study.residents is not None:
        people = f"{study.residents.residents.sum():,.0f}"
    yield f"residents: {people}"
    walker = f"{study.profile.name}, {study.profile.speed_kmh:g} km/h"
    yield f"walker: {walker}; within {study.threshold_min:g} minutes; cells of {study.cell_m:g} m"
    asked = {
        "for": "" if study.person is None else study.person.name,
        "at": "" if study.at is None else f"{study.at:%Y-%m-%d %H:%M}",
        "on": "" if study.on is None else str(study.on),
        "valid on": "" if study.date is None else study.date.isoformat(),
    }
    if any(asked.values()):
        yield "asked: " + "; ".join(f"{word} {said}" for word, said in asked.items() if said)
    if study.private:
        yield "private: discreet places count from where they are; not to be published"
