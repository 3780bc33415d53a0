"""What changed between two runs: figures, gaps, services, inputs, definitions, and by cause."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from quart_heure.cache import Cache
from quart_heure.errors import InputFileError
from quart_heure.files import AnyPath
from quart_heure.outputs.results.manifest import read_manifest
from quart_heure.outputs.results.read import read_table
from quart_heure.outputs.runs.causes import Cause, by_cause
from quart_heure.outputs.runs.figures import KEYS, MEASURES, figures_of
from quart_heure.outputs.runs.gaps import match_gaps
from quart_heure.outputs.runs.rerun import AtHand, inputs_at_hand
from quart_heure.study.definition_changes import changes_between

__all__ = ["Comparison", "compare_runs"]


_NEEDED = {
    "indicators": ("indicators.csv", (*KEYS[:3], "label", *MEASURES)),
    "gaps": (
        "gaps.parquet",
        (*("gap_id", "category", "district_id", "street", "area_ha", "residents"), "geometry"),
    ),
    "services": (
        "services.parquet",
        ("service_id", "category", "name", "district_id", "counted"),
    ),
}
"""Tables that are compared: their files, and the columns that are enough."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What a comparison reads of a folder of results.

    Parameters
    ----------
    directory, manifest
        Where it is, and what it was made from.
    indicators, gaps, services
        Its tables, as in `quart_heure.outputs.results.read.Results`.
    """

    directory: Path
    manifest: Mapping[str, Any]
    indicators: pd.DataFrame
    gaps: gpd.GeoDataFrame
    services: gpd.GeoDataFrame

    @classmethod
    def read(cls, directory: AnyPath) -> Run:
        """Read a folder of results: those tables alone, so that folders of before are read too.

        Raises
        ------
        InputFileError
            If it is not one, or a table is damaged, changed by hand or of another version.
        """
        directory = Path(directory)
        manifest = read_manifest(directory)
        return cls(
            directory=directory,
            manifest=manifest,
            **{
                table: read_table(directory / file, table, manifest, needed=columns)
                for table, (file, columns) in _NEEDED.items()
            },
        )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What changed from an earlier run to a later one.

    Parameters
    ----------
    earlier, later
        The manifests.
    figures
        ``KEYS``, ``label``, ``before``, ``after``, ``change``; changes are in the unit of the
        measure, percentage points for shares.
    causes
        ``KEYS``, ``cause``, ``change``: the causes of a figure add up to its change. Empty where
        nobody asked by cause.
    about
        What is known of each cause.
    gaps
        See `match_gaps`.
    services
        Services that are new or gone: ``change`` (added, removed, counted, left_out), and their
        ``service_id``, ``category``, ``name``, ``district_id``.
    definitions
        Changes of definitions between the two programs: ``date``, ``fr``, ``en``.
    lost
        Inputs of the earlier and of the later run that are gone or another.
    """

    earlier: Mapping[str, Any]
    later: Mapping[str, Any]
    figures: pd.DataFrame
    causes: pd.DataFrame
    about: tuple[Cause, ...]
    gaps: gpd.GeoDataFrame
    services: pd.DataFrame
    definitions: list[dict[str, str]]
    lost: tuple[list[str], list[str]]


