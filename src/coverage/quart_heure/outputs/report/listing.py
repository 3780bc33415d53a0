"""Listings: a title, some sentences, and tables of words and figures, in text for people."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from quart_heure.labels import phrase
from quart_heure.outputs.markdown import escaped
from quart_heure.outputs.proposals.proposal import Said
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.terminal import bare_table, drawn
from quart_heure.schema import table_columns

if TYPE_CHECKING:
    from quart_heure.study.study import Study


@dataclasses.dataclass(frozen=True)
class Part:
    """A table for people.

    Parameters
    ----------
    title, head, rows
        Its title, headings and cells.
    numbers_from
        The first column of figures.
    more
        How many rows there are beside these.
    """

    title: str
    head: Sequence[str]
    numbers_from: int
    rows: Sequence[Sequence[str]]
    more: int = 0


@dataclasses.dataclass(frozen=True)
class Listing:
    """A title, sentences, and tables."""

    title: str
    lines: Sequence[str]
    parts: Sequence[Part]

    def drawn(self, form: str, lang: str, *, width: int = 100, colour: bool = False) -> str:
        """Write it as ``md``, or as ``table`` for a terminal."""
        if form == "md":
            return self._markdown(lang)
        return drawn(self.for_terminal(lang), width=width, colour=colour).lstrip("\n")

    def said(self) -> Said:
        """Return it as plain values, which pages show and folders keep."""
        return {
            "title": self.title,
            "lines": list(self.lines),
            "parts": [
                {
                    "title": part.title,
                    "head": list(part.head),
                    "numbers_from": part.numbers_from,
                    "rows": [list(row) for row in part.rows],
                    "more": part.more,
                }
                for part in self.parts
            ],
        }

    def _markdown(self, lang: str) -> str:
        text = [f"# {escaped(self.title)}", *map(escaped, self.lines)]
        for part in self.parts:
            if not part.rows:
                text.append(f"## {escaped(part.title)}\n\n{phrase('site_none', lang)}")
                continue
            n, first = len(part.head), part.numbers_from
            rule = "|" + "---|" * first + "--:|" * (n - first)
            lines = [
                f"## {escaped(part.title)}",
                "",
                _line(part.head),
                rule,
                *map(_line, part.rows),
            ]
            if part.more:
                lines += ["", phrase("site_more", lang, n=part.more)]
            text.append("\n".join(lines))
        return "\n\n".join(text) + "\n"

    def for_terminal(self, lang: str) -> Iterator[RenderableType]:
        """Give the title, the sentences and the tables for a terminal."""
        yield Text(self.title, style="bold")
        for line in self.lines:
            yield Text(line)
        for part in self.parts:
            yield Text(f"\n{part.title}", style="bold")
            if not part.rows:
                yield Text(phrase("site_none", lang), style="dim")
                continue
            table = bare_table()
            for at, name in enumerate(part.head):
                number = at >= part.numbers_from
                table.add_column(name, justify="right" if number else "left", no_wrap=number)
            for row in part.rows:
                table.add_row(*map(Text, row))
            yield table
            if part.more:
                yield Text(phrase("site_more", lang, n=part.more), style="dim")


def private_lines(study: Study, lang: str) -> list[str]:
    """Say of figures from where discreet places truly stand that they are not to be passed on."""
    return [phrase("private", lang)] if study.private else []


def named_rows(table: pd.DataFrame) -> Iterator[Any]:
    """Give the rows of a table, with its columns as their attributes."""
    yield from table.itertuples(index=False)


def typed_rows(table: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table of the schema as plain values, rounded by unit, safe to show."""
    decimals = {c.name: c.decimals for c in table_columns(name) if c.decimals is not None}
    rows = table.round(decimals).to_dict("records")
    return [{str(key): _value(value) for key, value in row.items()} for row in rows]


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"
