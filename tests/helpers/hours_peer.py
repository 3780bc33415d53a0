"""The community's evaluator of opening hours (npm ``opening_hours``), beside ours.

Where Node and the package are at hand (see ``docs/opening_hours.md``), texts are put to it; its
answers to a fixed set of texts are kept in ``tests/tables/opening_hours.tsv.gz`` for everybody.
``PYTHONPATH=tests python -m helpers.hours_peer`` writes that table anew.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from helpers.hours_real import real_shapes
from helpers.hours_texts import MOMENTS, generated
from quart_heure.sources.hours.syntax import (
    CLOSED,
    DAY_MIN,
    OPEN,
    UNKNOWN,
    Rule,
    SunTime,
    read_rules,
)
from quart_heure.sources.hours.tokens import SyntaxFaultError

TESTS = Path(__file__).parent.parent
TABLE = TESTS / "tables" / "opening_hours.tsv.gz"
FOLDER = Path(os.environ.get("QUART_HEURE_NPM", TESTS))
"""The folder whose ``node_modules`` has the package."""

N_GENERATED, SEED = 3_200, 12
LETTERS = {"c": CLOSED, "u": UNKNOWN, "o": OPEN}
REFUSED = "!"


def why_no_peer() -> str:
    """Say what is missing to ask the other evaluator, ``""`` if nothing is."""
    if shutil.which("node") is None:
        return "Node is not installed"
    if not (FOLDER / "node_modules" / "opening_hours").is_dir():
        return f"npm's opening_hours is not in {FOLDER / 'node_modules'}"
    return ""


def peer_states(texts: Sequence[str]) -> list[str]:
    """Return its states of each text at `MOMENTS`, a letter each; "!" if it refuses the text."""
    asked = {"folder": str(FOLDER), "texts": list(texts), "moments": list(MOMENTS)}
    done = subprocess.run(
        ["node", str(Path(__file__).with_suffix(".mjs"))],
        input=json.dumps(asked), capture_output=True, text=True, check=True,
        env={**os.environ, "TZ": "Europe/Paris"},
    )  # fmt: skip
    words: list[str] = json.loads(done.stdout)
    return words


def table_texts() -> list[str]:
    return list(dict.fromkeys([*real_shapes(), *generated(N_GENERATED, SEED)]))


def read_table() -> dict[str, str]:
    """Return its states of each text of the table."""
    lines = gzip.decompress(TABLE.read_bytes()).decode("utf-8").splitlines()
    return dict(reversed(line.split("\t")) for line in lines)  # type: ignore[arg-type]


REASONS = {
    "night": "the hours after midnight belong to the evening before, not to a day that begins",
    "comment": "open under a condition that a comment states: not for sure",
    "open end": "nobody knows for how long it stays open: it is not guessed",
    "no hours": "days without hours: not day and night",
    "no days": "hours of no day after hours of some days: of these, or of every day?",
    "off": "a last 'off': closed for good, or closed but for these hours?",
    "school": "no table of school holidays is given",
}
"""Why ours may differ from theirs."""


def reason(text: str, moment: str, theirs: int, ours: int) -> str:
    """Return the reason of a difference, ``""`` if there is none that is listed."""
    rules = read_rules(text)
    if ours == UNKNOWN:
        may = {
            "school": bool(re.search(r"\bSH\b", text, re.I)),
            "open end": any(span.open_end for rule in rules for span in rule.times),
            "comment": theirs == OPEN and '"' in text,
            "no days": theirs == OPEN and any(rule.resumes for rule in rules),
            "no hours": theirs == OPEN and any(_days_alone(rule) for rule in rules),
            "off": theirs == CLOSED and any(_off_alone(rule) for rule in rules[1:]),
        }
        if any(may.values()):
            return next(name for name, holds in may.items() if holds)
    hour, minute = moment[11:].split(":")
    night = int(hour) * 60 + int(minute) < max(map(_night_until, rules))
    return "night" if night else ""


def _days_alone(rule: Rule) -> bool:
    return bool(rule.selectors) and not rule.times and rule.state == UNKNOWN


def _off_alone(rule: Rule) -> bool:
    return rule.state == CLOSED and not (rule.selectors or rule.times or rule.fallback)


def _night_until(rule: Rule) -> int:
    """Return the minute until which a rule reaches into the day after, 0 if it does not."""
    latest = 0
    for span in rule.times:
        if span.open_end:
            latest = max(latest, 9 * 60)
        elif isinstance(span.end, SunTime):
            latest = max(latest, 12 * 60 if span.end.event in {"dawn", "sunrise"} else 0)
        elif span.end is not None:
            begin = 18 * 60 if isinstance(span.begin, SunTime) else span.begin
            latest = max(latest, span.end if span.end <= begin else span.end - DAY_MIN)
    return latest


def is_refused(text: str) -> bool:
    try:
        read_rules(text)
    except SyntaxFaultError:
        return True
    return False


if __name__ == "__main__":
    if why_no_peer():
        raise SystemExit(why_no_peer())
    texts_ = table_texts()
    TABLE.parent.mkdir(exist_ok=True)
    rows = [f"{states}\t{text}" for text, states in zip(texts_, peer_states(texts_), strict=True)]
    TABLE.write_bytes(gzip.compress(("\n".join(rows) + "\n").encode("utf-8"), mtime=0))
