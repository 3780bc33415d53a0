"""What a report says of the proposals that it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quart_heure.outputs.proposals.proposal import (
    Proposal,
    Said,
    SaidTable,
    proposal_title,
)
from quart_heure.outputs.report.structure import Next
from quart_heure.outputs.results.rows import printable


def next_content(proposals: Sequence[Proposal], labels: Mapping[str, str], lang: str) -> list[Next]:
    """Return the proposals as a report holds them.

    Parameters
    ----------
    proposals
        Of the same study (see `quart_heure.outputs.proposals.proposal.check_fits`).
    labels
        What categories are called.
    lang
        ``fr`` or ``en``.
    """
    return [
        {
            "kind": one.kind,
            "category": one.category,
            "title": proposal_title(one, labels, lang),
            "created": str(one.run.get("created", "")),
            "lines": [printable(str(line)) for line in one.said[lang]["lines"]],
            "parts": shown_tables(one.said[lang]),
            "answer": dict(one.answer),
        }
        for one in proposals
    ]


def shown_tables(said: Said) -> list[SaidTable]:
    """Return the tables of a proposal, with text that is safe to show."""
    return [
        {
            **part,
            "title": printable(part["title"]),
            "head": [printable(cell) for cell in part["head"]],
            "rows": [[printable(str(cell)) for cell in row] for row in part["rows"]],
        }
        for part in said["parts"]
    ]
