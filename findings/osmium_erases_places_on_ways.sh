#!/usr/bin/env bash
# pyosmium and PBF files that keep places on their ways (header feature LocationsOnWays).
#
# `osmium add-locations-to-ways` writes the places of nodes into the ways and leaves untagged nodes
# out. Such a file is read right by a plain FileProcessor. With locations asked for, as every guide
# to pyosmium does for geometries, the handler looks up nodes that are not in the file, and silently
# writes "no place" over the good places of the ways.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check osmium==4.3.2
cd "$folder"
venv/bin/python - <<'PY'
import sys
from importlib.metadata import version
import osmium

open("street.osm", "w").write(
    "<osm version='0.6'><node id='1' lat='48.85' lon='2.35'/><node id='2' lat='48.86' lon='2.36'/>"
    "<way id='7'><nd ref='1'/><nd ref='2'/><tag k='highway' v='path'/></way></osm>"
)
target = osmium.io.File("places.osm.pbf", "pbf,locations_on_ways=true")
with osmium.SimpleWriter(target, overwrite=True) as writer:
    for thing in osmium.FileProcessor("street.osm").with_locations():
        if thing.is_way() or thing.tags:
            writer.add(thing)

header = osmium.io.Reader("places.osm.pbf").header()
feature = header.get("pbf_optional_feature_0")


def places(processor):
    try:
        return [[n.location.valid() for n in way.nodes] for way in processor if way.is_way()]
    except osmium.InvalidLocationError as error:
        return f"InvalidLocationError: {error}"


plain = places(osmium.FileProcessor("places.osm.pbf"))
asked = places(osmium.FileProcessor("places.osm.pbf").with_locations())
index = osmium.NodeLocationsForWays(osmium.index.create_map("sparse_mem_array"))
index.ignore_errors()
silent = places(osmium.FileProcessor("places.osm.pbf").with_filter(index))
print("osmium", version("osmium"))
print("header feature:", feature)
print("places read plainly:           ", plain)
print("places read with_locations():  ", asked)
print("places read, errors ignored:   ", silent)
same = (
    feature == "LocationsOnWays"
    and plain == [[True, True]]
    and asked == [[False, False]]
    and silent == [[False, False]]
)
print("as found" if same else "this has changed")
sys.exit(not same)
PY
