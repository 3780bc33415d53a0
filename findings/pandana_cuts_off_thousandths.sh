#!/usr/bin/env bash
# pandana 0.8 keeps three digits of every edge and cuts the rest off, and an edge of 0 costs 0.001.
# Lengths in metres do not notice. Times in hours do: four streets of 14 m, each 0.0029 hours at
# 4.8 km/h, are walked in 0.008 hours instead of 0.0116: the quarter of an hour reaches 45 % too far.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check pandana==0.8
"$work/v/bin/python" - <<'P' | grep '^seen:'
from importlib.metadata import version
import pandana, pandas as pd
place = pd.Series(range(5), dtype=float)
seen = {}
for hours in (0.0029, 0.0021, 0.0, 2.9):
    edges = pd.DataFrame({"from": range(4), "to": range(1, 5), "hours": hours})
    streets = pandana.Network(place, place * 0, edges["from"], edges["to"], edges[["hours"]])
    seen[hours] = round(streets.shortest_path_length(0, 4), 6)
print("\nseen: pandana", version("pandana"), "four edges of each and their sum:", seen)
raise SystemExit(seen != {0.0029: 0.008, 0.0021: 0.008, 0.0: 0.004, 2.9: 11.6})
P
