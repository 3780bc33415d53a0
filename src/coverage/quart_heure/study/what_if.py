"""What if: who gains and who loses in a scenario, against what a coverage found.

A change of services is answered from what the base keeps: only the categories that it touches are
searched again, and neither streets nor cells are worked out anew. The answers are those of a whole
analysis of the changed study, bit for bit.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.answers import (
    COMPOSITES,
    Answer,
    composite_answers,
    search_answers,
)
from quart_heure.analysis.gap_tables import gap_tables
from quart_heure.analysis.placement import place_services
from quart_heure.analysis.shares import percent
from quart_heure.cache import Cache
from quart_heure.errors import StudyFileError
from quart_heure.network.snapping import Attachment
from quart_heure.study.asked import read_asked
from quart_heure.study.changed import changed_study
from quart_heure.study.changed_streets import changed_network
from quart_heure.study.coverage import Coverage
from quart_heure.study.line import analyse
from quart_heure.study.prepared import fits
from quart_heure.study.scenario import Scenario
from quart_heure.study.scenario_places import Note, check_placed, notes_of
from quart_heure.study.study import Study

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.study.asked import Asked

__all__ = ["Outcome", "change_table", "what_if"]

CHANGE_COLUMNS = (
    *("scenario", "level", "district_id", "label", "category"),
    *("ha_gained", "ha_lost", "ha_covered_before", "ha_covered_after"),
    *("residents_gained", "residents_lost", "residents_covered_before", "residents_covered_after"),
    *("residents_covered_pct_before", "residents_covered_pct_after"),
)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What a scenario changes.

    Parameters
    ----------
    scenario
        What would be otherwise.
    base
        What it is held against.
    study
        The study as it would be.
    answers
        As those of `base`, with the services of `services`.
    services
        All services as they would be placed, discreet ones too.
    touched
        Categories that were searched again.
    notes
        What of it changes no figure, and why.
    """

    scenario: Scenario
    base: Coverage
    study: Study
    answers: dict[str, Answer]
    services: gpd.GeoDataFrame
    touched: tuple[str, ...]
    notes: tuple[Note, ...] = ()

    @functools.cached_property
    def coverage(self) -> Coverage:
        """The whole analysis of the study as it would be: isochrones, gaps and all tables."""
        prepared = self.base.prepared if fits(self.study, self.base.study) else None
        return analyse(self.study, prepared=prepared)

    @functools.cached_property
    def changes(self) -> pd.DataFrame:
        """Who gains and who loses cover, per category or composite and district.

        Columns `CHANGE_COLUMNS`. Residents are NaN where they are not known; shares are of those
        on the network.
        """
        basis = self.base.basis
        districts, rows = basis.districts, basis.districts.rows()
        inside, folk = basis.cells.inside, basis.people
        on_folk: dict[str, NDArray[np.float64]] = {}
        if folk is not None:
            # Another walker may find other cells on the network.
            on_folk["before"] = districts.sums(basis.on_network, folk)
            on_folk["after"] = on_folk["before"]
            if "coverage" in self.__dict__:
                on_folk["after"] = districts.sums(self.coverage.basis.on_network, folk)
        tables = []
        for category, after in self.answers.items():
            before = self.base.answers[category].covered & inside
            now = after.covered & inside
            columns: dict[str, NDArray[Any]] = {}
            for name, where in (
                ("gained", now & ~before),
                ("lost", before & ~now),
                ("covered_before", before),
                ("covered_after", now),
            ):
                columns[f"ha_{name}"] = districts.sums(where) * basis.cells.cell_ha
                columns[f"residents_{name}"] = (
                    np.full(len(rows), np.nan) if folk is None else districts.sums(where, folk)
                )
            for name in ("before", "after"):
                covered = columns[f"residents_covered_{name}"]
                columns[f"residents_covered_pct_{name}"] = (
                    covered if folk is None else percent(covered, on_folk[name])
                )
            columns["category"] = np.full(len(rows), category, dtype=object)
            tables.append({name: values[rows] for name, values in columns.items()})
        whole: dict[str, Any] = {
            name: np.concatenate([table[name] for table in tables]) for name in tables[0]
        }
        shown = districts.names[rows]
        for name in districts.names.columns:
            whole[name] = np.tile(shown[name].to_numpy(dtype=object), len(tables))
        return pd.DataFrame({"scenario": self.scenario.name, **whole})[list(CHANGE_COLUMNS)]

    @functools.cached_property
    def gaps(self) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
        """Gaps before and after, of the categories and composites of which some cell changed.

        They are found when they are asked for: the rest is answered without them.
        """
        moved = [
            name
            for name, after in self.answers.items()
            if "coverage" in self.__dict__
            or not np.array_equal(after.covered, self.base.answers[name].covered)
        ]
        if "coverage" in self.__dict__:
            later = self.coverage.gaps
        elif not moved:
            later = self.base.gaps
        else:
            # What is missing in a gap of a composite is told by the essentials.
            parts = self.study.essentials if set(moved) & {*COMPOSITES} else ()
            wanted = [name for name in self.answers if name in moved or name in parts]
            later, _ = gap_tables(
                {name: self.answers[name] for name in wanted},
                self.base.basis.cells,
                area=self.study.area,
                network=self.study.network,
                services=self.services,
                residents=self.base.basis.people,
                certainty=None,
                min_gap_ha=self.study.min_gap_ha,
                would=self.services["counted"].to_numpy(dtype=bool),
                essentials=self.study.essentials,
                reach_m=self.study.reach_m,
                barriers=self.study.named_barriers,
            )
        before, after = (
            table[table["category"].isin(moved)].reset_index(drop=True)
            for table in (self.base.gaps, later)
        )
        return before, after


