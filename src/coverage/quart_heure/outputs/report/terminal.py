"""The report for a terminal, from its title to its credits."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from quart_heure.labels import (
    format_date,
    format_pct,
    format_plain,
    format_signed,
    heading,
    text,
)
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.report.listing import Listing, Part
from quart_heure.outputs.report.structure import Next, Report, Since, Week
from quart_heure.outputs.report.terminal_tables import Tables
from quart_heure.outputs.report.week import shade
from quart_heure.outputs.terminal import bare_table, drawn, held

_WIDE = 110
"""Columns from which the less pressing ones are shown too."""


def terminal_text(content: Report, *, width: int, colour: bool, brief: bool = False) -> str:
    """Draw a report for a terminal of this width; in brief, the figures of the whole area alone."""
    tables = Tables(content, wide=width >= _WIDE)
    parts = _summary(tables) if brief else _parts(tables)
    return drawn(parts, width=width, colour=colour)


def _summary(tables: Tables) -> Iterable[RenderableType]:
    yield _title(tables)
    yield tables.city()
    if tables.content["composite"]:
        yield tables.composite()
    yield _foot(tables)


def _parts(tables: Tables) -> Iterable[RenderableType]:
    yield _title(tables)
    if tables.content["selected"]:
        if tables.content["anchored"]:
            names = ", ".join(tables.labels[name] for name in tables.content["anchored"])
            yield Text("\n" + tables.say("anchored", categories=names))
        for district in tables.content["districts"]:
            yield tables.district(district)
    else:
        yield tables.city()
        if tables.content["composite"]:
            yield tables.composite()
        yield tables.matrix()
        every = [gap for d in tables.content["districts"] for gap in d["gaps"]]
        yield tables.gaps(list({gap["gap_id"]: gap for gap in every}.values()))
    if tables.content["since"]:
        yield from _since(tables, tables.content["since"])
    yield tables.doubts()
    yield tables.facts()
    if tables.content["week"]:
        yield from _week(tables, tables.content["week"])
    yield tables.fragility()
    if tables.content["capacity"]:
        yield tables.capacity()
    for one in tables.content["next"]:
        yield from _next(tables, one)
    yield tables.services()
    yield _foot(tables)


def _title(tables: Tables) -> RenderableType:
    parameters = tables.content["parameters"]
    osm_date = tables.content["osm_date"]
    about = tables.say(
        "subtitle",
        date=format_date(osm_date, tables.lang) if osm_date else tables.say("undated"),
        profile=format_plain(parameters.get("profile"), tables.lang),
        speed=format_plain(parameters.get("speed_kmh"), tables.lang),
    )
    lines: list[RenderableType] = [
        Text(tables.say("title"), style="bold"),
        Text(about, style="dim"),
    ]
    if parameters.get("private"):
        lines.append(Text(tables.say("private"), style="bold"))
    if tables.content["hours"]:
        lines.append(Text(held(tables.content["hours"]["sentence"]), style="dim"))
    if tables.content["person"]:
        who = ", ".join(tables.content["person"])
        lines.append(Text(tables.say("for_whom", person=who)))
    if tables.content["summary"]:
        lines.append(Padding(Text(held(tables.content["summary"]["sentence"])), (1, 0, 0, 0)))
    if tables.content["facts"]["sentence"]:
        lines.append(Text(held(tables.content["facts"]["sentence"]), style="dim"))
    return Group(*lines)


def _since(tables: Tables, since: Since) -> Iterable[RenderableType]:
    """Draw what has changed in the whole area since an earlier run."""
    lang = tables.lang
    yield Text(f"\n{since['title']}", style="bold")
    for line in (since["sentence"], *since["definitions"]):
        yield Text(held(line))
    table = bare_table()
    table.add_column(heading("category", lang))
    for key in ("before", "after", "points", "gaps"):
        table.add_column(text(f"runs.{key}", lang), justify="right", no_wrap=True)
    for row in since["rows"]:
        if not row["district_id"]:
            table.add_row(
                tables.labels[row["category"]],
                *(format_pct(row[key], lang) for key in ("before_pct", "after_pct")),
                format_signed(row["change_points"], lang, 1),
                f"{row['gaps_before']} → {row['gaps_after']}",
            )
    yield table


def _week(tables: Tables, week: Week) -> Iterable[RenderableType]:
    """Draw a line of 24 signs for each day, of each category."""
    yield Text(
        "\n" + tables.say("week", date=format_date(week["week_of"], tables.lang)), style="bold"
    )
    yield Text(week["about"])
    for place in week["places"]:
        for one in place["categories"]:
            name = tables.labels[one["category"]]
            lines = [tables.say("week_caption", category=name, place=place["label"])]
            for day, hours in zip(week["days"], one["hours"], strict=True):
                signs = "".join(shade(least) for least, _ in hours)
                best = (max(pair[0] for pair in hours), max(pair[1] for pair in hours))
                lines.append(f"  {day['label'][:2]} {signs} {range_words(*best)} %")
            yield Text("\n" + "\n".join(lines))
    yield Text("\n" + tables.say("week_shades"), style="dim")


def _next(tables: Tables, one: Next) -> Iterable[RenderableType]:
    yield Text("")
    parts = [
        Part(part["title"], part["head"], part["numbers_from"], part["rows"])
        for part in one["parts"]
    ]
    yield from Listing(one["title"], one["lines"], parts).for_terminal(tables.lang)


def _foot(tables: Tables) -> RenderableType:
    lines = []
    if tables.content["problems"]:
        lines.append(tables.say("problems_count", n=len(tables.content["problems"])))
    lines += [held(limit) for limit in tables.content["limits"][:3]]
    lines += tables.content["attribution"]
    return Padding(Text("\n".join(lines), style="dim"), (1, 0, 0, 0))
