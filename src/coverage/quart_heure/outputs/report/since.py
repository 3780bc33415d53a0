"""Since last time: what has changed since an earlier run, for reports and dossiers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from quart_heure.labels import UNKNOWN, format_date, format_number, text, word
from quart_heure.outputs.report.structure import Since, SinceRow
from quart_heure.outputs.results.manifest import describe_run
from quart_heure.outputs.results.read import Results
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.runs.causes import differing
from quart_heure.outputs.runs.compare import Run, changed_services, check_comparable, hides_places
from quart_heure.outputs.runs.figures import figures_of
from quart_heure.outputs.runs.gaps import match_gaps
from quart_heure.study.definition_changes import changes_between

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


def run_of(source: Coverage | Results) -> Run:
    """Return what a comparison reads, of a published coverage or of results that were read."""
    is_read = isinstance(source, Results)
    return Run(
        directory=source.directory if isinstance(source, Results) else Path("this run"),
        manifest=source.manifest if is_read else describe_run(source),  # type: ignore[arg-type]
        indicators=source.indicators,
        gaps=source.gaps,
        services=source.services,
    )


def since_content(
    source: Coverage | Results, earlier: Run, *, categories: Sequence[str], lang: str
) -> Since:
    """Gather what has changed since an earlier run.

    Parameters
    ----------
    source
        A published coverage, or results that were read.
    earlier
        The earlier run.
    categories
        Those to tell of, in order.
    lang
        Language of words and sentences.

    Raises
    ------
    InputFileError
        If the two cannot be compared.
    """
    later = run_of(source)
    check_comparable(earlier, later)
    gaps = match_gaps(earlier.gaps, later.gaps)
    gaps = gaps[gaps["category"].isin(categories)]
    services = changed_services(
        earlier.services, later.services, hides=hides_places(later.manifest)
    )
    services = services[services["category"].isin(categories)]
    differ = differing(earlier.manifest, later.manifest)
    kinds = Counter(gaps["change"])
    moved = Counter(services["change"])
    day = str(earlier.manifest.get("created", ""))[:10]
    return {
        "created": day,
        "title": text("runs.since", lang, date=format_date(day, lang)),
        "sentence": text(
            "runs.since_sentence",
            lang,
            **{kind: format_number(kinds[kind], lang) for kind in ("opened", "closed")},
            **{kind: format_number(kinds[kind], lang) for kind in ("grown", "shrunk")},
            added=format_number(moved["added"] + moved["counted"], lang),
            removed=format_number(moved["removed"] + moved["left_out"], lang),
        ),
        "rows": _rows(earlier, later, categories),
        "services": [
            {
                "change": word(f"service_{row['change']}", lang),
                "category": row["category"],
                "name": printable(str(row["name"] or row["service_id"])) or UNKNOWN,
                "district_id": row["district_id"],
            }
            for row in services.to_dict("records")
        ],
        "differs": [word(f"cause_{cause}", lang) for cause in differ],
        "definitions": [
            change[lang] for change in changes_between(earlier.manifest, later.manifest)
        ],
    }


def _rows(earlier: Run, later: Run, categories: Sequence[str]) -> list[SinceRow]:
    """Return shares before and after: of the whole area first, then of each district."""
    before, after = (_by_place(run) for run in (earlier, later))
    by = "residents_covered_pct"
    if not any(figures.get(by, np.nan) == figures.get(by, np.nan) for figures in after.values()):
        by = "covered_pct"
    rows: list[SinceRow] = []
    for (district, category), now in after.items():
        was = before.get((district, category))
        if was is None or category not in categories:
            continue
        if math.isnan(was["gaps"]) or math.isnan(now["gaps"]):
            continue  # not judged then, or not judged now
        rows.append(
            {
                "district_id": district,
                "category": category,
                "by": "residents" if by == "residents_covered_pct" else "area",
                "before_pct": was[by],
                "after_pct": now[by],
                "change_points": round(now[by] - was[by], 2) + 0.0,
                "residents_before": was["residents_covered"],
                "residents_after": now["residents_covered"],
                "gaps_before": int(was["gaps"]),
                "gaps_after": int(now["gaps"]),
            }
        )
    order = {category: at for at, category in enumerate(categories)}
    return sorted(rows, key=lambda row: (row["district_id"], order[row["category"]]))


def _by_place(run: Run) -> Mapping[tuple[str, str], dict[str, float]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    table = figures_of(run.indicators)
    columns = (table[name].tolist() for name in ("district_id", "category", "measure", "value"))
    for district, category, measure, value in zip(*columns, strict=True):
        found.setdefault((district, category), {})[measure] = value
    return found
