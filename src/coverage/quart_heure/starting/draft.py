"""A study that is being begun, and the study file that is written of it."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quart_heure.categories import Category, default_catalogue, extend_catalogue
from quart_heure.sources.workbooks import WORKBOOKS
from quart_heure.starting.folder import People
from quart_heure.starting.lists import ServiceList, placed_name, words_of
from quart_heure.study.settings import template

if TYPE_CHECKING:
    import geopandas as gpd

_COLOURS = ("#117733", "#882255", "#999933", "#332288", "#AA4499", "#661100")
"""Colours of categories of one's own, told apart by colour-blind readers."""

_TABLE = re.compile(r"(?:# )?\[([a-z_.]+)\]")
_COMMENT = re.compile(r"  +(# .*)$")
_KEY = re.compile(r"(?:# )?([a-z_]+) = ")

Value = str | bool | Sequence[str] | Mapping[str, str]


@dataclasses.dataclass(kw_only=True)
class Draft:
    """What is known of a study that is begun.

    Parameters
    ----------
    file
        The study file to write: names of files are written as it finds them.
    name
        What the area is called.
    districts, layer, shapes, id_column, label_column
        The districts; None and "" where nobody said.
    lists
        Services. Those without places stand for the list that geocoding makes of them.
    words
        Categories of words that are not understood, by word.
    own
        Labels of categories that the study adds, by id.
    secret
        Categories whose places are not shown.
    essentials
        Those of the quarter of an hour; the usual ones where none is named.
    network, streets_date, people, background
        Streets and their day, where the file does not tell it; residents; what is drawn under maps.
    """

    file: Path
    name: str = ""
    districts: Path | None = None
    layer: str = ""
    shapes: gpd.GeoSeries | None = None
    id_column: str = ""
    label_column: str = ""
    lists: list[ServiceList] = dataclasses.field(default_factory=list)
    words: dict[str, str] = dataclasses.field(default_factory=dict)
    own: dict[str, str] = dataclasses.field(default_factory=dict)
    secret: list[str] = dataclasses.field(default_factory=list)
    essentials: list[str] = dataclasses.field(default_factory=list)
    network: Path | None = None
    streets_date: str = ""
    people: People | None = None
    background: Path | None = None

    def catalogue(self) -> dict[str, Category]:
        """Return the categories that the study knows, with the words that were added."""
        return extend_catalogue(self._categories())

    def occurring(self) -> list[str]:
        """Return the categories that its lists have, in the order of the catalogue."""
        catalogue = self.catalogue()
        there = {name for one in self.lists for name in one.categories(catalogue)}
        return [name for name in catalogue if name in there]

    def text(self) -> str:
        """Return the study file: the commented template, filled in."""
        people = self.people
        tables: dict[str, dict[str, Value]] = {
            "area": {
                "districts": self._relative(self.districts),
                "name": self.name,
                "layer": self.layer,
                "id_column": self.id_column,
                "label_column": self.label_column,
            },
            "network": {"file": self._relative(self.network), "date": self.streets_date},
            "residents": {}
            if people is None
            else {
                "file": self._relative(people.file),
                "layer": people.layer,
                "column": people.column,
            },
            "map": {"background": self._relative(self.background)},
            "analysis": {"essentials": self.essentials},
        }
        sources = self._sources()
        plain = [str(source["file"]) for source in sources if len(source) == 1]
        own = [source for source in sources if len(source) > 1]
        tables["services"] = {"files": plain}
        text = _filled(tables, without=("files",) if own and not plain else ())
        if own:
            at = text.index("# [services.merge]")
            text = text[:at] + "\n".join(_table("[[services.sources]]", s) for s in own) + text[at:]
        for name, values in self._categories().items():
            text += "\n" + _table(f"[categories.{name}]", values).removesuffix("\n")
        return text

    def _relative(self, file: Path | None) -> str:
        return "" if file is None else relative(file, self.file)

    def _sources(self) -> list[dict[str, Value]]:
        """Return the files of services, each with the settings that it needs."""
        parts: dict[Path, int] = {}
        for one in self.lists:
            parts[one.file] = parts.get(one.file, 0) + 1
        sources: list[dict[str, Value]] = []
        for one in self.lists:
            placed = one.has_places
            source: dict[str, Value] = {
                "file": self._relative(one.file if placed else placed_name(one.file))
            }
            if one.category:
                source["category"] = one.category
            if one.crs:
                source["crs"] = one.crs
            if one.columns:
                source["columns"] = dict(one.columns)
            if one.part and placed and (len(source) > 1 or one.alone):
                source["sheet" if one.file.suffix.lower() in WORKBOOKS else "layer"] = one.part
            if source not in sources:
                sources.append(source)
        return sources

    def _categories(self) -> dict[str, dict[str, Value]]:
        """Return what the study says of categories."""
        usual = default_catalogue()
        found: dict[str, dict[str, Value]] = {}
        for number, (name, label) in enumerate(self.own.items()):
            found[name] = {"fr": label, "colour": _COLOURS[number % len(_COLOURS)]}
        for name in dict.fromkeys([*self.words.values(), *self.secret]):
            more = [word for word, meant in self.words.items() if meant == name]
            values = found.setdefault(name, {})
            if more and name in usual:
                values["portal"] = words_of(usual[name], more, usual)
            elif more:
                values["portal"] = more
            if name in self.secret:
                values["discreet"] = True
        return found


def relative(file: Path, study: Path) -> str:
    """Return the name of a file as a study file finds it."""
    # A link is named as it is called: what it leads to may be another file tomorrow.
    whole, folder = (Path(os.path.abspath(path)) for path in (file, study.parent))  # noqa: PTH100
    return (whole.relative_to(folder) if whole.is_relative_to(folder) else whole).as_posix()


def _filled(tables: Mapping[str, Mapping[str, Value]], *, without: Sequence[str]) -> str:
    """Return the template with what is known in the place of its examples.

    Of a key that nobody knows the example stays, so that it can be filled in; but for keys that
    another part of the file stands for.
    """
    here = ""
    lines = []
    for line in template().splitlines(keepends=True):
        table, key = _TABLE.match(line), _KEY.match(line)
        if table is not None:
            here = table[1]
            wanted = any(tables.get(here, {}).values())
            lines.append(line.removeprefix("# ") if wanted else line)
            continue
        value = tables.get(here, {}).get(key[1]) if key is not None else None
        if key is not None and here == "services" and key[1] in without:
            continue
        lines.append(_with_value(line, key[1], value) if key is not None and value else line)
    return "".join(lines)


def _with_value(line: str, key: str, value: Value) -> str:
    """Return a line of the template with another value, and its comment where it stood."""
    written = f"{key} = {_toml(value)}"
    comment = _COMMENT.search(line)
    if comment is None:
        return f"{written}\n"
    return f"{written:<{comment.start(1) - 2}}  {comment[1]}\n"


def _table(heading: str, values: Mapping[str, Value]) -> str:
    return "".join([f"{heading}\n", *(f"{k} = {_toml(v)}\n" for k, v in values.items()), "\n"])


def _toml(value: Value) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(text)}" for key, text in value.items()) + " }"
    # A text or a list of texts in JSON is one in TOML.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
