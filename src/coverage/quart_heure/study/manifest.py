"""The manifest of a run: what a study was made from and what became of it, in plain data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from quart_heure.analysis.gaps import BARRIER_SHARE
from quart_heure.analysis.hours import newest_source
from quart_heure.analysis.statuses import BORDERLINE
from quart_heure.analysis.surface import Cells
from quart_heure.analysis.week import hours_of_week
from quart_heure.manifest import build_manifest
from quart_heure.network.snapping import ALWAYS_M, NEAREST_FACTOR
from quart_heure.sources.residents.weights import DistrictWeights
from quart_heure.study.study import Study


def run_manifest(
    study: Study,
    *,
    cells: Cells,
    services: pd.DataFrame,
    gaps: pd.DataFrame,
    problems: pd.DataFrame,
    residents_outside: float,
) -> dict[str, Any]:
    """Build the manifest of an analysis.

    Parameters
    ----------
    study
        What was analysed.
    cells, services, gaps, problems
        What was found.
    residents_outside
        People that live in no cell of the area.
    """
    inside, on = cells.inside, cells.attachment.attached
    counts = {
        "cells": int(np.count_nonzero(cells.inside)),
        "cells_off_network": int(np.count_nonzero(inside & ~cells.water & ~on)),
        "cells_water": None
        if study.ground is None
        else int(np.count_nonzero(inside & cells.water)),
        "network_nodes": study.network.n_nodes,
        "network_edges": study.network.n_edges,
        "districts": len(study.area.districts),
        "services": len(services),
        "services_counted": int(services["counted"].sum()),
        "services_counted_outside": int((services["counted"] & ~services["inside"]).sum()),
        "gaps": len(gaps),
        "problems": len(problems),
        "residents_outside": round(residents_outside, 1),
        "residents_source": "" if study.residents is None else study.residents.source,
        **_told_weights(study.weights),
    }
    return build_manifest(
        inputs=study.provenance,
        parameters=_parameters(study),
        counts=counts,
        dropped={
            "services": _tally(services.loc[~services["counted"], "left_out_reason"]),
            "rows": _tally(problems.loc[problems["action"] == "left out", "reason"]),
            "streets": dict(study.network.meta.get("dropped", {})),
        },
        osm_date=str(study.network.meta.get("osm_date", "")),
        attribution=_attribution(study),
    )


def _parameters(study: Study) -> dict[str, Any]:
    """Return everything that moves a figure."""
    profile = study.profile
    return {
        "area": study.area.name,
        "crs": study.area.crs.to_string(),
        "categories": list(study.categories),
        "profile": profile.name,
        "person": "" if study.person is None else study.person.name,
        "speed_kmh": profile.speed_kmh,
        "steps_factor": profile.steps_factor,
        "steps_allowed": profile.steps_allowed,
        "heights": "" if study.heights is None else study.heights.source or "given",
        "threshold_min": study.threshold_min,
        "isochrones_min": list(study.isochrones_min),
        "borderline_pct": 100 * BORDERLINE,
        "cell_m": study.cell_m,
        "snap_m": study.snap_m,
        "entries_within_m": ALWAYS_M,
        "entries_nearest_factor": NEAREST_FACTOR,
        "ground": "" if study.ground is None else study.ground.source,
        "min_gap_ha": study.min_gap_ha,
        "barrier_share_pct": 100 * BARRIER_SHARE,
        "useful_component_pct": 100 * study.useful_share,
        "counted_status": list(study.counted_status),
        "date": "" if study.date is None else study.date.isoformat(),
        "margin_m": study.margin_m,
        **_hour_parameters(study),
    }


def _told_weights(weights: DistrictWeights | None) -> dict[str, Any]:
    if weights is None:
        return {}
    return {
        "second_weight_fr": weights.fr,
        "second_weight_en": weights.en,
        "second_weight_source": weights.source,
        "second_weight_districts": len(weights.values),
    }


def _hour_parameters(study: Study) -> dict[str, Any]:
    """Return what a study asks about hours, nothing if it does not."""
    moment = study.moment
    if moment is None and not study.week:
        return {}
    asked: dict[str, Any] = {"stay_min": study.stay_min, "country": study.country}
    if moment is not None:
        asked["at"] = moment.start.isoformat(sep=" ", timespec="minutes")
        if moment.end is not None:
            asked["until"] = moment.end.isoformat(sep=" ", timespec="minutes")
    if study.week:
        asked["week_of"] = hours_of_week(study.reference_day)[0].date().isoformat()
        newest = newest_source(study.services.table)
        asked["week_is_newest"] = study.week_of is None and newest is not None
    return asked


def _tally(reasons: pd.Series[str]) -> dict[str, int]:
    return {str(reason): int(n) for reason, n in reasons.value_counts().sort_index().items()}


def _attribution(study: Study) -> list[str]:
    credits_ = [str(study.network.meta.get("attribution", ""))]
    credits_ += [str(source.get("attribution", "")) for source in study.provenance]
    return list(dict.fromkeys(credit for credit in credits_ if credit))
