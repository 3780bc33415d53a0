"""Variants in words and figures: the tables of paces and sensitivity in every format."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from quart_heure.labels import category_label, format_number, format_plain, heading, phrase
from quart_heure.outputs.hour_words import hours_told, person_words
from quart_heure.outputs.markdown import escaped
from quart_heure.outputs.report.listing import private_lines
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.rows import in_order
from quart_heure.outputs.terminal import bare_table, drawn
from quart_heure.schema import check_columns, table_columns

if TYPE_CHECKING:
    from quart_heure.study.study import Study


_FIGURES = {"covered_pct": "pace_area", "residents_covered_pct": "pace_residents"}
"""What is shown to people, and the title it stands under."""

_WIDE = 110


def render_paces(
    table: pd.DataFrame,
    study: Study,
    *,
    form: str,
    lang: str = "fr",
    width: int = 100,
    colour: bool = False,
) -> str:
    """Write a table of paces: ``table`` for a terminal, ``csv``, ``json`` or ``md``."""

    def name(row: Mapping[Hashable, Any]) -> str:
        walker, speed = format_plain(row["profile"], lang), format_plain(row["speed_kmh"], lang)
        return f"{walker} ({speed} km/h), {format_plain(row['threshold_min'], lang)} min"

    drawing = _Drawing(table, study, lang, ("profile", "speed_kmh", "threshold_min"), name)
    return _render("paces", drawing, form, width, colour)


def render_sensitivity(
    table: pd.DataFrame,
    study: Study,
    *,
    form: str,
    lang: str = "fr",
    width: int = 100,
    colour: bool = False,
) -> str:
    """Write a table of sensitivity: ``table`` for a terminal, ``csv``, ``json`` or ``md``.

    For people, the first row has the figures of the study and the others their changes, in
    percentage points; the last ones have, per district, the greatest change either way if
    every service stood 15 m elsewhere.
    """

    def name(row: Mapping[Hashable, Any]) -> str:
        setting, value = row["setting"], row["value"]
        if value in {"in", "out", "east", "north", "west", "south"}:
            return phrase(f"variant_{setting}_{value}", lang)
        number = float(value) * (100 if setting == "useful_share" else 1) if value else None
        return phrase(f"variant_{setting}", lang, value=format_plain(number, lang))

    drawing = _Drawing(table, study, lang, ("setting", "value"), name, changes=True)
    return _render("sensitivity", drawing, form, width, colour)


def asked_lines(study: Study, lang: str) -> list[str]:
    """Say for which hour and whom the figures are; nothing where neither was asked."""
    moment = study.moment
    lines = private_lines(study, lang)
    if moment is not None:
        ends = {"at": moment.start, "until": moment.end}
        told: dict[str, Any] = {k: str(end) for k, end in ends.items() if end is not None}
        hours = hours_told({**told, "stay_min": study.stay_min}, lang)
        lines += [hours["sentence"]] if hours else []
    if study.person is not None:
        who = ", ".join(person_words({"person": study.person.name}, lang))
        lines.append(phrase("for_whom", lang, person=who))
    return lines


class _Drawing:
    """One table with a row per variant and a column per category, once for each figure."""

    def __init__(
        self,
        table: pd.DataFrame,
        study: Study,
        lang: str,
        keys: Sequence[str],
        name: Callable[[Mapping[Hashable, Any]], str],
        *,
        changes: bool = False,
    ) -> None:
        whole = table["level"] == "city" if "level" in table else np.ones(len(table), dtype=bool)
        self.table, self.of_districts = table[whole], table[~whole]
        self.every_row = table
        self.study = study
        self.lang = lang
        self.keys = list(keys)
        self.name = name
        self.changes = changes
        self.labels = {
            category: category_label(category, lang, study.catalogue)
            for category in dict.fromkeys(in_order(table, "variants", study.categories)["category"])
        }

    def figures(self) -> list[str]:
        return [name for name in _FIGURES if self.table[name].notna().any()]

    def title(self, figure: str) -> str:
        key = _FIGURES[figure] + ("_change" if self.changes else "")
        return phrase(key, self.lang, area=self.study.area.name)

    def rows(self, figure: str) -> list[list[str]]:
        """Return the name of each variant and its figures, in the order of the categories."""
        rows = []
        for at, (_, group) in enumerate(self.table.groupby(self.keys, sort=False)):
            change = self.changes and at > 0
            values = group.set_index("category")[f"{figure}_change" if change else figure]
            cells = [self.shown(values.get(category), signed=change) for category in self.labels]
            rows.append([self.name(group.iloc[0].to_dict()), *cells])
        if self.of_districts.empty:
            return rows
        for label, group in self.of_districts.groupby("label", sort=False):
            most = group.groupby("category")[f"{figure}_change"].agg(lambda c: c.abs().max())
            cells = [self.either_way(float(most.get(each, math.nan))) for each in self.labels]
            rows.append([phrase("variant_elsewhere_district", self.lang, label=label), *cells])
        return rows

    def either_way(self, most: float) -> str:
        """Write the greatest change, up or down."""
        text = self.shown(most, signed=False)
        return f"±{text}" if math.isfinite(most) and round(most, 1) > 0 else text

    def shown(self, value: Any, *, signed: bool) -> str:
        text = format_number(value, self.lang, 1)
        # A true minus: hyphens are lost in a column of figures.
        text = text.replace("-", "\N{MINUS SIGN}")
        return f"+{text}" if signed and value is not None and round(value, 1) > 0 else text


def _render(table: str, drawing: _Drawing, form: str, width: int, colour: bool) -> str:
    study = drawing.study
    check_columns(drawing.every_row, table)
    if form == "csv":
        return csv_text(drawing.every_row, table_columns(table), private=study.private)
    if form == "json":
        decimals = {c.name: c.decimals for c in table_columns(table) if c.decimals is not None}
        content = {
            "format": f"quart-heure-{table}/1",
            "area": study.area.name,
            "private": study.private,
            "profile": study.profile.name,
            "person": study.person.name if study.person else "",
            "asked": asked_lines(drawing.study, drawing.lang),
            "threshold_min": study.threshold_min,
            table: drawing.every_row.round(decimals).to_dict("records"),
        }
        return json_text(content) + "\n"
    return _markdown(drawing) if form == "md" else _terminal(drawing, width, colour)


def _markdown(drawing: _Drawing) -> str:
    parts = [escaped(line) for line in asked_lines(drawing.study, drawing.lang)]
    for figure in drawing.figures():
        head = [heading("variant", drawing.lang), *drawing.labels.values()]
        lines = [f"## {escaped(drawing.title(figure))}", "", _line(head)]
        lines.append("|---|" + "--:|" * len(drawing.labels))
        parts.append("\n".join([*lines, *(_line(row) for row in drawing.rows(figure))]))
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def _terminal(drawing: _Drawing, width: int, colour: bool) -> str:
    return drawn(_parts(drawing, wide=width >= _WIDE), width=width, colour=colour).lstrip("\n")


def _parts(drawing: _Drawing, *, wide: bool) -> Iterator[RenderableType]:
    letters = [chr(ord("A") + at) for at in range(len(drawing.labels))]
    for line in asked_lines(drawing.study, drawing.lang):
        yield Text(line, style="dim")
    for figure in drawing.figures():
        table = bare_table()
        table.add_column(heading("variant", drawing.lang))
        for letter, label in zip(letters, drawing.labels.values(), strict=True):
            table.add_column(label if wide else letter, justify="right", no_wrap=not wide)
        for name, *cells in drawing.rows(figure):
            table.add_row(Text(name), *cells)
        yield Text(f"\n{drawing.title(figure)}", style="bold")
        yield table
    if not wide:
        named = zip(letters, drawing.labels.values(), strict=True)
        legend = " · ".join(f"{letter} {label}" for letter, label in named)
        yield Text(legend, style="dim")
