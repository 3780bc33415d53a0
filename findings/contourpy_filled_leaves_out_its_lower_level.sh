#!/usr/bin/env bash
# contourpy 1.3.3 (1.4.0 too): filled(0, 15) takes 15 but leaves out 0. Where several neighbouring
# places are at the service itself, 0 minutes away, the area "within 15 minutes" has a hole just
# there; where all are, it is empty. matplotlib's contourf evens this out for its lowest level.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check contourpy==1.3.3 numpy==2.4.6
"$work/v/bin/python" - <<'P'
from importlib.metadata import version
import contourpy, numpy as np


def rings(minutes, low=0):
    polygons, starts = contourpy.contour_generator(z=minutes).filled(low, 15)
    return [len(start) - 1 for start in starts]


minutes = np.full((6, 6), 10.0)
minutes[2:4, 2:4] = 0
seen = {
    "square of 0 inside 10": rings(minutes),
    "the same from -1": rings(minutes, -1),
    "all 0": rings(minutes * 0),
    "all 15": rings(minutes * 0 + 15),
}
print("contourpy", version("contourpy"), "rings of each area of filled(0, 15):", seen)
raise SystemExit(list(seen.values()) != [[2], [1], [], [1]])
P
