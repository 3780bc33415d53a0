"""What became of all territories of a batch: one table, one list of them, one map."""

from __future__ import annotations

import dataclasses
import datetime
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from quart_heure.batch.layout import BATCH
from quart_heure.batch.storage import Store
from quart_heure.batch.territory import Territory
from quart_heure.outputs.batch.pages import Entry, render_index, render_map
from quart_heure.outputs.results.csv import csv_text
from quart_heure.schema import check_columns, table_columns

COMPUTED, KEPT, FAILED = "computed", "kept", "failed"
"""What may become of a territory."""

SUMMARY_FILES = ("summary.csv", "summary.parquet", "map.html", "index.html")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of a territory.

    Parameters
    ----------
    territory, state
        Which one, and `COMPUTED`, `KEPT` or `FAILED`.
    batch
        What its manifest keeps of the batch; None if it failed.
    reason
        Why it failed.
    attempts
        Of this run.
    seconds, cpu_seconds, peak_mb
        What it took, of one that failed; of others it stands in ``batch``.
    """

    territory: Territory
    state: str
    batch: Mapping[str, Any] | None = None
    reason: str = ""
    attempts: int = 0
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_mb: float | None = None


def summary_table(fates: Sequence[Fate]) -> pd.DataFrame:
    """Return a row per territory, in the order given, as ``schema.csv`` declares it."""
    rows = [_row(fate) for fate in fates]
    kinds = {"text": "str", "integer": "Int64", "number": "float64"}
    columns = table_columns(BATCH)
    table = pd.DataFrame(rows, columns=[column.name for column in columns])
    table = table.astype({column.name: kinds[column.dtype] for column in columns})
    check_columns(table, BATCH)
    return table


def _row(fate: Fate) -> dict[str, Any]:
    one, batch = fate.territory, fate.batch or {}
    return {
        "territory": one.code,
        "label": one.label,
        "country": one.country,
        "departement": one.departement,
        "state": fate.state,
        "reason": fate.reason,
        "share_of": "",
        "attempts": fate.attempts,
        **{
            name: batch.get(name, getattr(fate, name))
            for name in ("seconds", "cpu_seconds", "peak_mb")
        },
        "bytes": batch.get("bytes"),
        **batch.get("figures", {}),
    }


def write_summary(
    fates: Sequence[Fate], store: Store, *, lang: str, day: datetime.date
) -> tuple[str, ...]:
    """Write the table as CSV and Parquet, the list of all territories and their map.

    Returns
    -------
    tuple of str
        Their names in the folder of the batch.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    table = summary_table(fates)
    content = io.BytesIO()
    table.to_parquet(content, index=False, compression="zstd")
    entries = [
        Entry(
            **{str(name): value for name, value in row.items()},
            place=fate.territory.place,
            outline=(fate.batch or {}).get("outline", []),
        )
        for fate, row in zip(fates, _plain(table), strict=True)
    ]
    pages = {
        "summary.csv": csv_text(table, table_columns(BATCH)).encode(),
        "summary.parquet": content.getvalue(),
        "map.html": render_map(entries, lang=lang, day=day.isoformat()).encode(),
        "index.html": render_index(entries, lang=lang, day=day.isoformat()).encode(),
    }
    for name in SUMMARY_FILES:
        store.write(name, pages[name])
    return SUMMARY_FILES


def _plain(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows with None for what is not known."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
