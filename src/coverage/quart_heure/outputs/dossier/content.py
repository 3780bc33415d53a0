"""What a dossier says: the figures of the report, ranked and set against the city.

The figures are those of `report_content`; nothing is computed twice.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.labels import (
    district_label,
    district_word,
    format_number,
    format_pct,
    format_plain,
    ordinal,
    phrase,
    word,
)
from quart_heure.outputs.barrier_words import barrier_words
from quart_heure.outputs.discretion import anchored_counts, nearest_name
from quart_heure.outputs.dossier.lead import leads
from quart_heure.outputs.dossier.next import next_lines
from quart_heure.outputs.dossier.ranks import Rank, ranks
from quart_heure.outputs.dossier.services import (
    ServiceRows,
    rows_of,
    service_rows,
    walks_to_services,
)
from quart_heure.outputs.dossier.structure import (
    DossierContent,
    FigureLine,
    GapLine,
    Share,
    WithinLine,
)
from quart_heure.outputs.dossier.unknown import lost_lines, unknown_lines
from quart_heure.outputs.dossier.week import Week, week_of
from quart_heure.outputs.dossier.words import Words, short
from quart_heure.outputs.doubts import doubt_words, ends_words, weakest
from quart_heure.outputs.fact_ages import ages_by_district, confirmed_alone
from quart_heure.outputs.proposals.proposal import Proposal
from quart_heure.outputs.report.content import report_content
from quart_heure.outputs.report.structure import Category, District
from quart_heure.outputs.results.rows import Row, people_on_network

if TYPE_CHECKING:
    from quart_heure.outputs.runs.compare import Run
    from quart_heure.study.coverage import Coverage


_MOVED_POINTS, _MOST_MOVED = 0.05, 3
"""Shares that have moved less read alike; paper has room for so many of the others."""

_NAME, _HEADING, _PLACE = 90, 24, 60


class Dossiers:
    """What all dossiers of a coverage draw on, prepared once.

    Parameters
    ----------
    coverage
        A published coverage.
    lang
        ``fr`` or ``en``.
    since
        An earlier run to compare with.
    proposals
        Those to show with it.
    """

    def __init__(
        self,
        coverage: Coverage,
        *,
        lang: str,
        since: Run | None = None,
        proposals: Sequence[Proposal] = (),
    ) -> None:
        self.coverage = coverage
        self.lang = lang
        self.say = Words(lang)
        self.proposals = proposals
        self.report = report_content(coverage, lang=lang, since=since, proposals=proposals)
        known = set(coverage.study.area.districts["district_id"])
        self.districts: dict[str, District] = {
            district["district_id"]: district
            for district in self.report["districts"]
            if district["district_id"] in known
        }
        self.by_people = coverage.study.residents is not None
        self.share = "residents_covered_pct" if self.by_people else "covered_pct"
        self.categories = [c for c in self.report["categories"] if not c["composite"]]
        self.names = {c["id"]: short(c["label"], _NAME) for c in self.report["categories"]}
        self.city = {row["category"]: row for row in self.report["city"]}
        self.area = short(self.report["area"], _NAME)
        self.area_heading = short(self.report["area"], _HEADING)
        self.unit = district_word([d["label"] for d in self.districts.values()], lang)
        self.threshold = format_plain(coverage.study.threshold_min, lang)
        hidden = anchored_counts(coverage.manifest)
        self.anchored = {c["id"]: hidden[c["id"]] for c in self.categories if c["id"] in hidden}
        self._headlines: dict[str, dict[str, Share]] = {}
        self._services = rows_of(coverage.services)
        self._walks: dict[str, dict[str, Row]] = {key: {} for key in self.districts}
        for row in rows_of(walks_to_services(coverage)):
            self._walks.setdefault(row["district_id"], {})[row["service_id"]] = row
        self._ages = ages_by_district(coverage.freshness)
        self._lost = lost_lines(coverage, self.say)
        self.ages = {line["category"]: line for line in self.report["facts"]["lines"]}

    @functools.cached_property
    def ranked(self) -> dict[str, dict[str, Rank]]:
        """Ranks of the districts by category, and by ``all`` and ``none`` of the essentials."""
        found = {
            category["id"]: ranks(
                {key: self.row(key, category["id"])[self.share] for key in self.districts}
            )
            for category in self.report["categories"]
        }
        for name, at in (("all", -1), ("none", 0)):
            if self.report["composite"]:
                found[name] = ranks(
                    {key: self._within(key)[at][0] for key in self.districts},
                    least_first=name == "none",
                )
        return found

    def row(self, district_id: str, category: str) -> Row:
        """Return the indicators of a district for a category."""
        rows = self.districts[district_id]["indicators"]
        return next(row for row in rows if row["category"] == category)

    def _since(self, district_id: str) -> str:
        """Say which shares of a district have moved most since an earlier run; empty without."""
        since = self.report["since"]
        if since is None:
            return ""
        here = [row for row in since["rows"] if row["district_id"] == district_id]
        moved = [row for row in here if abs(row["change_points"]) >= _MOVED_POINTS]
        moved.sort(key=lambda row: -abs(row["change_points"]))
        if not moved:
            return self.say("since_same", since=since["title"])
        told = [
            self.say(
                "since_one",
                category=self.names[row["category"]],
                before=format_number(row["before_pct"], self.lang, 1),
                after=format_pct(row["after_pct"], self.lang),
            )
            for row in moved[:_MOST_MOVED]
        ]
        key = "since" if self.by_people else "since_area"
        return self.say(key, since=since["title"], figures=" ; ".join(told))

    def title(self, district_id: str) -> str:
        """Return the name of a district for a heading."""
        return short(district_label(self.districts[district_id]["label"], self.lang), _NAME)

    def label(self, district_id: str) -> str:
        """Return the short name of a district."""
        return short(self.districts[district_id]["label"], 40)

    def rank(self, key: str, district_id: str) -> str:
        """Write the rank of a district, empty if it has none or is alone."""
        rank = self.ranked.get(key, {}).get(district_id)
        if rank is None or rank.among < 2:
            return ""
        place = ordinal(rank.place, self.lang)
        return self.say("rank_tied" if rank.tied else "rank_of", rank=place, n=rank.among)

    def place(self, key: str, district_id: str) -> str:
        """Write the rank of a district without the number of the others."""
        rank = self.ranked.get(key, {}).get(district_id)
        if rank is None or rank.among < 2:
            return ""
        place = ordinal(rank.place, self.lang)
        return self.say("rank_shared" if rank.tied else "rank_alone", rank=place)

    def judged(self, category: str) -> bool:
        """Tell whether a place of a category counts anywhere: without one, 0 % says nothing."""
        row = self.city[category]
        return bool(row["services_inside"] or row[self.share] > 0 or category in self.anchored)

    def headline(self, district_id: str) -> dict[str, Share]:
        """Return who has all the essential services and who has none; nothing without them."""
        # Every district asks for those of all of them.
        if district_id not in self._headlines:
            self._headlines[district_id] = self._headline(district_id)
        return self._headlines[district_id]

    def _headline(self, district_id: str) -> dict[str, Share]:
        if not self.districts[district_id]["composite"]:
            return {}
        mine, city = self._within(district_id), self._within("")
        # Of what is on the network, as every share.
        first = self.districts[district_id]["indicators"][0]
        total = people_on_network(first) if self.by_people else first["on_network_ha"]
        return {
            name: Share(
                pct=mine[at][0],
                amount=mine[at][1],
                total=total,
                city_pct=city[at][0],
                rank=self.rank(name, district_id),
            )
            for name, at in (("all", -1), ("none", 0))
        }

    def _within(self, district_id: str) -> list[tuple[float, float]]:
        """Return share and amount by number of essentials within reach; "" is the whole area."""
        rows = self.districts[district_id]["composite"] if district_id else self.report["composite"]
        names = ("residents_pct", "residents") if self.by_people else ("area_pct", "area_ha")
        ordered = sorted(rows, key=lambda row: int(row["essentials_within"]))
        return [(float(row[names[0]]), float(row[names[1]])) for row in ordered]

    def content(self, district_id: str) -> DossierContent:
        """Return what the dossier of a district says, but for its pictures."""
        district = self.districts[district_id]
        services = self.services(district_id)
        within = []
        if district["composite"]:
            pairs = ((self.title(district_id), district_id), (self.area, ""))
            within = [
                WithinLine(label=label, shares=[share for share, _ in self._within(key)])
                for label, key in pairs
            ]
        week = self.week(district_id)
        told = self.report["week"]
        return DossierContent(
            district_id=district_id,
            title=self.title(district_id),
            leads=leads(self, district_id),
            within=within,
            facts=self._confirmed(district_id),
            since=self._since(district_id),
            doubts=self._doubts(district_id),
            figures=[self._figures(district_id, c) for c in self.report["categories"]],
            none_known=[self.names[c] for c in district["none_known"]],
            anchored=[self.names[c] for c in self.anchored],
            gaps=self.gaps(district_id),
            services=services.counted,
            left_out=services.left_out,
            week=week,
            week_about=told["about"] if week and told else "",
            unknown=[
                *unknown_lines(services.counted, self.say, hours_asked=week is not None),
                *self._lost,
            ],
            next=next_lines(self.proposals, district_id, self.names, self.say),
        )

    def _figures(self, district_id: str, category: Category) -> FigureLine:
        row, city = self.row(district_id, category["id"]), self.city[category["id"]]
        return FigureLine(
            label=self.names[category["id"]],
            composite=category["composite"],
            anchored=category["id"] in self.anchored,
            services=row["services_inside"],
            city_services=city["services_inside"],
            amount=row["residents_covered" if self.by_people else "covered_ha"],
            share=row[self.share],
            city_share=city[self.share],
            pace=self._pace(district_id, category["id"]),
            rank=self.place(category["id"], district_id),
            median=row["minutes_median"],
            city_median=city["minutes_median"],
            p90=row["minutes_p90"],
            city_p90=city["minutes_p90"],
            facts=self.places_words(category["id"]),
        )

    def places_words(self, category: str) -> str:
        """Write how many places of the whole area are confirmed, placed and known."""
        line = self.ages[category]
        counts = (line["facts_confirmed"], line["facts_placed"], line["facts_known"])
        return " / ".join(format_number(count, self.lang) for count in counts)

    def _pace(self, district_id: str, category: str) -> str:
        """Write a share for who walks a tenth slower and faster."""
        lines = self.districts[district_id]["doubts"]
        mine = next(line for line in lines if line["category"] == category)
        return ends_words(mine["speed"], self.lang)

    def _doubts(self, district_id: str) -> str:
        """Say which figure of a district hangs most on one place, and what moves it."""
        line = weakest(self.districts[district_id]["doubts"])
        if line is None:
            return ""
        return phrase(
            "doubt_weakest",
            self.lang,
            category=self.names[line["category"]],
            share=format_number(line["share"], self.lang),
            doubts=doubt_words(line, self.lang),
        )

    def _confirmed(self, district_id: str) -> str:
        """Say what the headline of a district would be with confirmed places alone."""
        rows = self._ages.get(district_id, {})
        if not rows.keys() >= set(COMPOSITES):
            return ""
        people = "residents_" if self.by_people else ""
        all_, any_ = (float(rows[name][f"{people}confirmed_covered_pct"]) for name in COMPOSITES)
        if not (math.isfinite(all_) and math.isfinite(any_)):
            return ""
        return confirmed_alone(
            all_,
            100 - any_,
            by="residents" if self.by_people else "area",
            essentials=len(self.coverage.study.essentials),
            lang=self.lang,
            key="facts_here",
        )

    def gaps(self, district_id: str) -> list[GapLine]:
        """Return the gaps of the categories that touch a district, numbered by category."""
        numbers: Counter[str] = Counter()
        found = []
        for gap in self.districts[district_id]["gaps"]:
            category, here = gap["category"], gap["here"]
            if category in COMPOSITES:
                continue
            numbers[category] += 1
            found.append(
                GapLine(
                    gap_id=gap["gap_id"],
                    category=category,
                    label=self.names[category],
                    number=numbers[category],
                    street=short(here["street"], _PLACE),
                    nearest=short(nearest_name(here, self.lang), _PLACE),
                    cause=short(barrier_words(gap["barrier"], self.lang), _PLACE)
                    or word(gap["cause"], self.lang),
                    residents=here["residents"],
                    area_ha=here["area_ha"],
                    minutes_max=here["minutes_max"],
                )
            )
        return found

    def services(self, district_id: str) -> ServiceRows:
        """Return the services in a district and those next door that it reaches."""
        return service_rows(
            self._services,
            self._walks[district_id],
            district_id=district_id,
            names=self.names,
            say=self.say,
        )

    def week(self, district_id: str) -> Week | None:
        """Return the week of a district; None where hours were not looked at."""
        if self.coverage.week is None:
            return None
        return week_of(self.coverage.week, district_id, self.categories, self.names, self.say)

    def inside(self, district_id: str, category: str, *, starred: bool = False) -> str:
        """Write how many services a district counts, and that a hidden one may be there too."""
        number = format_number(self.row(district_id, category)["services_inside"], self.lang)
        if category not in self.anchored:
            return number
        return f"{number}*" if starred else self.say("not_discreet", n=number)

    def map_alt(self, district_id: str, category: str) -> str:
        """Describe a picture by its figures."""
        row = self.row(district_id, category)
        covered = self.say(
            "map_alt_covered" if self.by_people else "map_alt_covered_area",
            pct=format_pct(row[self.share], self.lang),
        )
        return self.say(
            "map_alt",
            district=self.title(district_id),
            category=self.names[category],
            covered=covered,
            inside=self.inside(district_id, category),
            gaps=format_number(row["gaps_touching"], self.lang),
        )
