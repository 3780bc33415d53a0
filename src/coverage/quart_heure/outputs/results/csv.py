"""Tables as CSV, for spreadsheets and programs: the same bytes for the same table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from quart_heure.labels import LANGUAGES, text
from quart_heure.schema import Column
from quart_heure.sources.texts import FORMULA_STARTS
from quart_heure.steering import STEERING

INTERNAL = "internal"
"""The column that marks figures that are not to be passed on."""


def csv_text(
    frame: pd.DataFrame,
    columns: list[Column],
    *,
    private: bool = False,
    delimiter: str = ",",
    decimal: str = ".",
) -> str:
    """Return a table as CSV: commas, decimals by unit, empty for unknown.

    Text that a spreadsheet might run as a formula gets a leading apostrophe; numbers do not need
    one and stay numbers. Of figures that are not to be passed on, every row says so in a last
    column ``internal``, which `read_csv` takes off again.
    """
    shown = pd.DataFrame(
        {
            column.name: _as_text(frame, column, decimal)
            for column in columns
            if column.files != "ranges" or column.name in frame
        }
    )
    if private:
        shown[INTERNAL] = " / ".join(text("report.private_short", lang) for lang in LANGUAGES)
    return str(shown.to_csv(index=False, lineterminator="\n", sep=delimiter, decimal=decimal))


def read_csv(path: Path, columns: list[Column]) -> pd.DataFrame:
    """Read a table that `csv_text` wrote, in UTF-8: same types, apostrophes taken off again."""
    frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
    frame = frame.drop(columns=INTERNAL, errors="ignore")
    for column in columns:
        if column.name not in frame:
            continue
        values = frame[column.name]
        if column.dtype == "text":
            guarded = values.str.startswith("'") & values.str[1:].str.startswith(FORMULA_STARTS)
            frame[column.name] = values.where(~guarded, values.str[1:])
        elif column.dtype == "boolean":
            frame[column.name] = values == "true"
        else:
            numbers = pd.to_numeric(values)
            whole = column.dtype == "integer" and numbers.isna().any()
            frame[column.name] = numbers.astype("Int64") if whole else numbers
    return frame


def _as_text(frame: pd.DataFrame, column: Column, decimal: str) -> pd.Series[Any]:
    values = frame[column.name]
    if column.dtype == "boolean":
        return values.map({True: "true", False: "false"})
    # In lists: tables are short, and a step of pandas costs as much as a hundred rows.
    shown: list[str]
    if column.dtype == "text":
        words = values.tolist()
        safe = {word: _safe(word) for word in set(words)}
        shown = [safe[word] for word in words]
    elif column.decimals is None:
        return values
    else:
        places = column.decimals
        numbers = values.to_numpy(dtype=float).tolist()
        shown = [f"{n:.{places}f}" if math.isfinite(n) else "" for n in numbers]
        if decimal != ".":
            shown = [number.replace(".", decimal) for number in shown]
    return pd.Series(shown, index=values.index, dtype=object)


def _safe(word: Any) -> str:
    if pd.isna(word):
        return ""
    # A bare carriage return is not quoted and would begin a row of its own.
    text = str(word).replace("\r\n", "\n").replace("\r", "\n")
    text = STEERING.sub("", text)
    return "'" + text if text.startswith(FORMULA_STARTS) else text
