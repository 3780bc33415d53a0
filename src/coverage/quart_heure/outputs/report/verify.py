"""What a verification found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.runs.verify import Verification

VERIFICATION_FORMAT = "quart-heure-verification/1"
"""Name and version of the structure of the JSON."""

_STATES = {
    "changed": "is no longer the same file",
    "gone": "is gone",
    "live": "was asked of a server and is not kept",
    "untold": "holds discreet places: no hash of it is kept",
    "new": "is named by the study today and was not then",
}


def render_verification(found: Verification, *, form: str) -> str:
    """Write a verification: ``table`` (sentences) or ``json``."""
    if form == "json":
        return json_text(_content(found)) + "\n"
    return "\n".join(_lines(found)) + "\n"


def _content(found: Verification) -> dict[str, Any]:
    return {
        "format": VERIFICATION_FORMAT,
        "area": found.manifest["area"],
        "created": found.manifest.get("created", ""),
        "version": found.manifest.get("version", ""),
        "verified": found.verified,
        "recomputed": found.recomputed,
        "changed_files": found.changed_files,
        "inputs": [
            {"role": one.role, "file": one.file, "state": one.state} for one in found.inputs
        ],
        "study_changed": found.study_changed,
        "missing": found.missing,
        "tables": found.tables,
        "differences": [
            {
                "table": one.table,
                "column": one.column,
                "cells": one.cells,
                "examples": list(one.examples),
            }
            for one in found.differences
        ],
        "program": list(found.program) if found.program else None,
        "definitions": found.definitions,
    }


def _lines(found: Verification) -> Iterator[str]:
    manifest = found.manifest
    yield f"{printable(manifest['area'])}, made on {manifest.get('created', '')} by version " + str(
        manifest.get("version", "")
    )
    for name in found.changed_files:
        yield f"  file {printable(name)}: missing, or not what was written"
    if not found.changed_files:
        yield f"Files of the folder: all {len(manifest['files'])} are what was written."
    yield from _inputs(found)
    if found.program:
        yield f"Written by version {found.program[0]}, verified by version {found.program[1]}."
    for change in found.definitions:
        yield f"Definitions changed on {change['date']}: {change['en']}"
    if found.recomputed and not found.differences:
        yield f"Recomputed: every cell of {found.tables} tables and layers is the same."
    elif found.recomputed:
        yield from _differences(found)
    else:
        yield "Not recomputed: hashes alone were looked at."


def _inputs(found: Verification) -> Iterator[str]:
    if found.missing:
        yield f"Inputs: {printable(found.missing)}."
    elif found.lost:
        for one in found.lost:
            yield f"  input {one.role} {printable(one.file)}: {_STATES[one.state]}"
    else:
        yield f"Inputs: all {len(found.inputs)} are at hand, the same as then."
    if found.study_changed:
        yield "The study file has changed since; what was asked then is in the manifest."


def _differences(found: Verification) -> Iterator[str]:
    yield f"Recomputed: {len(found.differences)} columns or tables are not the same."
    for one in found.differences:
        where = f"{one.table}: {one.column}" if one.column else one.table
        cells = f" ({one.cells} cells)" if one.column else ""
        yield f"  {printable(where)}{cells}"
        for example in one.examples:
            yield f"    {printable(example)}"