def what_if(
    base: Coverage,
    scenarios: Sequence[Scenario],
    *,
    progress: Callable[[str], None] | None = None,
) -> list[Outcome]:
    """Tell what each of some scenarios would change.

    Parameters
    ----------
    base
        What they are held against, with its discreet places: see
        `quart_heure.outputs.discretion.publishable` for what may be shown of it.
    progress
        As in `quart_heure.study.line.analyse`.

    Raises
    ------
    StudyFileError
        If a service is unknown or its name that of several, if a place is off the streets, or if
        something cannot be.
    """
    if base.published:
        msg = "Discreet places were taken out of this coverage: nothing can be asked of it."
        raise StudyFileError(msg, hint="Analyse the study, and publish what comes of it.")
    say = progress or (lambda _: None)
    names = [scenario.name for scenario in scenarios]
    if not names or len(set(names)) < len(names):
        msg = "There is no scenario, or two have one name."
        raise StudyFileError(msg, hint="Give each a name of its own.")
    found = []
    for scenario in scenarios:
        say(scenario.name)
        found.append(_outcome(base, scenario))
    return found


def change_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return what several scenarios change, one below the other: columns `CHANGE_COLUMNS`."""
    return pd.concat([one.changes for one in outcomes], ignore_index=True)


def _outcome(base: Coverage, scenario: Scenario) -> Outcome:
    study = _asked(changed_study(base.study, scenario), scenario)
    if scenario.changes_streets:
        study = study.replace(network=changed_network(base, scenario))
        return _whole(base, scenario, study)
    plain = study.moment is None and study.person is None and not study.has_ranges
    if scenario.changes_question or not plain:
        return _whole(base, scenario, study)
    if study is base.study:
        services, attachment = base.services, base.attachment
    else:
        services, attachment = _placed(base, study)
    check_placed(base, services, scenario)
    counted = services["counted"].to_numpy(dtype=bool)
    parts, before = base.prepared.parts, base.services["counted"].to_numpy(dtype=bool)
    if not np.array_equal(
        parts.unserved(attachment[counted].edge), parts.unserved(base.attachment[before].edge)
    ):
        # Cells enter the streets otherwise once a part of these has its first service, or none.
        return _whole(base, scenario, study)
    touched = _touched(base.services, services)
    answers = _answers(base, study, services, attachment, touched)
    return Outcome(
        scenario=scenario,
        base=base,
        study=study,
        answers=answers,
        services=services,
        touched=touched,
        notes=notes_of(base, services, scenario),
    )


def _placed(base: Coverage, study: Study) -> tuple[gpd.GeoDataFrame, Attachment]:
    """Place the services that are new or stand elsewhere; the others stay where they enter."""
    old = base.services
    table = study.services.table
    here = table["category"].isin(list(study.categories))
    table = table[here].sort_values("service_id", kind="stable", ignore_index=True)
    place = {name: at for at, name in enumerate(old["service_id"])}
    was = np.array([place.get(name, -1) for name in table["service_id"]], dtype=np.intp)
    before, now = old.geometry.to_numpy(), table.geometry.to_numpy()
    stays = was >= 0
    stays[stays] = shapely.equals_identical(before[was[stays]], now[stays])
    fresh, fresh_at = place_services(
        table[~stays],
        study.area,
        study.network,
        usable=base.prepared.usable,
        snap_m=study.snap_m,
        margin_m=study.margin_m,
        categories=study.categories,
        counted_status=study.counted_status,
        ground=study.ground,
        on=study.date,
    )
    for name in (column for column in fresh.columns if column not in table.columns):
        values = np.empty(len(table), dtype=fresh[name].to_numpy().dtype)
        values[stays] = old[name].to_numpy()[was[stays]]
        values[~stays] = fresh[name].to_numpy()
        table[name] = values
    attachment = Attachment.none(len(table))
    attachment = attachment.updated(np.flatnonzero(stays), base.attachment[was[stays]])
    return table, attachment.updated(np.flatnonzero(~stays), fresh_at)


def _asked(study: Study, scenario: Scenario) -> Study:
    """Return the study with the question of a scenario."""
    asked: Asked = {}
    if scenario.profile is not None:
        asked["profile"] = scenario.profile
    if scenario.at is not None:
        asked["at"] = scenario.at
    fields = dict(read_asked({}, asked, where=f"scenario {scenario.name!r}"))
    changes = {name: fields[name] for name in asked}
    if scenario.threshold_min is not None:
        changes["threshold_min"] = float(scenario.threshold_min)
    return study.replace(**changes) if changes else study


def _whole(base: Coverage, scenario: Scenario, study: Study) -> Outcome:
    """Answer by a whole analysis: it keeps what it can."""
    prepared = base.prepared if fits(study, base.study) else None
    coverage = analyse(study, prepared=prepared)
    check_placed(base, coverage.services, scenario)
    outcome = Outcome(
        scenario=scenario,
        base=base,
        study=study,
        answers=dict(coverage.answers),
        services=coverage.services,
        touched=study.categories,
        notes=notes_of(base, coverage.services, scenario),
    )
    # It is what the property would compute.
    outcome.__dict__["coverage"] = coverage
    return outcome


def _answers(
    base: Coverage,
    study: Study,
    services: gpd.GeoDataFrame,
    attachment: Attachment,
    touched: tuple[str, ...],
) -> dict[str, Answer]:
    """Search the categories that are touched, and renumber the services of the others."""
    cells, graph = base.basis.cells, base.prepared.graph
    counted = services["counted"].to_numpy(dtype=bool)
    searched = search_answers(
        cells,
        graph,
        services,
        attachment,
        categories=touched,
        would=counted,
        sure=counted,
        reach_m=study.reach_m,
        threshold_min=study.threshold_min,
        cache=Cache(None),
        searched=lambda groups: [base.basis.doors.times(group) for group in groups],
    )
    place = {name: at for at, name in enumerate(services["service_id"])}
    renumber = np.array(
        [*(place.get(name, -1) for name in base.services["service_id"]), -1], dtype=np.int32
    )
    same = np.array_equal(renumber[:-1], np.arange(len(renumber) - 1))
    by_category = {}
    for category in study.categories:
        kept = base.answers[category]
        if category in searched:
            by_category[category] = searched[category]
        elif same:
            by_category[category] = kept
        else:
            by_category[category] = dataclasses.replace(kept, nearest=renumber[kept.nearest])
    essentials = [by_category[category] for category in study.essentials]
    if same and not any(category in study.essentials for category in touched):
        combined = {n: one for n, one in base.answers.items() if n not in by_category}
    else:
        combined = composite_answers(cells, essentials, threshold_min=study.threshold_min)
    return by_category | combined


def _touched(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> tuple[str, ...]:
    """Return the categories of which services that count came, went or stand elsewhere."""
    placed = []
    for table in (before, after):
        counted = table["counted"].to_numpy(dtype=bool)
        x, y = shapely.get_coordinates(table.geometry.to_numpy()[counted]).reshape(-1, 2).T
        names = (table[n].to_numpy(dtype=object)[counted] for n in ("category", "service_id"))
        placed.append(set(zip(*names, x.tolist(), y.tolist(), strict=True)))
    return tuple(sorted({one[0] for one in placed[0] ^ placed[1]}))
