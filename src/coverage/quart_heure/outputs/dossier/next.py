"""What proposals mean for one district: sites here, shares before and after, calls and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from quart_heure.labels import format_number, format_pct
from quart_heure.outputs.dossier.words import Words, short
from quart_heure.outputs.proposals.proposal import Proposal, proposal_title

_PLACE = 60
_NAMED = 3
"""Sites, calls and links of a district that are named."""


def next_lines(
    proposals: Sequence[Proposal], district_id: str, names: Mapping[str, str], say: Words
) -> list[str]:
    """Say what each proposal is for a district, one sentence each; nothing where it is nothing.

    Parameters
    ----------
    proposals
        Of the study of the dossiers.
    district_id
        The district.
    names
        What categories are called.
    say
        Words in the language of the dossier.
    """
    told = {"sites": _sites, "calls": _calls, "links": _links}
    lines = []
    for one in proposals:
        found = told[one.kind](one, district_id, say)
        if found:
            title = proposal_title(one, names, say.lang)
            lines.append(say("next_line", title=title, text=found))
    return lines


def _sites(one: Proposal, district_id: str, say: Words) -> str:
    # With all that finds sites: few dossiers have any.
    from quart_heure.study.siting.tables import place_words  # noqa: PLC0415

    sites = one.tables["sites"]
    here = pd.DataFrame(sites[sites["district_id"].astype(str) == district_id])
    words = [
        say(
            "next_place",
            rank=row["rank"],
            place=short(place, _PLACE),
            n=format_number(row["gain_added"], say.lang),
            unit=_unit(one, say),
        )
        for row, place in zip(here.to_dict("records"), place_words(here), strict=True)
    ]
    parts = [say("next_sites_here", names=", ".join(words))] if words else []
    if not words:
        parts.append(say("next_sites_none", n=len(sites)))
    shares = one.tables["site_districts"]
    mine = shares[shares["district_id"].astype(str) == district_id]
    if len(mine):
        before, after = (
            format_pct(float(mine[name].iloc[0]), say.lang) for name in ("before_pct", "after_pct")
        )
        key = "next_share_same" if before == after else "next_share"
        parts.append(say(key, before=before, after=after))
    return " ".join(parts)


def _unit(one: Proposal, say: Words) -> str:
    weight = str(one.answer.get("asked", {}).get("weight", "residents"))
    return say(f"report.site_unit_{weight}")


def _calls(one: Proposal, district_id: str, say: Words) -> str:
    calls = one.tables["calls"]
    here = calls[calls["district_id"].astype(str) == district_id]
    here = here[(here["gain_if_yes"] > 0) | (here["gain_if_no"] > 0)]
    if here.empty:
        return ""
    return say("next_calls_here", n=len(here), names=_ranked(here.head(_NAMED), _called, say))


def _links(one: Proposal, district_id: str, say: Words) -> str:
    links = pd.DataFrame(one.tables["links"])
    here = links[links["district_id"].astype(str) == district_id]
    if here.empty:
        return ""
    return say("next_links_here", n=len(here), names=_ranked(here.head(_NAMED), _linked, say))


def _called(row: Mapping[Any, Any]) -> str:
    return str(row["name"] or row["service_id"])


def _linked(row: Mapping[Any, Any]) -> str:
    return " – ".join(str(row[name]) or "?" for name in ("from_street", "to_street"))


def _ranked(rows: pd.DataFrame, named: Any, say: Words) -> str:
    return ", ".join(
        say("next_ranked", rank=row["rank"], place=short(named(row), _PLACE))
        for row in rows.to_dict("records")
    )
