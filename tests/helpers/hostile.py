"""Coverages whose every text tries to be markup."""

from __future__ import annotations

import dataclasses
import itertools

import pandas as pd

from quart_heure.sources.problems import problem_table
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, Study, analyse

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "{{ 7 * 7777 }} {% raw %} {#",
    "\u202egnirts desrever",
    "'; alert(1) //",
    "x" * 500,
    "un nom de lieu qui n’en finit pas " * 15,
)

MAP_HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '"\' onmouseover="alert(1)',
    "{{ 7 * 7777 }} {% raw %} {#",
    "\u202egnirts desrever",
    "a\u2028b\u2029c <!-- ]]>",
    "x" * 500,
)


def hostile_coverage(study: Study) -> Coverage:
    """A town whose places, streets, districts and inputs are named by somebody unkind."""
    table = study.services.table.copy()
    rows = pd.concat([table.iloc[[0]]] * 3 * len(HOSTILE), ignore_index=True)
    rows["service_id"] = [f"H{n:02}" for n in range(len(rows))]
    for column in ("name", "address", "audience", "opening_hours_text", "source_date", "operator"):
        rows[column] = list(HOSTILE) * 3
    rows["status"] = ["open"] * 2 * len(HOSTILE) + ["closed"] * len(HOSTILE)
    problems = problem_table(
        {"file": t, "row": 1, "field": "f", "value": t, "reason": reason, "action": "left out"}
        for t, reason in itertools.product(HOSTILE, ("no coordinates", "other"))
    )
    services = Services(table=pd.concat([table, rows], ignore_index=True), problems=problems)
    districts = study.area.districts.assign(label=list(HOSTILE[:2]))
    names = tuple(f"{HOSTILE[n % len(HOSTILE)]}{n}" for n in range(len(study.network.names)))
    source = dict.fromkeys(("role", "file", "date", "source", "licence", "attribution"), HOSTILE[1])
    return analyse(
        study.replace(
            services=services,
            area=dataclasses.replace(study.area, districts=districts, name=HOSTILE[7]),
            network=dataclasses.replace(study.network, names=names),
            provenance=({**source, "sha256": "0"}, {**source, "role": HOSTILE[6], "sha256": "1"}),
        )
    )
