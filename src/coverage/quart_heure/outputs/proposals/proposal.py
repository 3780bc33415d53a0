"""What is proposed: tables, what is said of them in each language, and of which run they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, get_args

import pandas as pd

from quart_heure.errors import InputFileError
from quart_heure.labels import phrase
from quart_heure.outputs.results.manifest import plain

Kind = Literal["sites", "calls", "links"]

KINDS: tuple[str, ...] = get_args(Kind)

PROPOSAL_FORMAT = "quart-heure-proposal/1"
"""Name and version of a folder of them."""

_STUDY = (
    *("area", "crs", "profile", "speed_kmh", "steps_factor", "steps_allowed"),
    *("demanding_allowed", "heights", "threshold_min", "cell_m", "snap_m", "entries_within_m"),
    *("entries_nearest_factor", "ground", "useful_component_pct", "counted_status", "date"),
)
_QUESTION = ("person", "at", "until")


class SaidTable(TypedDict):
    """A table as people read it; figures begin at a column, and ``more`` rows are left out."""

    title: str
    head: list[str]
    numbers_from: int
    rows: list[list[str]]
    more: int


class Said(TypedDict):
    """What is said of a proposal in a language."""

    title: str
    lines: list[str]
    parts: list[SaidTable]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Proposal:
    """What a siting, a phone list or a search for links found.

    Parameters
    ----------
    kind
        ``sites``, ``calls`` or ``links``.
    category
        What would open, or whose gaps links are for; "" for calls.
    tables
        By the name that they have in the schema; layers in the CRS of the study.
    said
        What is said of it, by language.
    answer
        The question and its answer in figures.
    run
        Manifest of the analysis that it was made from.
    where
        The folder that it was read from; "" for one that was just made.
    """

    kind: Kind
    category: str
    tables: Mapping[str, pd.DataFrame]
    said: Mapping[str, Said]
    answer: Mapping[str, Any]
    run: Mapping[str, Any]
    where: str = ""


def proposal_title(proposal: Proposal, labels: Mapping[str, str], lang: str) -> str:
    """Return what a proposal is about: where to open next, and of which category."""
    kind = phrase(f"next_{proposal.kind}", lang)
    if not proposal.category:
        return kind
    label = labels.get(proposal.category, proposal.category)
    return phrase("next_title", lang, kind=kind, category=label)


def check_fits(proposals: Sequence[Proposal], manifest: Mapping[str, Any]) -> None:
    """Refuse proposals that were made from something else than a run.

    Parameters
    ----------
    proposals
        Those to show.
    manifest
        Of the run that they are to be shown with.

    Raises
    ------
    InputFileError
        If inputs, version, or what moves a figure are others. A phone list may be of another hour
        or person, which it says.
    """
    for proposal in proposals:
        differs = _difference(proposal, manifest)
        if differs:
            msg = f"{proposal.where or proposal.kind}: {differs}."
            hint = f"Run `quart-heure {_COMMANDS[proposal.kind]}` on the study that is shown."
            raise InputFileError(msg, hint=hint)


_COMMANDS = {"sites": "site", "calls": "ask", "links": "links"}


def _difference(proposal: Proposal, manifest: Mapping[str, Any]) -> str:
    mine, theirs = plain(proposal.run), plain(manifest)
    ours, shown = (each.get("parameters", {}) for each in (mine, theirs))
    if ours.get("area") != shown.get("area"):
        return f"is about {ours.get('area')!r}, and what is shown about {shown.get('area')!r}"
    if mine.get("version") != theirs.get("version"):
        return (
            f"was made by version {mine.get('version')}, and what is shown by"
            f" {theirs.get('version')}"
        )
    inputs = [
        sorted((str(one.get("role")), str(one.get("sha256"))) for one in each.get("inputs", []))
        for each in (mine, theirs)
    ]
    if inputs[0] != inputs[1]:
        others = sorted({role for role, _ in {*inputs[0]} ^ {*inputs[1]}})
        return f"was made from other inputs ({', '.join(others) or 'one of them twice'})"
    names = list(_STUDY)
    if proposal.kind != "calls":
        # How long one stays matters at an hour; a week that is shown beside it asks for it too.
        names += [*_QUESTION, *(("stay_min",) if ours.get("at") else ())]
    for name in names:
        if ours.get(name) != shown.get(name):
            return (
                f"was made with {name} {_word(ours.get(name))}, and what is shown with"
                f" {_word(shown.get(name))}"
            )
    if proposal.category and proposal.category not in shown.get("categories", []):
        return f"is about {proposal.category!r}, which is not shown"
    return ""


def _word(value: Any) -> str:
    if value in (None, "", []):
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value}"
