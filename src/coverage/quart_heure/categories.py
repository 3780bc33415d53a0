"""The catalogue of service categories, packaged as TOML and open to a study's own."""

from __future__ import annotations

import dataclasses
import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.hints import nearest_hint

__all__ = [
    "RESERVED_IDS",
    "Category",
    "check_categories",
    "default_catalogue",
    "extend_catalogue",
    "with_essentials",
]

RESERVED_IDS = ("essential_all", "essential_any")
"""What the figures of all essential categories together are called."""

_ID = re.compile(r"[\w-]+")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Category:
    """One kind of service.

    Parameters
    ----------
    id
        The word used in files and columns.
    fr, en
        Labels shown to people.
    none_fr, none_en
        What one has none of, as a sentence says it: "aucune bagagerie"; "" where it is not said.
    colour
        Hexadecimal colour on maps.
    essential
        Whether it counts among the services of the quarter of an hour.
    osm
        Tags (``key=value``) that find candidates in OpenStreetMap.
    portal
        Words by which portals and lists call it, in a column of categories.
    discreet
        Whether its places are not shown unless their row says so.
    """

    id: str
    fr: str
    en: str
    none_fr: str = ""
    none_en: str = ""
    colour: str = "#444444"
    essential: bool = False
    osm: tuple[str, ...] = ()
    portal: tuple[str, ...] = ()
    discreet: bool = False

    def label(self, lang: str) -> str:
        """Return the label in a language, ``fr`` or ``en``."""
        return self.en if lang == "en" else self.fr

    def none(self, lang: str) -> str:
        """Return what one has none of in a language, ``fr`` or ``en``; "" where it is not said."""
        return self.none_en if lang == "en" else self.none_fr


@functools.cache
def default_catalogue() -> Mapping[str, Category]:
    """Read the packaged catalogue, in its order of presentation."""
    text = resources.files("quart_heure").joinpath("categories.toml").read_text(encoding="utf-8")
    return {key: _category(key, values) for key, values in tomllib.loads(text).items()}


def extend_catalogue(own: Mapping[str, Any]) -> dict[str, Category]:
    """Return the packaged catalogue with a study's own categories added or overridden.

    Raises
    ------
    StudyFileError
        If a category has an id of other signs or one of `RESERVED_IDS`, a key that does not exist,
        no French label, or a value that cannot be shown.
    """
    catalogue = dict(default_catalogue())
    for key, values in own.items():
        _check_id(key)
        base = dataclasses.asdict(catalogue[key]) if key in catalogue else {}
        base.pop("id", None)
        if isinstance(values, Mapping) and {"fr", "en"} & set(values):
            # Another name, and the sentence would speak of the old one.
            base = {name: one for name, one in base.items() if not name.startswith("none_")}
        catalogue[key] = _category(
            key, {**base, **values} if isinstance(values, Mapping) else values
        )
    return catalogue


def with_essentials(
    catalogue: Mapping[str, Category], essentials: Iterable[str]
) -> dict[str, Category]:
    """Return the catalogue with these categories essential, and no others.

    Raises
    ------
    CategoryError
        If the catalogue has no such category, or one is named twice.
    """
    chosen = check_categories(essentials, catalogue)
    return {
        key: dataclasses.replace(one, essential=key in chosen) for key, one in catalogue.items()
    }


def check_categories(ids: Iterable[str], catalogue: Mapping[str, Category]) -> tuple[str, ...]:
    """Return the ids as a tuple after checking that the catalogue has each, and each once.

    Raises
    ------
    CategoryError
        If one is missing; the message suggests the nearest id. If one is there twice.
    """
    checked = tuple(ids)
    for key in checked:
        if key not in catalogue:
            msg = f"There is no category {key!r}."
            raise CategoryError(msg, hint=nearest_hint(key, catalogue))
        if checked.count(key) > 1:
            msg = f"The category {key!r} is asked for {checked.count(key)} times."
            raise CategoryError(msg, hint="Name each category once.")
    return checked


def _check_id(key: str) -> None:
    """Refuse an id that could not head a column, or would head that of another figure."""
    if not _ID.fullmatch(key):
        msg = f"A category has the id {key!r}."
        hint = "Ids are of letters, digits, _ and -, such as [categories.laverie]."
        raise StudyFileError(msg, hint=hint)
    if key in RESERVED_IDS:
        msg = f"A category cannot have the id {key!r}, which figures of all essentials have."
        raise StudyFileError(msg, hint="Choose another id.")


_KINDS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "essential": (bool, "true or false"),
    "osm": ((list, tuple), "a list of tags such as ['amenity=shower']"),
    "portal": ((list, tuple), "a list of words such as ['Bains-douches']"),
    "discreet": (bool, "true or false"),
}


def _check_shown(key: str, name: str, value: Any) -> None:
    """Refuse a value of the right kind that pages cannot show, or that finds nothing."""
    hint = ""
    if name in {"fr", "en"} and not value.strip():
        hint = "It is what people read: give a word or two."
    elif name == "colour" and not _COLOUR.fullmatch(value):
        # It goes into the styles of pages as it is.
        hint = 'Give a colour such as "#117733" or "#173".'
    elif name == "osm" and not all(re.fullmatch(r"[^=\s]+=.+", str(tag)) for tag in value):
        hint = 'Tags are a key and a value, such as ["amenity=shower"].'
    elif name == "portal" and not all(str(word).strip() for word in value):
        hint = "Leave blank words out."
    if hint:
        msg = f"Category {key!r}: {name} is {value!r}."
        raise StudyFileError(msg, hint=hint)


def _category(key: str, values: Any) -> Category:
    if not isinstance(values, Mapping):
        msg = f"Category {key!r} is {values!r}."
        raise StudyFileError(msg, hint=f"Write [categories.{key}] and its label below.")
    fields = {f.name for f in dataclasses.fields(Category)} - {"id"}
    unknown = sorted(set(values) - fields)
    if unknown:
        msg = f"Category {key!r} has unknown keys: {', '.join(unknown)}."
        raise StudyFileError(msg, hint=f"Keys are {', '.join(sorted(fields))}.")
    if "fr" not in values:
        msg = f"Category {key!r} has no French label."
        raise StudyFileError(msg, hint="Add fr = '…' to it.")
    for name, value in values.items():
        kind, words = _KINDS.get(name, (str, "text in quotes"))
        listed = name in {"osm", "portal"} and isinstance(value, list | tuple)
        items = value if listed else [value]
        if not isinstance(value, kind) or not all(
            isinstance(item, str if listed else str | bool) for item in items
        ):
            msg = f"Category {key!r}: {name} is {value!r}."
            raise StudyFileError(msg, hint=f"It must be {words}.")
        _check_shown(key, name, value)
    merged = {"en": values["fr"], **values}
    for name in ("osm", "portal"):
        merged[name] = tuple(merged.get(name, ()))
    return Category(id=key, **merged)
