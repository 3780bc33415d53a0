"""What a coverage and results read back have in common, and what of it may be shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyproj

from quart_heure.errors import CategoryError
from quart_heure.hints import nearest_hint
from quart_heure.labels import word
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.results.manifest import describe_run
from quart_heure.outputs.results.read import Results
from quart_heure.study.coverage import Coverage

if TYPE_CHECKING:
    import geopandas as gpd


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class AtHand:
    """Figures, whoever holds them.

    Parameters
    ----------
    found
        The coverage, or the results; for pictures as it may be shown.
    manifest
        What it was made from.
    districts
        Columns district_id, label and geometry.
    """

    found: Coverage | Results
    manifest: Mapping[str, Any]
    districts: gpd.GeoDataFrame

    @classmethod
    def of(cls, found: object, *, shown: bool = False) -> AtHand:
        """Return what is at hand; ``shown`` without what must not be.

        Raises
        ------
        TypeError
            If it is neither a coverage nor results.
        """
        if isinstance(found, Results):
            return cls(found=found, manifest=found.manifest, districts=found.districts)
        if not isinstance(found, Coverage):
            msg = f"Here is a {type(found).__name__}: give a coverage, or results read back."
            raise TypeError(msg)
        coverage = publishable(found) if shown else found
        return cls(
            found=coverage,
            manifest=describe_run(coverage),
            districts=coverage.districts,
        )

    @property
    def crs(self) -> pyproj.CRS:
        """The metric CRS of the study."""
        return pyproj.CRS.from_user_input(self.manifest["crs"])

    @property
    def cell_m(self) -> float:
        """Side of the cells."""
        return float(self.manifest["parameters"]["cell_m"])

    @property
    def threshold_min(self) -> float:
        """Minutes within which a place is covered."""
        return float(self.manifest["parameters"]["threshold_min"])

    @property
    def categories(self) -> dict[str, Mapping[str, Any]]:
        """What is known of each category of the study, by id."""
        return {one["id"]: one for one in self.manifest["categories"]}

    @property
    def attribution(self) -> str:
        """Whose data they are, in a line."""
        return " · ".join(self.manifest["attribution"])

    def category(self, wanted: str) -> str:
        """Return the id of a category, the first one for "".

        Raises
        ------
        CategoryError
            If there is none.
        """
        known = self.categories
        if not wanted:
            return next(iter(known))
        if wanted not in known:
            msg = f"The study has no category {wanted!r}."
            raise CategoryError(msg, hint=nearest_hint(wanted, known))
        return wanted

    def label(self, category: str, lang: str) -> str:
        """Return the name of a category or composite."""
        one = self.categories.get(category)
        return str(one[lang]) if one is not None else word(category, lang)

    def cells(self) -> pd.DataFrame:
        """Return the cells."""
        return self.found.cells
