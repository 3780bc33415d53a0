"""Texts that would tell of a discreet place by its id or its name.

Its words never reach the problems (see `quart_heure.sources.problems.ProblemList`): this is a
second lock. Addresses and coordinates are not looked for: a row of a place that is shown, left out
for being near, would tell where the other one is.
"""

from __future__ import annotations

import re

import pandas as pd


def telling_rows(problems: pd.DataFrame, hidden: pd.DataFrame) -> pd.Series[bool]:
    """Tell which problems name a place by its id or name."""
    naming = naming_pattern(hidden)
    if problems.empty or naming is None:
        return pd.Series(False, index=problems.index)
    rows = problems[["field", "value", "reason", "action"]].astype("str")
    return pd.Series(
        [bool(naming.search(" ".join(row))) for row in rows.itertuples(index=False, name=None)],
        index=problems.index,
        dtype=bool,
    )


def naming_pattern(hidden: pd.DataFrame) -> re.Pattern[str] | None:
    """Return what is found in a text that has the id or the name of a place; None without any."""
    names = {
        str(name).strip() for column in ("service_id", "name") for name in hidden[column].tolist()
    } - {""}
    if not names:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(names)))})(?!\w)", re.I)
