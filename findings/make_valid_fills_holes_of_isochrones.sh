#!/usr/bin/env bash
# contourpy 1.3.3 and shapely 2.2.0: of minutes that are just a level at some places, outlines touch
# themselves and are no valid polygons. shapely.make_valid, as it is by default, repairs them by
# filling holes: places of 8 minutes are "within 7" then. method="structure" leaves them out.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check contourpy==1.3.3 numpy==2.4.6 shapely==2.2.0
"$work/v/bin/python" - <<'P'
from importlib.metadata import version
import contourpy, numpy as np, shapely

minutes = np.array([[7.0, 7, 7, 6], [7, 8, 7, 8], [7, 8, 7, 6], [6, 7, 7, 8]])
made = contourpy.contour_generator(z=minutes, fill_type="ChunkCombinedOffsetOffset")
points, rings, outlines = made.filled(-1.0, 7.0)
drawn = shapely.from_ragged_array(shapely.GeometryType.POLYGON, points[0], (rings[0], outlines[0]))
y, x = np.nonzero(minutes == 8)
print("contourpy", version("contourpy"), "shapely", version("shapely"))
print("valid:", shapely.is_valid(drawn).tolist(), "area:", shapely.area(drawn).sum())
seen = {}
for name, repaired in {
    "make_valid": shapely.make_valid(drawn),
    "make_valid, structure": shapely.make_valid(drawn, method="structure", keep_collapsed=False),
}.items():
    whole = shapely.union_all(repaired)
    seen[name] = whole.area, int(shapely.contains_xy(whole, x, y).sum())
    print(f"{name}: area {whole.area}, places of 8 minutes well inside: {seen[name][1]} of {len(x)}")
raise SystemExit(list(seen.values()) != [(8.25, 2), (4.25, 0)])
P
