"""The manifest: what a result was made from, with which parameters, and what its words mean.

It is plain data, so that it travels inside every file that is written.
"""

from __future__ import annotations

import datetime
import functools
import os
import tomllib
from collections.abc import Mapping, Sequence
from importlib import metadata, resources
from typing import Any

from quart_heure.errors import InputFileError
from quart_heure.labels import format_plain, typeset


def build_manifest(
    *,
    inputs: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, Any],
    counts: Mapping[str, Any],
    dropped: Mapping[str, Any],
    osm_date: str,
    attribution: Sequence[str],
) -> dict[str, Any]:
    """Build the manifest of a run.

    Parameters
    ----------
    inputs
        One mapping per input: role, file, sha256, date, source, licence.
    parameters
        Everything that moves a figure. The definitions use ``profile``, ``speed_kmh``,
        ``threshold_min``, ``snap_m``, ``cell_m`` and ``min_gap_ha``.
    counts
        How many cells, services, gaps … there are.
    dropped
        What was left out: a count for each reason.
    osm_date
        Date of the OpenStreetMap data, ISO 8601, ``""`` if unknown.
    attribution
        Credits that every use of the results must carry.

    Returns
    -------
    dict
        Plain values only, in a fixed order.
    """
    return {
        "tool": "quart-heure",
        "version": tool_version(),
        "created": creation_time(),
        "osm_date": osm_date,
        "parameters": dict(parameters),
        "inputs": [dict(source) for source in inputs],
        "counts": dict(counts),
        "dropped": dict(dropped),
        "definitions": definitions(parameters),
        "limits": limits(parameters),
        # Several inputs may come from one source, and one input from several.
        "attribution": list(dict.fromkeys(part for c in attribution for part in _credits(c))),
    }


def _credits(attribution: str) -> list[str]:
    return [part.strip() for part in attribution.split(";") if part.strip()]


def creation_time() -> str:
    """Return the time now, or that of ``SOURCE_DATE_EPOCH``, in UTC to the second.

    Raises
    ------
    InputFileError
        If ``SOURCE_DATE_EPOCH`` is not a number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        moment = datetime.datetime.now(datetime.UTC)
    else:
        try:
            moment = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
        except (ValueError, OverflowError, OSError) as error:
            msg = f"SOURCE_DATE_EPOCH is {epoch!r}, not a number of seconds since 1970."
            raise InputFileError(msg, hint="Unset it or give a whole number.") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.cache
def tool_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return metadata.version("quart-heure")
    except metadata.PackageNotFoundError:  # run from the source tree without installation
        return "0+unknown"


def definitions(parameters: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the definitions that the figures rest on, with the values of these parameters.

    Returns
    -------
    list of dict
        ``key``, ``term_fr``, ``term_en``, ``fr``, ``en``.
    """
    return [
        {
            "key": key,
            "term_fr": typeset(words["term_fr"]),
            "term_en": words["term_en"],
            "fr": typeset(words["fr"]).format_map(_Shown(parameters, "fr")),
            "en": words["en"].format_map(_Shown(parameters, "en")),
        }
        for key, words in _texts()["definitions"].items()
        if _applies(words, parameters)
    ]


def limits(parameters: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what the figures of these parameters do not say: ``key``, ``fr``, ``en``."""
    return [
        {"key": key, "fr": typeset(words["fr"]), "en": words["en"]}
        for key, words in _texts()["limits"].items()
        if _applies(words, parameters)
    ]


def _applies(words: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Tell whether an entry is of a run with these parameters.

    Those of its ``when`` must all be set, of its ``when_any`` one, of its ``unless`` none.
    """
    wanted = all(parameters.get(name) for name in words.get("when", ()))
    some = words.get("when_any", ())
    wanted = wanted and (not some or any(parameters.get(name) for name in some))
    return wanted and not any(parameters.get(name) for name in words.get("unless", ()))


class _Shown(dict[str, Any]):
    """Parameters as people read them; one that is not given is shown as unknown."""

    def __init__(self, parameters: Mapping[str, Any], lang: str) -> None:
        super().__init__({key: format_plain(value, lang) for key, value in parameters.items()})

    def __missing__(self, key: str) -> str:
        return "—"


@functools.cache
def _texts() -> dict[str, Any]:
    file = resources.files("quart_heure").joinpath("definitions.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
