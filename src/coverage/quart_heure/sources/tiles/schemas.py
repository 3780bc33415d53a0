"""Schemas of vector tiles: which layer holds the streets, and what its fields say as tags.

What differs from schema to schema is data (``schemas.toml``). What is walked is not decided here:
fields become OpenStreetMap's tags, as far as tiles tell them, and a rule for tags judges them.
"""

from __future__ import annotations

import dataclasses
import functools
import tomllib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

from quart_heure.errors import InputFileError
from quart_heure.sources.tiles.files import Tile, find_layers

TagRule = Callable[[Mapping[str, str]], tuple[str, int]]
"""Says of a street by its tags why it is not walked, ``""`` if it is, and its flags."""

_NOTHING = frozenset({"", "no", "false", "0", "none", "nan"})
_TOLD_APART = frozenset({"pier", "raceway", "ferry"})
"""Classes that are no streets, and counted under their own name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ObstacleLayer:
    """A layer of polygons that walks across squares go round.

    Parameters
    ----------
    layer
        Its name.
    field, words
        What is taken of it; everything if no field is named.
    building
        Whether it holds buildings.
    base
        Field of the height in metres at which a building begins, ``""`` if none tells it.
    """

    layer: str
    field: str = ""
    words: frozenset[str] = frozenset()
    building: bool = False
    base: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schema:
    """How the tiles of one schema tell streets; the fields are described in ``schemas.toml``."""

    title: str
    source: str
    streets: str
    needs: tuple[str, ...]
    kind: str
    detail: str
    names: str
    name: tuple[str, ...]
    told: tuple[str, ...]
    levels: tuple[str, ...]
    bridge: str
    tunnel: str
    tells_foot: tuple[str, ...]
    simplified: bool
    squares: str
    rails: frozenset[str]
    lacks: tuple[str, ...]
    class_only_lacks: tuple[str, ...]
    highways: Mapping[str, str]
    details: Mapping[str, frozenset[str]]
    obstacles: tuple[ObstacleLayer, ...]

    @property
    def columns(self) -> list[str]:
        """Fields of the streets that are read."""
        flags = [flag.partition("=")[0] for flag in (self.bridge, self.tunnel)]
        own_name = [] if self.names else self.name
        detail = [self.detail] if self.detail else []
        wanted = [self.kind, *detail, *own_name, *self.told, *self.levels, *flags]
        return list(dict.fromkeys([*wanted, *self.needs, *self.tells_foot]))


@dataclasses.dataclass(frozen=True)
class Reading:
    """How the tiles at hand are read: their schema, and what they tell of it.

    Parameters
    ----------
    schema
        Their schema.
    tells_foot
        Whether they tell ``foot`` where it is mapped. Where they do not, nothing says which
        cycleways are shared, and all are walked.
    rule
        Judges a street by its tags.
    """

    schema: Schema
    tells_foot: bool
    rule: TagRule

    @property
    def joins_streets(self) -> bool:
        """Whether streets must be joined where a shared vertex was simplified away."""
        class_only = bool(self.schema.class_only_lacks) and not self.tells_foot
        return self.schema.simplified and not class_only

    @property
    def lacks(self) -> tuple[str, ...]:
        """What these tiles do not tell, in the words of the manifest."""
        if self.schema.class_only_lacks and not self.tells_foot:
            return self.schema.class_only_lacks
        return self.schema.lacks

    def kind(self, about: Mapping[str, Any]) -> str:
        """Return the highway class of a line, ``""`` if it is no street."""
        word = _word(about.get(self.schema.kind))
        detail = _word(about.get(self.schema.detail)) if self.schema.detail else ""
        if detail in self.schema.details.get(word, frozenset()):
            return detail
        return self.schema.highways.get(word, "")

    def brunnel(self, about: Mapping[str, Any]) -> str:
        """Return ``bridge``, ``tunnel`` or ``""``."""
        for word, flag in (("bridge", self.schema.bridge), ("tunnel", self.schema.tunnel)):
            field, _, value = flag.partition("=")
            told = _word(about.get(field))
            if (told == value) if value else (told not in _NOTHING):
                return word
        return ""

    def level(self, about: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what tells that a line lies above or below another that it crosses."""
        levels = [_word(about.get(field)).removesuffix(".0") for field in self.schema.levels]
        return (self.brunnel(about), *("" if level in _NOTHING else level for level in levels))

    def judge(self, about: Mapping[str, Any]) -> tuple[str, int]:
        """Return why a line is not walked, ``""`` if it is, and its flags."""
        kind, word = self.kind(about), _word(about.get(self.schema.kind))
        if not kind:
            if word in _TOLD_APART:
                return word, 0
            gone = word.endswith("construction") or word == "proposed"
            # Else railways, runways, disused lines, station buildings.
            return ("under_construction" if gone else "not_a_street"), 0
        told = {field: _word(about.get(field)) for field in self.schema.told}
        tags = {"highway": kind, **{key: value for key, value in told.items() if value}}
        for flag in ("indoor", "expressway"):
            if flag in tags:
                tags[flag] = "no" if tags[flag].removesuffix(".0") in _NOTHING else "yes"
        if brunnel := self.brunnel(about):
            tags[brunnel] = "yes"
        if kind == "cycleway" and not self.tells_foot:
            tags.setdefault("foot", "yes")
        return self.rule(tags)


def _word(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return ""
    return str(value).strip().lower()


@functools.cache
def known_schemas() -> tuple[Schema, ...]:
    """Return the schemas that are read."""
    text = resources.files("quart_heure.sources.tiles").joinpath("schemas.toml").read_text("utf-8")
    return tuple(_schema(about) for about in tomllib.loads(text).values())


def _schema(about: Mapping[str, Any]) -> Schema:
    obstacles = [
        ObstacleLayer(**{**layer, "words": frozenset(layer.get("words", "").split())})
        for layer in about["obstacles"]
    ]
    lists = ("needs", "name", "told", "levels", "tells_foot", "lacks")
    return Schema(
        **{
            **about,
            **{key: tuple(about[key]) for key in lists},
            "class_only_lacks": tuple(about.get("class_only_lacks", ())),
            "rails": frozenset(about["rails"].split()),
            "details": {key: frozenset(words.split()) for key, words in about["details"].items()},
            "obstacles": tuple(obstacles),
        }
    )


def find_schema(tiles: Sequence[Tile]) -> Schema:
    """Tell the schema of some tiles by the layers and fields that the first of them have.

    Raises
    ------
    InputFileError
        If none has a layer of streets that is known, with the layers found.
    """
    found: set[str] = set()
    for tile in tiles:
        layers = find_layers(tile)
        found |= layers.keys()
        for schema in known_schemas():
            if schema.streets in layers and set(schema.needs) <= layers[schema.streets]():
                return schema
    titles = ", ".join(schema.title for schema in known_schemas())
    where = tiles[0].path.parents[2]
    msg = f"{where}: no layer of streets that is known (layers: {', '.join(sorted(found)) or '-'})."
    raise InputFileError(msg, hint=f"Give tiles of one of the schemas {titles}.")
