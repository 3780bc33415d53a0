"""Manifests: JSON that is the same, byte for byte, for the same run, and what it tells people."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from quart_heure.errors import InputFileError
from quart_heure.files import replacing
from quart_heure.labels import phrase, told
from quart_heure.outputs.results.structure import fault_of_manifest
from quart_heure.steering import escaped_json

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


_HASH = 12
"""Signs of a hash that people are shown where room is scarce."""

MANIFEST_NAME = "manifest.json"
"""The file that makes a folder a result."""


_PLAIN = frozenset({str, int, bool})


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: numbers that are not finite become None."""
    if value is None or type(value) in _PLAIN:
        return value  # most are: asking whether they are anything else takes most of the time
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """Serialise plain data, in the order given, accents kept."""
    return escaped_json(
        json.dumps(plain(value), ensure_ascii=False, indent=indent, allow_nan=False)
    )


def describe_run(coverage: Coverage) -> dict[str, Any]:
    """Return the manifest of a coverage with what a reader needs to name things."""
    study = coverage.study
    return {
        **coverage.manifest,
        "area": study.area.name,
        "crs": study.area.crs.to_string(),
        "categories": [
            {
                "id": category.id,
                "fr": category.fr,
                "en": category.en,
                "colour": category.colour,
                "essential": category.essential,
            }
            for category in (study.catalogue[key] for key in study.categories)
        ],
    }


def write_manifest(manifest: Mapping[str, Any], path: Path) -> None:
    """Write a manifest, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json_text(manifest) + "\n", encoding="utf-8")


def residents_source(manifest: Mapping[str, Any], lang: str) -> str:
    """Say where the residents of a run are from: in the language, where their file does."""
    said = [i for i in manifest.get("inputs", []) if i.get("role") == "residents"]
    in_language = [told(i, "source", lang) for i in said if i.get(f"source_{lang}")]
    return "; ".join(in_language) or str(manifest.get("counts", {}).get("residents_source", ""))


def source_hash(entry: Mapping[str, Any], lang: str) -> str:
    """Say the beginning of an input's hash, enough to tell it from another; empty without one."""
    known = str(entry.get("sha256") or "")
    return phrase("source_hash", lang, hash=known[:_HASH]) if known else ""


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of a result folder.

    Raises
    ------
    InputFileError
        If the folder does not exist or does not hold a result, or its manifest was changed, or
        written by another program or a newer version.
    """
    path = directory / MANIFEST_NAME
    hint = "Give the folder that `quart-heure analyse -o` wrote."
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        what = (
            "is not a result: it has no manifest.json" if directory.is_dir() else "does not exist"
        )
        msg = f"{directory} {what}."
        raise InputFileError(msg, hint=hint) from error
    except NotADirectoryError as error:
        msg = f"{directory} is a file, not a folder of results."
        raise InputFileError(msg, hint=hint) from error
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read ({error})."
        raise InputFileError(msg, hint=hint) from error
    fault = fault_of_manifest(manifest) if isinstance(manifest, dict) else "is not a manifest"
    if fault:
        msg = f"{path}: {fault}."
        raise InputFileError(msg, hint=hint)
    return dict(manifest)


def render_info(manifest: Mapping[str, Any], *, changed: Sequence[str] = ()) -> str:
    """Describe a run: version, dates, inputs, parameters, counts, what was left out.

    Parameters
    ----------
    manifest
        Of a folder of results.
    changed
        Files that are missing or no longer what was written.
    """
    return "\n".join(_info_lines(manifest, changed))


def _info_lines(manifest: Mapping[str, Any], changed: Sequence[str]) -> Iterator[str]:
    yield f"{manifest['area']} – {manifest['tool']} {manifest['version']}, {manifest['created']}"
    yield f"OpenStreetMap data of {manifest.get('osm_date') or 'an unknown date'}"
    yield "\nInputs"
    for source in manifest.get("inputs", []):
        facts = [source.get("source"), source.get("date"), source.get("licence")]
        known = ", ".join(str(fact) for fact in facts if fact)
        yield f"  {source['role']}: {source['file']} ({source['sha256'][:12]}) {known}".rstrip()
    for title in ("parameters", "counts"):
        yield f"\n{title.capitalize()}"
        for key, value in manifest.get(title, {}).items():
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield f"  {key}: {shown}"
    if manifest.get("choices"):
        yield "\nChosen among several"
    for choice in manifest.get("choices", []):
        yield f"  {choice}"
    yield "\nLeft out"
    for kind, reasons in manifest.get("dropped", {}).items():
        for reason, amount in reasons.items():
            shown = (
                ", ".join(f"{number:g} {unit}" for unit, number in amount.items())
                if isinstance(amount, Mapping)
                else amount
            )
            yield f"  {kind}: {reason}: {shown}"
    for kind, amount in manifest.get("withheld", {}).items():
        shown = amount
        if isinstance(amount, Mapping):
            shown = ", ".join(f"{number} {name}" for name, number in amount.items()) or 0
        yield f"  withheld because discreet: {kind}: {shown}"
    yield "\n" + " · ".join(manifest.get("attribution", []))
    for name in changed:
        yield f"\nWARNING: {name} is missing or is not the file that was written."
