#!/usr/bin/env bash
# Files that JOSM saved, and what was deleted in them.
#
# JOSM keeps a deleted way in the file, with action='delete', until the deletion is uploaded. Neither
# pyosmium nor osmnx knows that attribute: both read the way as if nothing were said. pyosmium does
# know visible='false', and tells it as `deleted`; osmnx reads such a way too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check osmium==4.3.2 osmnx==2.1.1
cd "$folder"
venv/bin/python - <<'PY'
import sys
from importlib.metadata import version

import osmium
import osmnx


def look(mark):
    with open("saved.osm", "w") as file:
        file.write(
            "<osm version='0.6' generator='JOSM'>"
            "<node id='1' lat='48.85' lon='2.35'/><node id='2' lat='48.86' lon='2.36'/>"
            "<node id='3' lat='48.87' lon='2.36'/>"
            "<way id='7'><nd ref='1'/><nd ref='2'/><tag k='highway' v='path'/></way>"
            f"<way id='8' {mark}><nd ref='2'/><nd ref='3'/><tag k='highway' v='path'/></way></osm>"
        )
    ways = [(way.id, way.deleted) for way in osmium.FileProcessor("saved.osm") if way.is_way()]
    graph = osmnx.graph_from_xml("saved.osm", retain_all=True, simplify=False)
    return ways, sorted({about["osmid"] for _, _, about in graph.edges(data=True)})


print("osmium", version("osmium"), "osmnx", version("osmnx"))
found = {mark: look(mark) for mark in ("action='delete'", "visible='false'")}
for mark, (ways, walked) in found.items():
    print(f"way 8 with {mark}: pyosmium (id, deleted) {ways}, osmnx walks {walked}")
same = found == {
    "action='delete'": ([(7, False), (8, False)], [7, 8]),
    "visible='false'": ([(7, False), (8, True)], [7, 8]),
}
print("as found" if same else "this has changed")
sys.exit(not same)
PY
