#!/usr/bin/env bash
# pandana 0.8: where nothing is in reach, aggregate() tells a mean and a deviation of 0 and a least, most
# and median of -1, not NaN: places without any service lower every average. A median of two is
# the larger of them.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check pandana==0.8
"$work/v/bin/python" - <<'P' | grep '^seen:'
from importlib.metadata import version
import pandana, pandas as pd
place = pd.Series([0.0, 100, 5000, 5100])
edges = pd.DataFrame({"from": [0, 2], "to": [1, 3], "metres": [100.0, 100]})
streets = pandana.Network(place, place * 0, edges["from"], edges["to"], edges[["metres"]])
streets.set(pd.Series([0, 1]), variable=pd.Series([10.0, 20]), name="beds")
seen = {}
for kind in ("mean", "std", "min", "max", "median"):
    told = streets.aggregate(900, type=kind, decay="flat", name="beds")
    seen[kind] = (float(told[0]), float(told[3]))
print("\nseen: pandana", version("pandana"), "(10 and 20 in reach, nothing in reach):", seen)
raise SystemExit(
    seen != {"mean": (15, 0), "std": (5, 0), "min": (10, -1), "max": (20, -1), "median": (20, -1)}
)
P
