"""The tables of a report for a terminal: figures that fit its width, the rest told in lines."""

from __future__ import annotations

import datetime as dt
import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import cast

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from quart_heure.labels import (
    UNKNOWN,
    district_label,
    format_minutes,
    format_moment,
    format_number,
    format_plain,
    heading,
    phrase,
    word,
)
from quart_heure.outputs.barrier_words import barrier_words
from quart_heure.outputs.discretion import nearest_name
from quart_heure.outputs.doubts import doubt_words, ends_words, weakest
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.report.structure import District, Gap, Report
from quart_heure.outputs.results.rows import Row, people_on_network
from quart_heure.outputs.terminal import bare_table, held, titled

_GAPS_SHOWN = 10
_SERVICES_SHOWN = 5
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


class Tables:
    """The tables of one report.

    Parameters
    ----------
    content
        What the report says.
    wide
        Whether there is room for the less pressing columns.
    """

    def __init__(self, content: Report, *, wide: bool) -> None:
        self.content = content
        self.lang = content["lang"]
        self.wide = wide
        self.labels = {c["id"]: c["label"] for c in content["categories"]}
        self.gap_labels = {c["id"]: c["gap_label"] for c in content["categories"]}
        self.threshold = format_plain(content["parameters"].get("threshold_min"), self.lang)

    def say(self, key: str, **values: object) -> str:
        """Write a phrase of the reports; area, threshold and word for districts are known."""
        known = {"area": self.content["area"], "threshold": self.threshold}
        known["unit"] = self.content["district_word"]
        return held(phrase(key, self.lang, **{**known, **values}))

    def number(self, value: float | None, decimals: int = 0) -> str:
        """Write a number in the form of the language."""
        return format_number(value, self.lang, decimals)

    def city(self) -> RenderableType:
        """Draw the indicators of the whole area."""
        return self.indicators(self.content["city"], title=self.say("city_caption"))

    def indicators(self, rows: Sequence[Row], *, title: str) -> RenderableType:
        """Draw the indicators of a place, a row for each category."""
        columns = _INDICATORS if self.wide else [c for c in _INDICATORS if c[0] not in _WIDE_ONLY]
        table = self.table("category", [key for _, key, _ in columns])
        for row in rows:
            figures = (self.figure(row, name, decimals) for name, _, decimals in columns)
            table.add_row(Text(self.labels[row["category"]]), *figures)
        if not rows:
            return titled(title, table)
        people = people_on_network(rows[0])
        note = self.say("denominators", on=self.number(rows[0]["on_network_ha"]))
        if math.isfinite(people):  # without residents, figures are of area alone
            note += " " + self.say("denominators_residents", residents=self.number(people))
        return titled(title, table, Text(note, style="dim"))

    def figure(self, row: Row, name: str, decimals: int) -> str:
        """Write one figure of the indicators, as a range where hours leave one."""
        if name.startswith("minutes_"):
            return format_minutes(row[name], self.lang)
        least = self.number(row[name], decimals)
        most = self.number(row.get(name.replace("covered_", "covered_at_most_", 1)), decimals)
        if most in {least, UNKNOWN} or not name.endswith("covered_pct"):
            return least
        return f"{least}–{most}"

    def composite(self) -> RenderableType:
        """Draw who has how many of the essential services."""
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
        return titled(self.say("composite"), table)

    def matrix(self) -> RenderableType:
        """Compare districts; on a narrow screen categories are letters, told below."""
        letters = {name: chr(ord("A") + at) for at, name in enumerate(self.labels)}
        table = bare_table()
        table.add_column(self.content["district_word"].capitalize(), no_wrap=True)
        for name, label in self.labels.items():
            table.add_column(label if self.wide else letters[name], justify="right")
        for district in self.content["districts"]:
            by_category = {row["category"]: row for row in district["indicators"]}
            shares = (self.share(by_category.get(name, {})) for name in self.labels)
            table.add_row(Text(district["label"]), *shares)
        title = self.say("matrix_caption")
        if self.wide:
            return titled(title, table)
        legend = " · ".join(f"{letters[name]} {label}" for name, label in self.labels.items())
        return titled(title, table, Text(legend, style="dim"))

    def share(self, row: Row) -> str:
        """Write what is covered of a district: a range in whole per cent where hours leave one."""
        if row.get("covered_at_most_pct") is None:
            return self.number(row.get("covered_pct"), 1)
        return range_words(row["covered_pct"], row["covered_at_most_pct"])

    def district(self, district: District) -> RenderableType:
        """Draw the indicators and the gaps of a district."""
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

    def gaps(self, gaps: Sequence[Gap], *, here: bool = False) -> RenderableType:
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
                format_minutes(part["minutes_max"], self.lang),
                *([Text(nearest_name(part, self.lang))] if self.wide else []),
                Text(part["street"]),
            )
        notes = []
        if left := len(gaps) - len(shown):
            notes.append(self.say("gaps_more", n=left))
        return titled(self.say("gaps_top"), table, *(Text(note, style="dim") for note in notes))

    def cause(self, gap: Gap) -> str:
        """Write the cause of a gap and, in short, when the first service in reach opens."""
        cause = barrier_words(gap["barrier"], self.lang) or word(gap["cause"], self.lang)
        hours = self.content["hours"]
        if hours is None or not gap.get("next_opening"):
            return cause
        opens = dt.datetime.fromisoformat(gap["next_opening"])
        wait = opens - dt.datetime.fromisoformat(hours["at"])
        day = word(f"day_{opens.weekday()}", self.lang)[:3] + "."
        when = f"{day} {opens:%H:%M}"
        if wait >= dt.timedelta(days=6):
            when = format_moment(gap["next_opening"], self.lang)
        return f"{cause} ({self.say('opens', when=when)})"

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
            parts.append(titled(self.say("dependence_caption"), needed))
        return titled(self.say("fragility"), *parts)

    def doubts(self) -> RenderableType:
        """Draw what the shares of the area, or of each district asked for, are good to."""
        content = self.content
        asked = bool(content["hours"] or content["person"])
        columns = ("doubt_share", "doubt_speed", "doubt_elsewhere", "doubt_one_place")
        last = ("doubt_confirmed", *(("doubt_unknown",) if asked else ()))
        places = [("", content["doubts"])]
        if content["selected"]:
            places = [(d["label"], d["doubts"]) for d in content["districts"]]
        table = self.table("category", [*columns, *last])
        for label, lines in places:
            for line in lines:
                name = self.labels[line["category"]]
                name = f"{label} · {name}" if len(places) > 1 else name
                ends = (line["speed"], line["elsewhere"], line["one_place"])
                table.add_row(
                    Text(name),
                    self.number(line["share"]),
                    *(ends_words(each, self.lang) for each in ends),
                    self.number(line["confirmed_only"]),
                    *([self.number(line["with_unknown"])] if asked else []),
                )
        weak = [(label, weakest(lines)) for label, lines in places]
        told = [
            Text(
                held(
                    (f"{label} – " if label else "")
                    + self.say(
                        "doubt_weakest",
                        category=self.labels[line["category"]],
                        share=self.number(line["share"]),
                        doubts=doubt_words(line, self.lang),
                    )
                )
            )
            for label, line in weak
            if line is not None
        ]
        by = "" if places[0][1] and places[0][1][0]["by"] == "residents" else "_area"
        place = content["area"] if not content["selected"] else places[0][0]
        if len(places) > 1:
            place = self.say("by_district", unit=content["district_word"])
        caption = Text(self.say(f"doubts_caption{by}", place=place), style="dim")
        return titled(self.say("doubts"), caption, table, *told)

    def facts(self) -> RenderableType:
        """Draw how old the facts of each category are, and name what is not placed."""
        facts = self.content["facts"]
        columns = (
            *(("facts_share", 1), ("facts_share_confirmed", 1)),
            *(
                ("facts_known", 0),
                ("facts_placed", 0),
                ("facts_confirmed", 0),
                ("facts_undated", 0),
            ),
        )
        table = self.table("category", [key for key, _ in columns])
        for line in facts["lines"]:
            values = dict(line)
            figures = (self.number(cast("float", values[key]), n) for key, n in columns)
            table.add_row(Text(self.labels[line["category"]]), *figures)
        parts: list[RenderableType] = [table]
        named = [place["name"] for place in facts["unplaced"] if place["would_count"]]
        if named:
            told = f"{self.say('facts_caption_unplaced')} ({len(named)}): {', '.join(named)}."
            parts.append(Text(held(told), style="dim"))
        return titled(self.say("facts"), *parts)

    def capacity(self) -> RenderableType:
        """Draw the capacities, known and unknown."""
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
        return titled(self.say("capacity"), Text(self.say("capacity_note"), style="dim"), table)

    def services(self) -> RenderableType:
        """Draw how many services count and why others do not."""
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
        if services["without_zone"]:
            notes.append(Text(self.say("services_without_zone", n=services["without_zone"])))
        return titled(self.say("services"), table, *notes)

    def table(
        self,
        first: str,
        columns: Iterable[str],
        *,
        text: Sequence[str] = ("cause", "nearest_service", "street"),
    ) -> Table:
        """Start a table: headings with units, words to the left and figures to the right."""
        table = bare_table()
        table.add_column(heading(first, self.lang), min_width=12)
        for name in columns:
            # Broken by hand: a column of figures is not to be as wide as its heading.
            label = "\n".join(textwrap.wrap(heading(name, self.lang), 9, break_long_words=False))
            justify: JustifyMethod = "left" if name in text else "right"
            table.add_column(label, justify=justify, min_width=8 if name in text else None)
        return table
