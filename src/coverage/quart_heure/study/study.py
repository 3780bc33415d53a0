"""The question: what a study analyses, for whom, and by which measure."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd
import shapely

from quart_heure.analysis.anchors import anchored
from quart_heure.analysis.audience import Person
from quart_heure.analysis.gap_barriers import NamedBarriers
from quart_heure.analysis.hours import Clock, newest_source
from quart_heure.analysis.moment import (
    LONGEST_STAY_MIN,
    YEARS,
    Moment,
    local_time,
    moment_of,
)
from quart_heure.cache import Cache
from quart_heure.categories import Category, check_categories, with_essentials
from quart_heure.errors import CrsError, StudyFileError
from quart_heure.network.components import USEFUL_SHARE
from quart_heure.network.edge_doubts import doubts_in
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import SNAP_M
from quart_heure.profiles import ADULT, STEP_FREE, WalkProfile
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.background import Ground, ground_of_background, read_background
from quart_heure.sources.heights import Heights
from quart_heure.sources.hours.calendars import SchoolHolidays, departements_of, is_country
from quart_heure.sources.hours.states import STAY_MIN, Where
from quart_heure.sources.problems import problem_table
from quart_heure.sources.projecting import transformer
from quart_heure.sources.residents.residents import Residents, ResidentZones
from quart_heure.sources.residents.weights import DistrictWeights
from quart_heure.sources.services.services import STATUSES, Services
from quart_heure.study.asked import Asked, read_asked
from quart_heure.study.bounds import (
    CELL_M,
    ISOCHRONES_MIN,
    LEAST_SNAP_M,
    LONGEST_SNAP_M,
    THRESHOLD_MIN,
    check_cells,
    check_number,
    check_walks,
    longest_walk_m,
)
from quart_heure.study.given import ASKED, READ_BY, check_things, read_given
from quart_heure.study.inputs import paris_settings, read_inputs, read_places
from quart_heure.study.origin import Origin
from quart_heure.study.settings import StudySettings
from quart_heure.study.views import StudyViews

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Study"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Study(StudyViews):
    """What to analyse.

    What is asked may be given as at the command line: ``profile="slow"``, ``person="woman"``,
    ``at="2026-12-06 18:00"``, ``categories="bagagerie"``.

    Parameters
    ----------
    area, services, network, residents
        The inputs, in one metric CRS. Without residents, figures are of area alone.
    catalogue
        Known categories.
    categories
        Those to analyse, in order of presentation.
    profile
        The walker.
    person
        Who looks for a service: those that do not admit this person do not count. Nobody in
        particular by default.
    heights
        Of the ground, for slopes; all streets are level by default.
    threshold_min
        Minutes within which a place is covered.
    isochrones_min
        Minutes at which isochrones are drawn; the threshold is always one of them.
    cell_m
        Side of the cells in metres.
    snap_m
        Places further than this from every useful edge are off the network.
    min_gap_ha
        Smaller uncovered zones are no gaps.
    counted_status
        Services of these statuses count.
    weights
        A second weight per district, such as people counted in the street.
    useful_share
        Parts of the network with fewer of its nodes are attached to by nothing.
    date
        The day on which services must be valid; without one, their validity is not judged.
    background_file
        Water, parks and the like to draw under maps.
    streets_file
        Raw data or vector tiles that the streets come from: they name places, too.
    ground
        Where there is water, and what nobody walks straight across; all is land without it.
    at
        Moment at which one arrives, by the local clock: services closed then do not count. Without
        it, and without ``on``, hours play no part.
    on, between
        Day (a date, or a day of the reference week, Monday being 0) and window of it, by default
        all of it, within which one may come at any time.
    stay_min
        Minutes for which a service must stay open after one arrives.
    week
        Whether each hour of the reference week is judged too.
    week_of
        A day of the reference week; by default the newest day of a source of the services, else
        ``date``.
    country
        ISO code, for its public holidays; in France, those of the départements too.
    school
        School holidays; hours that they decide are unknown without them.
    provenance
        The inputs as the manifest lists them: role, file, sha256, date, source, licence.
    private
        Whether discreet places count from where they are, which is nobody's but the owner's to
        know. By default they are moved to the public point of their zone as the study is made
        (see `quart_heure.analysis.anchors`), and nothing of it tells where they were.
    judged
        Categories of which a place is known; those of its services are always among them. A study
        without these services that comes of this one goes on judging them: none is left, then.
    origin
        Where the study is written down, so that its results can be recomputed; None where it is
        made in a program.

    Raises
    ------
    StudyFileError
        If a number is not positive or finite, or too large to be worked through.
    CrsError
        If the inputs are not in the CRS of the area.
    CategoryError
        If a category is not in the catalogue.
    TypeError
        If something is given that is of no use there, such as a path where what it holds is wanted.
    """

    area: StudyArea
    services: Services
    network: WalkNetwork
    catalogue: Mapping[str, Category]
    categories: tuple[str, ...]
    residents: Residents | ResidentZones | None = None
    profile: WalkProfile = ADULT
    person: Person | None = None
    heights: Heights | None = None
    threshold_min: float = THRESHOLD_MIN
    isochrones_min: tuple[float, ...] = ISOCHRONES_MIN
    cell_m: float = CELL_M
    snap_m: float = SNAP_M
    min_gap_ha: float = 1.0
    counted_status: tuple[str, ...] = ("open", "unknown")
    weights: DistrictWeights | None = None
    useful_share: float = USEFUL_SHARE
    date: datetime.date | None = None
    background_file: Path | None = None
    streets_file: Path | None = None
    ground: Ground | None = None
    at: datetime.datetime | None = None
    on: datetime.date | int | None = None
    between: tuple[datetime.time, datetime.time] | None = None
    stay_min: float = STAY_MIN
    week: bool = False
    week_of: datetime.date | None = None
    country: str = "FR"
    school: SchoolHolidays | None = None
    provenance: tuple[Mapping[str, Any], ...] = ()
    private: bool = False
    judged: tuple[str, ...] = ()
    origin: Origin | None = None

    def __post_init__(self) -> None:
        """Read what is asked in words, and refuse what cannot be analysed."""
        check_things({name: getattr(self, name) for name in READ_BY})
        # Whether the week is judged stands beside its day here, which does not decide it.
        asked = {name: getattr(self, name) for name in ASKED}
        for name, value in {**read_given(asked), "week": bool(self.week)}.items():
            object.__setattr__(self, name, value)
        if isinstance(self.background_file, str):
            object.__setattr__(self, "background_file", Path(self.background_file))
        known = {*self.judged, *self.services.table["category"].astype(str)}
        object.__setattr__(self, "judged", tuple(sorted(known)))
        if not check_categories(self.categories, self.catalogue):
            msg = "The study has no category to analyse."
            raise StudyFileError(msg, hint=f"Known categories: {', '.join(self.catalogue)}.")
        check_walks(self.threshold_min, self.isochrones_min)
        check_number("snap_m", self.snap_m, least=LEAST_SNAP_M, most=LONGEST_SNAP_M, unit="metres")
        if not self.counted_status:
            msg = "counted_status is empty: no service would count."
            raise StudyFileError(msg, hint=f"Name some of {', '.join(STATUSES)}.")
        check_number("min_gap_ha", self.min_gap_ha)
        check_cells(self.area, self.cell_m)
        self._check_hours()
        if not 0 <= self.useful_share <= 1:
            msg = f"useful_share is {self.useful_share}, which is not a share."
            raise StudyFileError(msg, hint="Give a number between 0 and 1, such as 0.01.")
        layers = {"network": self.network.crs, "services": self.services.table.crs}
        if self.residents is not None:
            layers["residents"] = self.residents.crs
        for name, crs in layers.items():
            if crs != self.area.crs:
                msg = f"The {name} are in {crs}, the area in {self.area.crs.to_string()}."
                raise CrsError(msg, hint="Reproject them to the CRS of the area.")
        self._hide_places()

    def _hide_places(self) -> None:
        services = self.services
        if not self.private:
            if holds_discreet(services):
                # Its hash confirms a guess to whom the rest of the file is known.
                told = tuple(
                    {**one, "sha256": ""} if one["role"] == "services" else one
                    for one in self.provenance
                )
                object.__setattr__(self, "provenance", told)
            services = anchored(services, self.network, self.residents, self.area)
            object.__setattr__(self, "services", services)
        elif services.anchored or services.unanchored:
            msg = "Discreet places of these services were moved to public points already."
            raise StudyFileError(msg, hint="Read the study anew, with private=True.")

    def _check_hours(self) -> None:
        if not 0 <= self.stay_min <= LONGEST_STAY_MIN:
            msg = f"stay_min is {self.stay_min}, which is not a number of minutes of a day."
            raise StudyFileError(msg, hint="A stay is 0 minutes or more.")
        for name, day in (("at", self.at), ("on", self.on), ("week_of", self.week_of)):
            if isinstance(day, datetime.date) and day.year not in YEARS:
                msg = f"{name} is of the year {day.year}."
                raise StudyFileError(msg, hint=f"Years are {YEARS[0]} to {YEARS[-1]}.")
        if not is_country(self.country):
            msg = f"country is {self.country!r}, whose holidays are not known."
            raise StudyFileError(msg, hint="Give its ISO code, such as FR.")
        if self.at is not None and (self.on is not None or self.between is not None):
            msg = "A study asks about a moment (at) or about a day (on), not about both."
            raise StudyFileError(msg, hint="Leave one of them out.")
        if self.between is not None and self.on is None:
            msg = "between gives the hours of no day."
            raise StudyFileError(msg, hint="Give the day as on: a date, or a day of the week.")
        _ = self.moment, self.week and self.reference_day

    @classmethod
    def paris(cls, *, cache: Cache | None = None, **asked: Unpack[Asked]) -> Study:
        """Return the packaged study of Paris, all categories, of which something may be asked.

        Parameters
        ----------
        cache
            Keeps the network for the next run.
        asked
            Fields of a study that say what is asked, such as ``threshold_min=10`` or
            ``profile="slow"``.
        """
        return cls.from_settings(paris_settings(), cache=cache, **asked)

    @classmethod
    def from_settings(
        cls,
        settings: StudySettings,
        *,
        cache: Cache | None = None,
        today: datetime.date | None = None,
        walks_m: float = 0.0,
        **asked: Unpack[Asked],
    ) -> Study:
        """Read what the settings of a study name, and put it together.

        Parameters
        ----------
        settings
            The study as it is written down.
        cache
            Keeps the network for the next run.
        today
            The day on which services must be valid, where nobody gives one.
        walks_m
            Length of the longest walk that will be asked of it, where that is longer than its own.
        asked
            What prevails over the settings.

        Raises
        ------
        InputFileError
            If a file is missing or unreadable.
        StudyFileError
            If something is asked that cannot be.
        """
        fields = read_asked(
            settings.analysis,
            asked,
            where=settings.where,
            walkers=settings.walkers,
            persons=settings.persons,
            today=today,
        )
        if settings.services.counted_status is not None:
            fields.setdefault("counted_status", settings.services.counted_status)
        inputs = read_inputs(settings, fields, cache or Cache(None), walks_m=walks_m)
        essentials = asked.get("essentials", settings.analysis.get("essentials"))
        if essentials is not None:
            catalogue = with_essentials(inputs.catalogue, essentials)
            inputs = dataclasses.replace(inputs, catalogue=catalogue)
        fields.setdefault("categories", inputs.usual_categories)
        return cls(
            area=inputs.area,
            services=inputs.services,
            network=inputs.network,
            residents=inputs.residents,
            weights=inputs.weights,
            heights=inputs.heights,
            catalogue=inputs.catalogue,
            background_file=inputs.background_file,
            streets_file=inputs.streets_file,
            ground=inputs.ground,
            school=inputs.school,
            provenance=inputs.provenance,
            origin=Origin.of(settings),
            **fields,
        )

    def background(self) -> gpd.GeoDataFrame | None:
        """Read what maps draw under the figures, in the CRS of the area; None without a file."""
        if self.background_file is None:
            return None
        return read_background(self.background_file, crs=self.area.crs)

    def named_places(self) -> gpd.GeoDataFrame | None:
        """Read the places that people search a map by, from what the streets come from.

        Returns
        -------
        GeoDataFrame or None
            kind, name and geometry (points) in the CRS of the area; None where streets are no raw
            data and no tiles.
        """
        return None if self.streets_file is None else read_places(self.streets_file, self.area)

    def named_barriers(self) -> NamedBarriers | None:
        """Return what nobody walks straight across, by name or kind; None where no layer tells."""
        ground = self.ground
        if ground is not None and ground.words:
            return NamedBarriers(shapes=ground.barriers, words=ground.words)
        background = self.background()
        if background is not None:
            told = ground_of_background(background, source="")
            return NamedBarriers(shapes=told.barriers, words=told.words)
        if ground is None:
            return None
        # Raw data tell which shapes are water, not which of the others is what.
        water = ground.water
        return NamedBarriers(shapes=water, words=["water"] * len(water))

    def replace(self, **changes: Any) -> Study:
        """Return the same study with some fields changed, given as to `Study`.

        Who asks for a week by one of its days wants it judged, and who asks for somebody in a
        wheelchair does not want stairs taken: as at the command line.
        """
        read = read_given({name: changes[name] for name in ASKED if name in changes})
        changes = {**changes, **read, **({"week": changes["week"]} if "week" in changes else {})}
        person = changes.get("person")
        if person is not None and person.wheelchair and "profile" not in changes:
            changes |= {"profile": STEP_FREE} if self.profile.steps_allowed else {}
        return dataclasses.replace(self, **changes)

    @property
    def problems(self) -> pd.DataFrame:
        """What is wrong with the inputs, as far as they themselves show it."""
        rows = [*self.area.problems]
        rows += getattr(self.residents, "problems", ())
        rows += () if self.weights is None else self.weights.problems
        rows += doubts_in(self.network.meta)
        if self.services.table.empty:
            about = {"file": "", "row": None, "field": "services", "value": "0"}
            reason, action = "no service is known", "no category is judged"
            rows.append({**about, "reason": reason, "action": action})
        tables = [problem_table(rows), self.services.problems]
        return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)

    @property
    def reach_m(self) -> float:
        """Metres walked within the threshold."""
        return self.profile.speed_m_per_min * self.threshold_min

    @property
    def margin_m(self) -> float:
        """Metres around the area from which a service may count: `longest_walk_m`."""
        return longest_walk_m(
            self.profile,
            threshold_min=self.threshold_min,
            isochrones_min=self.isochrones_min,
            hilly=self.heights is not None,
        )

    @property
    def reference_day(self) -> datetime.date:
        """A day of the week that days of the week are taken from."""
        day = self.week_of or newest_source(self.services.table) or self.date
        if day is None:
            msg = "There is no week to take the day from: no source of the services has a date."
            raise StudyFileError(msg, hint="Give a day of it as week_of, such as 2026-12-07.")
        return day

    @property
    def tells_hours(self) -> bool:
        """Whether a service that could count states hours that may be told."""
        table = self.services.table
        if "opening_hours" not in table:
            return False
        counts = table["category"].isin(self.categories)
        counts &= table["status"].isin(self.counted_status) & ~table["discreet"].astype(bool)
        return bool((table.loc[counts, "opening_hours"] != "").any())

    @property
    def moment(self) -> Moment | None:
        """The moment or window that the study asks about, None if hours play no part."""
        if self.at is not None:
            return Moment(local_time(self.at, self.clock.where.zone))
        if self.on is None:
            return None
        day = self.on
        if not isinstance(day, datetime.date):
            monday = self.reference_day - datetime.timedelta(days=self.reference_day.weekday())
            day = monday + datetime.timedelta(days=day)
        return moment_of(day, self.between, stay_min=self.stay_min)

    @property
    def has_ranges(self) -> bool:
        """Whether figures are ranges: a moment or a person is asked about, and not all is known."""
        return self.moment is not None or self.person is not None

    @property
    def clock(self) -> Clock:
        """How hours are read where the area is."""
        centre = shapely.get_coordinates(shapely.centroid(self.area.geometry))[0]
        to_degrees = transformer(self.area.crs, 4326)
        lon, lat = to_degrees.transform(*centre)
        where = Where(
            country=self.country,
            departements=departements_of(self.area.districts["district_id"], (lat, lon)),
            school=self.school,
            coords=(lat, lon),
        )
        return Clock(where=where, stay_min=self.stay_min)

    @property
    def drawn_min(self) -> tuple[float, ...]:
        """Minutes at which isochrones are drawn, the threshold among them, ascending."""
        return tuple(sorted({*self.isochrones_min, self.threshold_min}))

    @property
    def essentials(self) -> tuple[str, ...]:
        """The categories of the study that are essential, and of which a place is known."""
        essential = [c for c in self.categories if self.catalogue[c].essential]
        return tuple(c for c in essential if c in self.judged)

    @property
    def unjudged(self) -> tuple[str, ...]:
        """The categories without any known place: where there is none, nobody knows."""
        return tuple(c for c in self.categories if c not in self.judged)


def holds_discreet(services: Services) -> bool:
    """Tell whether a discreet place is among services, known where or not."""
    return bool(
        services.table["discreet"].any()
        or services.unanchored
        or services.unplaced["discreet"].astype(bool).any()
    )
