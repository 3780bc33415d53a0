"""Sources of services: files, and how each is to be read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quart_heure.errors import StudyFileError
from quart_heure.hints import unknown_key
from quart_heure.sources.services.columns import FIELDS

SOURCE_KEYS = ("file", "layer", "sheet", "category", "columns", "crs", "rules")
"""What a study may say of one file of services."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceSource:
    """One file of services.

    Parameters
    ----------
    file
        CSV, workbook, JSON of a portal, Parquet, or a layer (see
        `quart_heure.sources.layers.KNOWN_FORMATS`).
    part
        The sheet or the layer of it that is read; all by default.
    category
        Category of its rows, but for those of which a column ``category`` says otherwise.
    columns
        Our names and this file's headings, for those that are not found.
    crs
        CRS of the columns x and y, or of the texts, where they are not degrees.
    rules
        Categories and what the names of their places look like: a regular expression or a list of
        words. The first that fits decides.
    """

    file: Path
    part: str = ""
    category: str = ""
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    crs: str = ""
    rules: Mapping[str, str | Sequence[str]] = dataclasses.field(default_factory=dict)


def sources_from_settings(
    settings: Mapping[str, Any], folder: Path, *, where: str
) -> tuple[ServiceSource, ...]:
    """Read the sources of the table ``[services]`` of a study file.

    Its ``files`` share the settings that stand beside them; each of ``[[services.sources]]`` has
    its own, and falls back on the shared ones.

    Raises
    ------
    StudyFileError
        If a key does not exist or a value is of the wrong kind.
    """
    shared = {key: settings[key] for key in SOURCE_KEYS if key in settings}
    _check(shared, f"{where}, [services]")
    sources = [_source({**shared, "file": name}, folder) for name in settings.get("files", ())]
    for number, own in enumerate(settings.get("sources", ()), start=1):
        place = f"{where}, [[services.sources]] {number}"
        if not isinstance(own, Mapping):
            msg = f"{place}: is {own!r}."
            raise StudyFileError(msg, hint='Write [[services.sources]] and file = "…" below.')
        _check(own, place)
        if "file" not in own:
            msg = f"{place}: there is no 'file'."
            raise StudyFileError(msg, hint='Add file = "…" to it.')
        sources.append(_source({**shared, **own}, folder))
    return tuple(sources)


def _source(settings: Mapping[str, Any], folder: Path) -> ServiceSource:
    named = {"file": folder / settings["file"]}
    named |= {"part": settings.get("layer", "") or settings.get("sheet", "")}
    others = {key: value for key, value in settings.items() if key not in {"layer", "sheet"}}
    return ServiceSource(**{**others, **named})


def _check(settings: Mapping[str, Any], where: str) -> None:
    if settings.get("layer") and settings.get("sheet"):
        msg = f"{where}: layer is {settings['layer']!r} and sheet is {settings['sheet']!r}."
        raise StudyFileError(msg, hint="Give the one that the file has.")
    for key, value in settings.items():
        if key not in SOURCE_KEYS:
            raise unknown_key(key, SOURCE_KEYS, where)
        if key == "columns":
            _check_table(value, where, key, 'pairs such as name = "nom du lieu"')
            for field, heading in value.items():
                if field not in FIELDS:
                    raise unknown_key(field, FIELDS, f"{where}, columns")
                if not isinstance(heading, str):
                    msg = f"{where}, columns: {field} is {heading!r}."
                    raise StudyFileError(msg, hint="It must be a heading in quotes.")
        elif key == "rules":
            _check_table(value, where, key, 'pairs such as esi = "espace solidarité"')
            for category, rule in value.items():
                words = rule if isinstance(rule, list | tuple) else [rule]
                if not words or not all(isinstance(word, str) and word for word in words):
                    msg = f"{where}, rules: {category} is {rule!r}."
                    hint = "It must be a regular expression in quotes, or a list of words."
                    raise StudyFileError(msg, hint=hint)
        elif not isinstance(value, str):
            msg = f"{where}: {key} is {value!r}."
            raise StudyFileError(msg, hint="It must be text in quotes.")
        elif key == "file" and not value.strip():
            msg = f"{where}: file is {value!r}."
            raise StudyFileError(msg, hint="Give the name of a file.")


def _check_table(value: Any, where: str, key: str, example: str) -> None:
    if not isinstance(value, Mapping):
        msg = f"{where}: {key} is {value!r}."
        raise StudyFileError(msg, hint=f"It must hold {example}.")
