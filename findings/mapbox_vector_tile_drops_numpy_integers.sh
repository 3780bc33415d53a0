#!/usr/bin/env bash
# mapbox-vector-tile 2.2.0: a whole number from numpy or a table column is left out of the tile without
# a word, where a float64 from the same table is kept: residents vanish, minutes stay.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check mapbox-vector-tile==2.2.0 numpy==2.4.6
"$work/v/bin/python" - <<'P'
from importlib.metadata import version
import mapbox_vector_tile as tiles, numpy as np
zone = {
    "residents": np.int64(1200),
    "residents_plain": 1200,
    "minutes": np.float64(12.5),
    "minutes_32": np.float32(12.5),
    "covered": np.bool_(True),
}
packed = tiles.encode({"name": "zones", "features": [{"geometry": "POINT(3 4)", "properties": zone}]})
kept = tiles.decode(packed)["zones"]["features"][0]["properties"]
print("mapbox-vector-tile", version("mapbox-vector-tile"), "keeps", kept, "and drops", sorted(set(zone) - set(kept)))
raise SystemExit(set(kept) != {"residents_plain", "minutes"})
P
