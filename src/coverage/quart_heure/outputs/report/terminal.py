"""The report for a terminal: tables that fit its width, the rest told in lines."""

from __future__ import annotations

import datetime as dt
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from quart_heure.labels import (
    UNKNOWN,
    district_label,
    format_date,
    format_minutes,
    format_moment,
    format_number,
    format_plain,
    heading,
    phrase,
    word,
)
from quart_heure.outputs.discretion import ROUND_MIN, nearest_name
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.report.week import shade
from quart_heure.outputs.results.rows import people_on_network
from quart_heure.outputs.terminal import drawn, held

_GAPS_SHOWN = 10
_SERVICES_SHOWN = 5
_WIDE = 110
"""Columns from which the less pressing ones are shown too."""

_INDICATORS = (
    ("services_inside", "t_services", 0),
    ("covered_pct", "covered_short", 1),
    ("borderline_covered_pct", "t_borderline", 1),
    ("uncovered_pct", "t_uncovered", 1),
    ("residents_covered", "residents_covered_short", 0),
    ("residents_covered_pct", "t_residents_pct", 1),
    ("minutes_median", "minutes_median", 1),
    ("minutes_p90", "t_p90", 1),
    ("gaps_touching", "gaps", 0),
)
"""Columns of the table of indicators: name, heading, decimals."""

_WIDE_ONLY = frozenset({"uncovered_pct", "residents_covered"})

_Row = Mapping[str, Any]


def terminal_text(
    content: Mapping[str, Any], *, width: int, colour: bool, brief: bool = False
) -> str:
    """Draw a report for a terminal of this width; in brief, the figures of the whole area alone."""
    drawing = _Drawing(content, wide=width >= _WIDE)
    parts = drawing.summary() if brief else drawing.parts()
    return drawn(parts, width=width, colour=colour)


