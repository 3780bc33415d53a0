#!/usr/bin/env bash
# access 1.1.10.post3: a place with no service within the limit has NaN, not 0. A mean leaves it out:
# the shorter people walk, the better served the city seems.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check access==1.1.10.post3
"$work/v/bin/python" - 2>/dev/null <<'P'
from importlib.metadata import version
import pandas as pd
from access import Access
places = pd.DataFrame({"id": [1, 2, 3, 4], "people": [100] * 4})
services = pd.DataFrame({"id": [9], "beds": [10]})
walks = pd.DataFrame({"from": [1, 2, 3, 4], "to": [9] * 4, "minutes": [4, 8, 12, 30]})
seen = {}
for limit in (5, 10, 15):
    table = Access(
        demand_df=places, demand_index="id", demand_value="people",
        supply_df=services, supply_index="id", supply_value="beds",
        cost_df=walks, cost_origin="from", cost_dest="to", cost_name="minutes",
    )
    table.two_stage_fca(name="score", max_cost=limit)
    score = table.access_df["score_beds"]
    seen[limit] = (int(score.isna().sum()), round(float(score.mean()), 3))
print("access", version("access"), "{minutes: (places of 4 with NaN, mean of the rest)}:", seen)
raise SystemExit(seen != {5: (3, 0.1), 10: (2, 0.05), 15: (1, 0.033)})
P