def compare_runs(
    earlier: Run,
    later: Run,
    *,
    studies: tuple[Path | None, Path | None] = (None, None),
    causes: bool = True,
    cache: Cache | None = None,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Compare two runs of one place.

    Parameters
    ----------
    earlier, later
        The runs.
    studies
        The study file of each, where it is no longer where the manifest says.
    causes
        Whether changes are split by cause, which recomputes up to seven analyses.
    cache, progress
        As in `quart_heure.study.line.analyse`.

    Raises
    ------
    InputFileError
        If the runs cannot be compared; the message says why.
    """
    check_comparable(earlier, later)
    districts = _shared(earlier.indicators, later.indicators)
    before, after = (
        _only(figures_of(run.indicators), districts, shared_categories(earlier, later))
        for run in (earlier, later)
    )
    hands = [
        inputs_at_hand(run.manifest, run.directory, study)
        for run, study in zip((earlier, later), studies, strict=True)
    ]
    table = pd.DataFrame(columns=[*KEYS, "cause", "change"])
    about: tuple[Cause, ...] = ()
    if causes:
        pair: tuple[AtHand, AtHand] = (hands[0], hands[1])
        with kept(cache) as store:
            table, about = by_cause((before, after), pair, cache=store, progress=progress)
        if hides_places(earlier.manifest) or hides_places(later.manifest):
            # Streets or walkers of one run with the services of another were never published: of
            # small parts they might place what is hidden.
            table = table[table["level"] == "city"].reset_index(drop=True)
    categories = [one["id"] for one in later.manifest["categories"]]
    return Comparison(
        earlier=earlier.manifest,
        later=later.manifest,
        figures=_figures(before, after, later.indicators),
        causes=table,
        about=about,
        gaps=_in_order(match_gaps(earlier.gaps, later.gaps), categories),
        services=changed_services(
            earlier.services, later.services, hides=hides_places(later.manifest)
        ),
        definitions=changes_between(earlier.manifest, later.manifest),
        lost=(hands[0].lost, hands[1].lost),
    )


def check_comparable(earlier: Run, later: Run) -> None:
    """Refuse two runs whose figures are not of one thing.

    Raises
    ------
    InputFileError
        If they share no district or no category, or measure in different coordinate systems.
    """
    one, other = earlier.directory, later.directory
    places = earlier.manifest["area"], later.manifest["area"]
    if not _shared(earlier.indicators, later.indicators):
        msg = (
            f"{one} and {other} cannot be compared: {places[0]} and {places[1]} share no district."
        )
        raise InputFileError(msg, hint="Compare runs of one place, by the same districts.")
    private = [bool(one.manifest["parameters"].get("private")) for one in (earlier, later)]
    if private[0] != private[1]:
        inner = (one, other)[private.index(True)]
        msg = f"{one} and {other} cannot be compared: {inner} is an internal document (--private)."
        hint = "What differs would tell where discreet places are. Compare two runs of one kind."
        raise InputFileError(msg, hint=hint)
    crs = earlier.manifest["parameters"].get("crs"), later.manifest["parameters"].get("crs")
    if crs[0] != crs[1]:
        msg = f"{one} and {other} cannot be compared: they measure in {crs[0]} and {crs[1]}."
        raise InputFileError(msg, hint="Analyse both in one coordinate system.")
    if not shared_categories(earlier, later):
        msg = f"{one} and {other} cannot be compared: they have no category in common."
        raise InputFileError(msg, hint="Analyse the same categories in both.")


def shared_categories(earlier: Run, later: Run) -> list[str]:
    """Return the categories and composites that both runs have, as the later one orders them."""
    known = set(earlier.indicators["category"])
    return [each for each in dict.fromkeys(later.indicators["category"]) if each in known]


def changed_services(
    earlier: pd.DataFrame, later: pd.DataFrame, *, hides: bool = False
) -> pd.DataFrame:
    """Return the services that one run has and the other has not, or that one counts alone.

    Parameters
    ----------
    earlier, later
        Services as published.
    hides
        Whether the later run withholds discreet places: a place that is shown no longer may be
        one of them, and is told without its name.
    """
    about = ["category", "name", "district_id", "counted"]
    one, other = (
        pd.DataFrame(table.drop(columns="geometry", errors="ignore")).set_index("service_id")[about]
        for table in (earlier, later)
    )
    both = one.index.intersection(other.index, sort=False)
    kinds = {
        "added": other.loc[~other.index.isin(one.index)],
        "removed": one.loc[~one.index.isin(other.index)],
        "counted": other.loc[both][~one.loc[both, "counted"] & other.loc[both, "counted"]],
        "left_out": other.loc[both][one.loc[both, "counted"] & ~other.loc[both, "counted"]],
    }
    rows = [table.reset_index().assign(change=kind) for kind, table in kinds.items()]
    columns = ["change", "service_id", *about]
    changed: pd.DataFrame = pd.concat(rows, ignore_index=True)[columns]
    if hides:
        # One that is no longer shown may have become discreet: that it went is all that is told.
        gone = changed["change"] == "removed"
        changed.loc[gone, ["service_id", "name", "district_id"]] = ""
    return changed


@contextlib.contextmanager
def kept(cache: Cache | None) -> Iterator[Cache]:
    """Give the cache; one for this work alone where nothing is to be kept."""
    if cache is not None and cache.folder is not None:
        yield cache
        return
    with tempfile.TemporaryDirectory(prefix="quart-heure-") as folder:
        yield Cache(Path(folder))


def hides_places(manifest: Mapping[str, Any]) -> bool:
    """Tell whether a run withholds discreet places."""
    return int(manifest.get("withheld", {}).get("services", 0)) > 0


def _figures(before: pd.DataFrame, after: pd.DataFrame, indicators: pd.DataFrame) -> pd.DataFrame:
    both = after.merge(before, on=list(KEYS), suffixes=("_after", "_before"))
    labels = dict(zip(indicators["district_id"], indicators["label"], strict=True))
    figures = both.assign(
        label=both["district_id"].map(labels),
        before=both["value_before"],
        after=both["value_after"],
        change=(both["value_after"] - both["value_before"]).round(4) + 0.0,
    )
    told: pd.DataFrame = figures[[*KEYS, "label", "before", "after", "change"]]
    return told


def _only(figures: pd.DataFrame, districts: list[str], categories: list[str]) -> pd.DataFrame:
    here = figures["district_id"].isin([*districts, ""]) & figures["category"].isin(categories)
    return figures[here].reset_index(drop=True)


def _shared(earlier: pd.DataFrame, later: pd.DataFrame) -> list[str]:
    ids = set(earlier["district_id"]) - {""}
    return [each for each in dict.fromkeys(later["district_id"]) if each in ids]


def _in_order(gaps: gpd.GeoDataFrame, categories: list[str]) -> gpd.GeoDataFrame:
    rank = {name: at for at, name in enumerate(categories)}
    order = gaps["category"].map(lambda name: rank.get(name, len(rank)))
    return gaps.loc[order.sort_values(kind="stable").index].reset_index(drop=True)