class _Drawing:
    """The parts of one report, from top to bottom."""

    def __init__(self, content: Mapping[str, Any], *, wide: bool) -> None:
        self.content = content
        self.lang = content["lang"]
        self.wide = wide
        self.labels = {c["id"]: c["label"] for c in content["categories"]}
        self.gap_labels = {c["id"]: c["gap_label"] for c in content["categories"]}
        self.threshold = format_plain(content["parameters"].get("threshold_min"), self.lang)

    def summary(self) -> Iterable[RenderableType]:
        yield self.title()
        yield self.city()
        if self.content["composite"]:
            yield self.composite()
        yield self.foot()

    def parts(self) -> Iterable[RenderableType]:
        yield self.title()
        if self.content["selected"]:
            if self.content["uncounted"]:
                names = ", ".join(self.labels[name] for name in self.content["uncounted"])
                yield Text("\n" + self.say("uncounted", categories=names))
            for district in self.content["districts"]:
                yield self.district(district)
        else:
            yield self.city()
            if self.content["composite"]:
                yield self.composite()
            yield self.matrix()
            every = [gap for d in self.content["districts"] for gap in d["gaps"]]
            yield self.gaps(list({gap["gap_id"]: gap for gap in every}.values()))
        if self.content["week"]:
            yield from self.week()
        yield self.fragility()
        if self.content["capacity"]:
            yield self.capacity()
        yield self.services()
        yield self.foot()

    def say(self, key: str, **values: object) -> str:
        known = {"area": self.content["area"], "threshold": self.threshold}
        known["unit"] = self.content["district_word"]
        return held(phrase(key, self.lang, **{**known, **values}))

    def number(self, value: float | None, decimals: int = 0) -> str:
        return format_number(value, self.lang, decimals)

    def title(self) -> RenderableType:
        parameters = self.content["parameters"]
        osm_date = self.content["osm_date"]
        about = self.say(
            "subtitle",
            date=format_date(osm_date, self.lang) if osm_date else self.say("undated"),
            profile=format_plain(parameters.get("profile"), self.lang),
            speed=format_plain(parameters.get("speed_kmh"), self.lang),
        )
        lines: list[RenderableType] = [
            Text(self.say("title"), style="bold"),
            Text(about, style="dim"),
        ]
        if self.content["hours"]:
            lines.append(Text(held(self.content["hours"]["sentence"]), style="dim"))
        if self.content["person"]:
            who = ", ".join(self.content["person"])
            lines.append(Text(self.say("for_whom", person=who)))
        if self.content["summary"]:
            lines.append(Padding(Text(held(self.content["summary"]["sentence"])), (1, 0, 0, 0)))
        return Group(*lines)

    def city(self) -> RenderableType:
        return self.indicators(self.content["city"], title=self.say("city_caption"))

    def indicators(self, rows: Sequence[_Row], *, title: str) -> RenderableType:
        columns = _INDICATORS if self.wide else [c for c in _INDICATORS if c[0] not in _WIDE_ONLY]
        table = self.table("category", [key for _, key, _ in columns])
        for row in rows:
            figures = (self.figure(row, name, decimals) for name, _, decimals in columns)
            table.add_row(Text(self.labels[row["category"]]), *figures)
        if not rows:
            return _titled(title, table)
        people = people_on_network(rows[0])
        note = self.say("denominators", on=self.number(rows[0]["on_network_ha"]))
        if math.isfinite(people):  # without residents, figures are of area alone
            note += " " + self.say("denominators_residents", residents=self.number(people))
        return _titled(title, table, Text(note, style="dim"))

    def figure(self, row: _Row, name: str, decimals: int) -> str:
        """Write one figure of the indicators, as a range where hours leave one."""
        if name.startswith("minutes_"):
            return format_minutes(row[name], self.lang)
        least = self.number(row[name], decimals)
        most = self.number(row.get(name.replace("covered_", "covered_at_most_", 1)), decimals)
        if most in {least, UNKNOWN} or not name.endswith("covered_pct"):
            return least
        return f"{least}–{most}"

    def week(self) -> Iterable[RenderableType]:
        """Draw a line of 24 signs for each day, of each category."""
        week = self.content["week"]
        yield Text(
            "\n" + self.say("week", date=format_date(week["week_of"], self.lang)), style="bold"
        )
        yield Text(week["about"])
        for place in week["places"]:
            for one in place["categories"]:
                name = self.labels[one["category"]]
                lines = [self.say("week_caption", category=name, place=place["label"])]
                for day, hours in zip(week["days"], one["hours"], strict=True):
                    signs = "".join(shade(least) for least, _ in hours)
                    best = (max(pair[0] for pair in hours), max(pair[1] for pair in hours))
                    lines.append(f"  {day['label'][:2]} {signs} {range_words(*best)} %")
                yield Text("\n" + "\n".join(lines))
        yield Text("\n" + self.say("week_shades"), style="dim")

    def composite(self) -> RenderableType:
        rows = self.content["composite"]
        columns = ["area_ha", "t_area_pct", "residents", "t_residents_pct"]
        more = [c for c in ("area_pct_at_most", "residents_pct_at_most") if c in rows[0]]
        table = self.table("t_essentials", [*columns, *more])
        for row in rows:
            table.add_row(
                str(row["essentials_within"]),
                self.number(row["area_ha"]),
                self.number(row["area_pct"], 1),
                self.number(row["residents"]),
                self.number(row["residents_pct"], 1),
                *(self.number(row[name], 1) for name in more),
            )
        return _titled(self.say("composite"), table)

    def matrix(self) -> RenderableType:
        """Compare districts; on a narrow screen categories are letters, told below."""
        letters = {name: chr(ord("A") + at) for at, name in enumerate(self.labels)}
        table = _bare_table()
        table.add_column(self.content["district_word"].capitalize(), no_wrap=True)
        for name, label in self.labels.items():
            table.add_column(label if self.wide else letters[name], justify="right")
        for district in self.content["districts"]:
            by_category = {row["category"]: row for row in district["indicators"]}
            shares = (self.share(by_category.get(name, {})) for name in self.labels)
            table.add_row(Text(district["label"]), *shares)
        title = self.say("matrix_caption")
        if self.wide:
            return _titled(title, table)
        legend = " · ".join(f"{letters[name]} {label}" for name, label in self.labels.items())
        return _titled(title, table, Text(legend, style="dim"))

    def share(self, row: _Row) -> str:
        """Write what is covered of a district: a range in whole per cent where hours leave one."""
        if row.get("covered_at_most_pct") is None:
            return self.number(row.get("covered_pct"), 1)
        return range_words(row["covered_pct"], row["covered_at_most_pct"])

    def cause(self, gap: _Row) -> str:
        """Write the cause of a gap and, in short, when the first service in reach opens."""
        cause = word(gap["cause"], self.lang)
        if not gap.get("next_opening"):
            return cause
        opens = dt.datetime.fromisoformat(gap["next_opening"])
        wait = opens - dt.datetime.fromisoformat(self.content["hours"]["at"])
        day = word(f"day_{opens.weekday()}", self.lang)[:3] + "."
        when = f"{day} {opens:%H:%M}"
        if wait >= dt.timedelta(days=6):
            when = format_moment(gap["next_opening"], self.lang)
        return f"{cause} ({self.say('opens', when=when)})"

    def district(self, district: _Row) -> RenderableType:
        label = district_label(district["label"], self.lang)
        parts: list[RenderableType] = [
            self.indicators(
                district["indicators"], title=self.say("district_caption", district=label)
            )
        ]
        if district["none_known"]:
            names = ", ".join(self.labels[name] for name in district["none_known"])
            parts.append(Text(self.say("none_known", categories=names)))
        parts.append(self.gaps(district["gaps"], here=True))
        return Group(*parts)

    def gaps(self, gaps: Sequence[_Row], *, here: bool = False) -> RenderableType:
        """List the gaps with most residents: whole, or what a district has of them."""
        if not gaps:
            return Text(self.say("gaps_none"))
        told = [(gap, gap["here"] if here else gap) for gap in gaps]
        told.sort(key=lambda pair: (-(pair[1]["residents"] or 0), pair[0]["gap_id"]))
        shown = told[:_GAPS_SHOWN]
        columns = ["area_here", "residents_here", "minutes_here"] if here else []
        columns = ["cause", *(columns or ["area_ha", "residents", "minutes_max"])]
        columns += ["nearest_service", "street"] if self.wide else ["street"]
        table = self.table("category", columns)
        for gap, part in shown:
            table.add_row(
                Text(self.gap_labels[gap["category"]]),
                self.cause(gap),
                self.number(part["area_ha"]),
                self.number(part["residents"]),
                self.gap_minutes(gap, part["minutes_max"]),
                *([Text(nearest_name(part, self.lang))] if self.wide else []),
                Text(part["street"]),
            )
        notes = []
        if left := len(gaps) - len(shown):
            notes.append(self.say("gaps_more", n=left))
        if any(gap["rounded"] for gap, _ in shown):
            notes.append(self.say("minutes_rounded", n=format_plain(ROUND_MIN, self.lang)))
        return _titled(self.say("gaps_top"), table, *(Text(note, style="dim") for note in notes))

    def gap_minutes(self, gap: _Row, minutes: float) -> str:
        """Write minutes of a gap; those that discretion rounds up are at most so many."""
        if gap["rounded"] and math.isfinite(minutes):
            return f"≤ {self.number(minutes)}"
        return format_minutes(minutes, self.lang)

    def fragility(self) -> RenderableType:
        """Tell who depends on one place: in the area or in each district, and on which places."""
        content = self.content
        rows = content["fragility"]["city"]
        if content["selected"]:
            rows = [row for district in content["districts"] for row in district["fragility"]]
        columns = (
            ("residents_single", "residents", 0),
            ("residents_single_pct", "t_residents_pct", 1),
            ("single_pct", "t_area_pct", 1),
        )
        table = self.table("category", [key for _, key, _ in columns])
        for row in rows:
            name = self.labels[row["category"]]
            if len(content["districts"]) > 1 and content["selected"]:
                name = f"{row['label']} · {name}"
            table.add_row(Text(name), *(self.number(row[c], d) for c, _, d in columns))
        said = self.say("fragility_note")
        if content["hours"] or content["person"]:
            said += " " + self.say("fragility_asked")
        note = Text(said, style="dim")
        parts: list[RenderableType] = [note, table]
        found = content["fragility"]["services"][:_SERVICES_SHOWN]
        if found:
            needed = self.table("category", ["name", "t_only_here"], text=("name",))
            for row in found:
                people = self.number(row["residents_only_here"])
                needed.add_row(Text(self.labels[row["category"]]), Text(row["name"]), people)
            parts.append(_titled(self.say("dependence_caption"), needed))
        return _titled(self.say("fragility"), *parts)

    def capacity(self) -> RenderableType:
        columns = (
            *("capacity_unit", "per_1000", "t_known"),
            *("services_known", "services_unknown", "unknown_pct"),
        )
        table = self.table("category", columns, text=("capacity_unit",))
        for row in self.content["capacity"]:
            name = self.labels[row["category"]]
            if len(self.content["districts"]) > 1 and self.content["selected"]:
                name = f"{row['label']} · {name}"
            table.add_row(
                Text(name),
                word(row["capacity_unit"], self.lang),
                self.number(row["per_1000"], 2),
                self.number(row["capacity"]),
                *(self.number(row[name]) for name in columns[3:]),
            )
        return _titled(self.say("capacity"), Text(self.say("capacity_note"), style="dim"), table)

    def services(self) -> RenderableType:
        services = self.content["services"]
        columns = ("counted", "left_out", "why")
        table = self.table("category", columns, text=("why",))
        for row in services["by_category"]:
            why = ", ".join(f"{word(r, self.lang)} {n}" for r, n in row["reasons"].items())
            counts = (self.number(row["counted"]), self.number(row["left_out"]))
            table.add_row(Text(self.labels[row["category"]]), *counts, Text(why))
        notes = []
        if self.content["filters"]:
            whole = [row for row in self.content["filters"] if row["filter"] == "all"]
            sums = {key: sum(r[key] for r in whole) for key in ("kept", "perhaps", "left_out")}
            notes.append(Text(self.say("filters_sum", **sums)))
        if services["withheld"]:
            notes.append(Text(self.say("services_withheld", n=services["withheld"])))
        return _titled(self.say("services"), table, *notes)

    def foot(self) -> RenderableType:
        lines = []
        if self.content["problems"]:
            lines.append(self.say("problems_count", n=len(self.content["problems"])))
        lines += [held(limit) for limit in self.content["limits"][:3]]
        lines += self.content["attribution"]
        return Padding(Text("\n".join(lines), style="dim"), (1, 0, 0, 0))

    def table(
        self,
        first: str,
        columns: Iterable[str],
        *,
        text: Sequence[str] = ("cause", "nearest_service", "street"),
    ) -> Table:
        """Start a table: headings with units, words to the left and figures to the right."""
        table = _bare_table()
        table.add_column(heading(first, self.lang), min_width=12)
        for name in columns:
            # Broken by hand: a column of figures is not to be as wide as its heading.
            label = "\n".join(textwrap.wrap(heading(name, self.lang), 9, break_long_words=False))
            justify: JustifyMethod = "left" if name in text else "right"
            table.add_column(label, justify=justify, min_width=8 if name in text else None)
        return table


def _titled(title: str, *parts: RenderableType) -> RenderableType:
    return Group(Text(f"\n{title}", style="bold"), *parts)


def _bare_table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
