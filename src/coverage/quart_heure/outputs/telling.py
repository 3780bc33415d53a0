"""Texts that would tell of a discreet place by its id or its name.

Its words never reach the problems (see `quart_heure.sources.problems.ProblemList`): this is a
second lock. Addresses are looked for in free texts alone, coordinates nowhere: a row of a place
that is shown, left out for being near, would tell where the other one is.
"""

from __future__ import annotations

import re
from typing import TypeVar

import pandas as pd

from quart_heure.schema import OWN
from quart_heure.sources.services.mentions import FREE_TEXTS, Mentions, free_texts
from quart_heure.sources.services.own import own_of

_Frame = TypeVar("_Frame", bound=pd.DataFrame)


def telling_rows(problems: pd.DataFrame, hidden: pd.DataFrame) -> pd.Series[bool]:
    """Tell which problems name a place by its id or name, or tell its address in a free text."""
    naming, mentions = naming_pattern(hidden), Mentions(hidden)
    if problems.empty or naming is None:
        return pd.Series(False, index=problems.index)
    rows = problems[["field", "value", "reason", "action"]].astype("str")
    return pd.Series(
        [
            bool(naming.search(" ".join(row)))
            or (row[0].startswith((*FREE_TEXTS, OWN)) and mentions.found(" ".join(row[1:])))
            for row in rows.itertuples(index=False, name=None)
        ],
        index=problems.index,
        dtype=bool,
    )


def naming_pattern(hidden: pd.DataFrame) -> re.Pattern[str] | None:
    """Return what is found in a text that has the id or the name of a place; None without any."""
    names = {
        str(name).strip()
        for column in ("service_id", "name")
        for name in hidden[column].dropna().tolist()
    } - {""}
    if not names:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(names)))})(?!\w)", re.I)


def telling_nothing(services: _Frame, hidden: pd.DataFrame) -> _Frame:
    """Return services without the free texts that tell of a place; own columns left empty go.

    What the columns of the schema hold is known, those of others may be about anything: a heading
    over blanks would tell that a place is not shown.
    """
    naming, mentions = naming_pattern(hidden), Mentions(hidden)
    own = own_of(services)
    changed = services.assign(**services[own].fillna("").astype("str"))
    for name in free_texts(services) if mentions else ():
        texts = services[name].fillna("").astype("str")
        telling = pd.Series(mentions.told_in(texts), index=texts.index, dtype=bool)
        if name in own and naming is not None:
            telling |= texts.str.contains(naming)
        changed[name] = changed[name].mask(telling, "")
    shown: _Frame = changed.drop(columns=[n for n in own if not (changed[n] != "").any()])
    return shown
