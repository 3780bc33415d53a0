"""The command about what is kept between runs: cache."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quart_heure.commands.options import AsJson
from quart_heure.commands.speech import show
from quart_heure.errors import OutputError

if TYPE_CHECKING:
    from quart_heure.outputs.schemas import Kept, KeptKind

_KINDS: Mapping[str, str] = {
    "answer": "answers of report, paces and sensitivity, as they were asked for",
    "area": "districts, read and joined",
    "cells": "cells, and where they enter the streets",
    "contours": "isochrones",
    "drawn": "streets as the page of the map is told of them",
    "elsewhere": "reach of services that stand 15 m elsewhere",
    "fetch": "answers of servers, for a fetch that is taken up again",
    "ground": "water and barriers",
    "network": "streets",
    "places": "where services enter the streets",
    "reach": "reach of each service",
    "residents": "residents of each cell",
    "search": "streets as a walker sees them",
    "times": "minutes to the nearest service",
    "walks": "cells whose streets the page of the map is told",
}


def cache(
    clear: Annotated[
        bool, typer.Option("--clear", help="Remove all of it; the next run is slower, no other.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is kept between runs, where, and how much of it; or clear it."""
    from quart_heure.cache import default_cache

    kept = default_cache()
    folder = kept.folder
    told: Kept = {
        "folder": None if folder is None else str(folder),
        "most_mb": kept.most_bytes / 1e6,
        "cleared": clear,
        "kinds": [] if folder is None else _found(folder),
    }
    if clear and folder is not None:
        _clear(folder)
    if as_json:
        from quart_heure.outputs.results.manifest import json_text

        show(json_text(told))
        return
    for line in _lines(told):
        show(line)


def _found(folder: Path) -> list[KeptKind]:
    """Return what is kept, by kind: how many entries, megabytes, and when one was used last."""
    from quart_heure.cache import Cache
    from quart_heure.sources.online.answers import kept_answers

    each = [(one.kind, one.n_bytes, one.used) for one in Cache(folder).entries()]
    each += [("fetch", n_bytes, used) for n_bytes, used in kept_answers(folder)]
    kinds = sorted({kind for kind, _, _ in each})
    return [
        {
            "kind": kind,
            "what": _KINDS.get(kind, "of another version"),
            "entries": sum(one == kind for one, _, _ in each),
            "mb": round(sum(size for one, size, _ in each if one == kind) / 1e6, 1),
            "used": datetime.datetime.fromtimestamp(
                max(used for one, _, used in each if one == kind), datetime.UTC
            ).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for kind in kinds
    ]


def _clear(folder: Path) -> None:
    from quart_heure.cache import Cache
    from quart_heure.sources.online.answers import forget_answers

    try:
        for entry in Cache(folder).entries():
            entry.path.unlink(missing_ok=True)  # another run may make room
        forget_answers(folder)
    except OSError as error:
        msg = f"{folder}: cannot be cleared ({error.strerror or error})."
        raise OutputError(
            msg, hint="Remove the folder by hand, or ask whom it belongs to."
        ) from error


def _lines(told: Kept) -> list[str]:
    if told["folder"] is None:
        return ["Nothing is kept: QUART_HEURE_CACHE is empty."]
    kinds = told["kinds"]
    entries, mb = sum(one["entries"] for one in kinds), sum(one["mb"] for one in kinds)
    done = "removed" if told["cleared"] else f"at most {told['most_mb']:,.0f} MB are kept"
    lines = [f"{told['folder']}: {entries} entries, {mb:.1f} MB ({done})"]
    return lines + [
        f"  {one['kind']:<10}{one['entries']:>4} {one['mb']:>8.1f} MB  last used {one['used']}"
        f"  {one['what']}"
        for one in kinds
    ]
