"""The study file of a snapshot: all that was fetched, ready to be analysed and to be changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from quart_heure.fetch.portals import RESIDENTS
from quart_heure.fetch.snapshot import DISTRICTS, NETWORK, SERVICES

_HEAD = """\
# A study of quart-heure, made by 'quart-heure fetch'. See 'quart-heure init' for all that can be
# set. OpenStreetMap's services are candidates by their tags: check them, and add your own list.
"""


def write_study(
    path: Path,
    *,
    name: str,
    threshold_min: float,
    services: Sequence[str] = (),
    portals: Sequence[str] = (),
    residents: bool = False,
    categories: Mapping[str, Mapping[str, str]] | None = None,
    background: str = "",
) -> None:
    """Write the study file of a snapshot.

    Parameters
    ----------
    path
        The file.
    name
        Name of the territory.
    threshold_min
        The longest threshold that the streets were taken for.
    services
        Files of services besides OpenStreetMap's candidates.
    portals
        Hosts that those come from. A place that is a candidate too is merged, and they are trusted
        more: candidates are known by their tags alone.
    residents
        Whether the snapshot has residents.
    categories
        Categories of those services that are not in the catalogue: ``fr``, ``en``, ``colour``.
    background
        File of water, parks and stations, "" without one.
    """
    people = {"file": _quoted(RESIDENTS), "source": _quoted("INSEE Filosofi, 200 m")}
    tables: dict[str, dict[str, str]] = {
        "area": {"districts": _quoted(DISTRICTS), "name": _quoted(name)},
        "services": {"files": _list([SERVICES, *services])},
        **({"services.merge": {"on": "true", "trust": _list(portals)}} if portals else {}),
        "network": {"file": _quoted(NETWORK)},
        **({"residents": people} if residents else {}),
        **({"map": {"background": _quoted(background)}} if background else {}),
        "analysis": {"threshold_min": f"{threshold_min:g}"},
    }
    for category, about in (categories or {}).items():
        tables[f"categories.{category}"] = {key: _quoted(text) for key, text in about.items()}
    parts = [
        f"[{table}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
        for table, values in tables.items()
    ]
    path.write_text("\n".join([_HEAD, *parts]), encoding="utf-8")


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _quoted(text: str) -> str:
    # A text of JSON is one of TOML.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
