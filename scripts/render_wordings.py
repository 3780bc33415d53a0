"""Write ``docs/wordings.md``: how texts of service files are read, from the table of the tests.

python scripts/render_wordings.py
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "data" / "wordings.csv"
PAGE = ROOT / "docs" / "wordings.md"

_ABOUT = {
    "admits": "Whom a place admits, in a column of the public. `unknown` alone: not said, or no "
    "word of the schema says it; beside others: more people may be admitted.",
    "access": "How one gets in. By appointment one is neither sent nor free to come: `unknown`.",
    "animals": "Whether a dog may come in. Guide dogs are admitted by law: that says nothing of "
    "others.",
    "wheelchair": "Whether one gets in without steps.",
    "status": "Whether a place is there and open. What is said of some days is of the hours.",
    "capacity": "How many a place takes, and what is counted. Figures add up where they cannot be "
    "the same seats; of a range the lower counts; what stands in brackets is a part.",
    "secrecy": "Remarks that hide their place. In doubt a word hides.",
}

_HEAD = """\
# How texts are read

A text is read when **every word of it is accounted for**, *not* and *except* included. One word
that the vocabulary does not hold, a *not* that is about nothing, two statements that contradict
each other: the text is `unknown`, and the row is listed with the words that were not understood.
Adding a word to a text never makes an answer of it, and adding a *not* never leaves a yes.

The vocabulary is [`wordings.toml`](../src/coverage/quart_heure/sources/services/wordings.toml); the
reader is `quart_heure.sources.services.sentences`. This page is written by
`scripts/render_wordings.py` from the table that the tests check, `tests/data/wordings.csv`.
"""


def render(table: Path) -> str:
    """Return the page for a table of texts and readings."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return "\n".join([_HEAD, *_sections(rows)])


def _sections(rows: list[dict[str, str]]) -> Iterator[str]:
    for field, about in _ABOUT.items():
        yield f"## `{field}`\n\n{about}\n\n| text | reading |\n| --- | --- |"
        readings = dict.fromkeys(row["reading"] for row in rows if row["field"] == field)
        for reading in readings:
            for row in rows:
                if (row["field"], row["reading"]) == (field, reading):
                    text = row["text"].replace("|", "\\|")
                    yield f"| {text} | `{reading}` |"
        yield ""


if __name__ == "__main__":
    PAGE.write_text(render(TABLE), encoding="utf-8", newline="\n")
