"""The workbook: the tables that people read, a sheet for each, and a first one that explains them.

It is a part of every publication, and alone what a notebook writes in a line, of a coverage or of
results read back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from quart_heure.errors import OutputError
from quart_heure.files import AnyPath
from quart_heure.labels import LANGUAGES
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier.shared import shared_lines
from quart_heure.outputs.dossier.words import Words
from quart_heure.outputs.report.content import report_content
from quart_heure.outputs.report.structure import Report
from quart_heure.outputs.results.office import write_workbook
from quart_heure.outputs.results.read import Results
from quart_heure.outputs.results.write import text_tables
from quart_heure.schema import Column

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage

_TOO_LONG = frozenset({"entries", "week"})
"""Tables that are too long for a sheet that people read."""


def write_xlsx(found: Coverage | Results, path: AnyPath, *, lang: str = "fr") -> Path:
    """Write the tables of a coverage or of results: see `quart_heure.study.views.Views.to_xlsx`."""
    path = Path(path)
    if lang not in LANGUAGES:
        msg = f"There is no workbook in language {lang!r}."
        raise OutputError(msg, hint=f"Languages: {', '.join(LANGUAGES)}.")
    if path.suffix.lower() != ".xlsx":
        msg = f"{path}: is not the name of a workbook."
        raise OutputError(msg, hint="Let it end in .xlsx.")
    shown = found if isinstance(found, Results) else publishable(found)
    return write_tables(text_tables(shown), report_content(shown, lang=lang), path)


def write_tables(
    tables: Mapping[str, tuple[pd.DataFrame, Sequence[Column]]], report: Report, path: Path
) -> Path:
    """Write tables into a workbook, in the language of the report that they are of."""
    say = Words(report["lang"], "dossier", "publication")
    kept = {table: one for table, one in tables.items() if table not in _TOO_LONG}
    titles = {table: say(f"sheet_{table}") for table in kept} | {"about": say("about_sheet")}
    return write_workbook(
        kept,
        path,
        lang=say.lang,
        titles=titles,
        created=str(report["run"]["created"]),
        about=_about(kept, report, say),
    )


def _about(tables: Mapping[str, object], report: Report, say: Words) -> list[tuple[str, str]]:
    """Return the lines of the first sheet: what it is of, what each sheet holds."""
    shared = shared_lines(report)
    unit = report["district_word"]
    lines = [(report["area"], shared.about)]
    lines += [(say(f"sheet_{table}"), say(f"t_{table}", unit=unit)) for table in tables]
    lines.append((say("method"), " ".join(shared.method)))
    lines.append((say("report.run"), shared.parameters))
    lines += [(say("report.sources"), line) for line in shared.credits]
    return lines
