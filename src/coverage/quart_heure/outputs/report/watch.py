"""Watching: conditions on figures, such as ``residents_covered_pct[esi] < 40``."""

from __future__ import annotations

import dataclasses
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from quart_heure.errors import CategoryError, InputFileError
from quart_heure.hints import nearest_hint
from quart_heure.outputs.report.content import resolve_districts
from quart_heure.schema import table_columns

_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MOVED = ("fell by", "rose by", "changed by")

_WRITTEN = re.compile(
    r"""\s*(?P<measure>\w+)\s*
    \[\s*(?P<category>[^\],]+?)\s*(?:,\s*(?P<district>[^\]]+?)\s*)?\]\s*
    (?P<test><=|>=|<|>|fell\ by|rose\ by|changed\ by)\s*
    (?P<number>\d+(?:[.,]\d+)?)\s*%?\s*""",
    re.VERBOSE,
)

_OTHER_NAMES = {"covered_residents_pct": "residents_covered_pct"}

EVERY = "*"
"""In place of a district: any of them."""

_TOLERANCE = 1e-9


@dataclasses.dataclass(frozen=True)
class Condition:
    """A figure that must not be so.

    Parameters
    ----------
    text
        As it was written.
    measure
        A column of the indicators.
    category
        A category or composite.
    district
        Id, label or number; `EVERY` for any district, empty for the whole area.
    test
        ``<``, ``<=``, ``>``, ``>=``; or ``fell by``, ``rose by``, ``changed by``, which compare
        with an earlier run.
    number
        In the unit of the measure, percentage points for shares.
    """

    text: str
    measure: str
    category: str
    district: str
    test: str
    number: float

    @property
    def needs_earlier(self) -> bool:
        """Whether it compares with an earlier run."""
        return self.test in _MOVED


def read_condition(text: str) -> Condition:
    """Read a condition as people write it.

    Examples
    --------
    >>> one = read_condition("residents_covered_pct[esi, 13e] fell by 1")
    >>> one.category, one.district, one.test, one.number
    ('esi', '13e', 'fell by', 1.0)

    Raises
    ------
    InputFileError
        If it is not one, or there is no such figure; the message names the nearest.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        msg = f"{text!r} is not a condition on a figure."
        hint = 'Write it like "residents_covered_pct[esi] < 40" or "gaps[esi, 13e] rose by 1".'
        raise InputFileError(msg, hint=hint)
    measure = _OTHER_NAMES.get(found["measure"], found["measure"])
    known = [c.name for c in table_columns("indicators") if c.dtype in {"number", "integer"}]
    if measure not in known:
        msg = f"{text!r}: the indicators have no figure {measure!r}."
        raise InputFileError(msg, hint=nearest_hint(measure, known))
    number = float(found["number"].replace(",", "."))
    return Condition(
        text.strip(), measure, found["category"], found["district"] or "", found["test"], number
    )


@dataclasses.dataclass(frozen=True)
class Alarm:
    """A condition that is met, or of which it is not known whether it is.

    Parameters
    ----------
    condition
        As it was written.
    place
        The district, or the whole area.
    before, value
        The figure then (NaN where nothing is compared) and now.
    """

    condition: str
    place: str
    before: float
    value: float

    def __str__(self) -> str:
        """Say it in one line."""
        now = "not known" if math.isnan(self.value) else f"{self.value:g}"
        was = "" if math.isnan(self.before) else f"{self.before:g} before, "
        return f"{self.condition} ({self.place}: {was}{now} now)"


def alarms(
    indicators: pd.DataFrame,
    conditions: Sequence[Condition],
    *,
    earlier: pd.DataFrame | None = None,
) -> list[Alarm]:
    """Return the conditions that are met.

    Parameters
    ----------
    indicators
        Of the run.
    conditions
        What must not be.
    earlier
        Indicators of an earlier run, for conditions that compare with one.

    Raises
    ------
    CategoryError, InputFileError
        If a category or a district is not among the indicators, or there is no earlier run.
    """
    raised: list[Alarm] = []
    for one in conditions:
        if one.needs_earlier and earlier is None:
            msg = f"{one.text!r} compares with an earlier run."
            raise InputFileError(msg, hint="Name its folder with --since.")
        for district, place in _places(indicators, one.district):
            value = _figure(indicators, one, district)
            before = math.nan
            if one.needs_earlier and earlier is not None:
                before = _figure(earlier, one, district)
            if _is_met(one, before, value):
                raised.append(Alarm(one.text, place, before, value))
    return raised


def _is_met(one: Condition, before: float, value: float) -> bool:
    """Tell whether a condition is met; of what is not known nobody can say that it is not."""
    if not one.needs_earlier:
        return math.isnan(value) or _COMPARED[one.test](value, one.number)
    change = value - before
    if math.isnan(change):
        return True
    moved = {"fell by": -change, "rose by": change, "changed by": abs(change)}[one.test]
    # "by 0" would be met by what has not moved at all.
    return moved >= one.number - _TOLERANCE and moved > _TOLERANCE


def _places(indicators: pd.DataFrame, district: str) -> list[tuple[str, str]]:
    rows = indicators.drop_duplicates("district_id")
    labels = dict(zip(rows["district_id"], rows["label"], strict=True))
    if not district:
        return [("", str(labels.get("", "")))]
    ids = resolve_districts(indicators, [] if district == EVERY else [district])
    return [(each, str(labels[each])) for each in ids]


def _figure(indicators: pd.DataFrame, one: Condition, district: str) -> float:
    known = list(dict.fromkeys(indicators["category"]))
    if one.category not in known:
        msg = f"{one.text!r}: the results have no category {one.category!r}."
        raise CategoryError(msg, hint=nearest_hint(one.category, known))
    if one.measure not in indicators:
        return math.nan  # of hours or persons, which were not asked about
    mine = (indicators["category"] == one.category) & (indicators["district_id"] == district)
    values = indicators.loc[mine, one.measure].astype(float)
    column = next(c for c in table_columns("indicators") if c.name == one.measure)
    if values.empty:
        return math.nan
    # As the files and the pages round: 39.999 that is shown as 40 is 40.
    return float(round(values.iloc[0], column.decimals if column.decimals is not None else 0))
