#!/usr/bin/env bash
# branca 0.8.2 (the colours of folium): StepColormap gives NaN the colour of the last class. On a map of
# the share of people in reach, zones of which nothing is known look like the best served ones.
# LinearColormap raises for the same value.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check branca==0.8.2
"$work/v/bin/python" - <<'P'
from importlib.metadata import version
from branca.colormap import LinearColormap, StepColormap
steps = StepColormap(["red", "yellow", "green"], index=[0, 0.5, 0.8, 1], vmin=0, vmax=1)
seen = {share: steps(share) for share in (0.2, 0.6, 0.9, float("nan"))}
try:
    linear = LinearColormap(["red", "green"], vmin=0, vmax=1)(float("nan"))
except ValueError as error:
    linear = f"ValueError: {error}"
print("branca", version("branca"), "StepColormap:", seen, "; LinearColormap of nan:", linear)
green = list(seen.values())[2]
raise SystemExit(not (list(seen.values())[3] == green == "#008000ff" and linear.startswith("ValueError")))
P
