"""Changes of what figures mean, by date: the same inputs give other figures since."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from quart_heure.labels import typeset


def definitions_date() -> str:
    """Return the day of the newest change of a definition; results made since share them."""
    return max(change["date"] for change in _changes())


def changes_between(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> list[dict[str, str]]:
    """List what changed in the definitions between two manifests, oldest first.

    Parameters
    ----------
    earlier, later
        Manifests; one without ``definitions_date`` is of before these changes, unless its
        parameters show that it is of after them.

    Returns
    -------
    list of dict
        ``date``, ``fr``, ``en``; whichever of the two is the newer.
    """
    dates = sorted(_date_of(one) for one in (earlier, later))
    return [
        {"date": change["date"], "fr": typeset(change["fr"]), "en": change["en"]}
        for change in _changes()
        if dates[0] < change["date"] <= dates[1]
    ]


def _date_of(manifest: Mapping[str, Any]) -> str:
    told = str(manifest.get("definitions_date", ""))
    if told or "entries_within_m" not in manifest.get("parameters", {}):
        return told
    # Of the weeks between the first of the changes and the first manifest that keeps a date.
    return str(_changes()[0]["date"])


@functools.cache
def _changes() -> tuple[dict[str, str], ...]:
    file = resources.files("quart_heure.study").joinpath("definition_changes.toml")
    changes = tomllib.loads(file.read_text(encoding="utf-8"))["changes"]
    return tuple(sorted(changes, key=lambda change: str(change["date"])))
