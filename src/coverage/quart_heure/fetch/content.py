"""The content of a snapshot: what OpenStreetMap's answers on a territory amount to."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely

from quart_heure.categories import Category
from quart_heure.fetch import snapshot as snapshots
from quart_heure.fetch.territory import Territory
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.streets import ATTRIBUTION, network_from_osm
from quart_heure.sources.online.answers import Answer
from quart_heure.sources.osm.data import from_overpass, is_area_relation, is_street
from quart_heure.sources.osm.services import Candidates, read_candidates


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """What the answers on a territory amount to.

    Parameters
    ----------
    territory
        Its area and districts.
    osm_date
        Date of the streets, "" if the server does not tell.
    elements
        Streets, squares and their nodes, as they came.
    network
        What can be walked of them.
    candidates
        Places that may be services.
    """

    territory: Territory

    osm_date: str
    elements: list[dict[str, Any]]
    network: WalkNetwork
    candidates: Candidates

    @classmethod
    def of(
        cls,
        answers: Mapping[str, Answer],
        territory: Territory,
        reach: shapely.Geometry,
        catalogue: Mapping[str, Category],
    ) -> Content:
        """Make the network and the candidates of the answers."""
        streets, services = answers["streets"], answers.get("services")
        elements = _street_elements(streets.elements)
        source = f"OpenStreetMap ({streets.server})"
        # Of what else was asked for, walks across squares go round woods, water and rails.
        grounds = answers["background"].elements if "background" in answers else []
        besides = [each for each in grounds if not is_street(each.get("tags", {}))]
        raw = from_overpass([*elements, *besides], osm_date=streets.osm_date, source=source)
        return cls(
            territory=territory,
            osm_date=streets.osm_date,
            elements=elements,
            network=network_from_osm(raw, crs=territory.area.crs, polygon=reach),
            candidates=read_candidates(
                services.elements if services else (),
                catalogue=catalogue,
                osm_date=streets.osm_date,
            ),
        )

    def writers(self, *, keep_raw: bool) -> dict[str, Callable[[Path], None]]:
        """Return what writes each file of the snapshot that comes from OpenStreetMap."""
        districts = list(self.territory.districts.iterfeatures(drop_id=True))
        writers: dict[str, Callable[[Path], Any]] = {
            snapshots.NETWORK: self.network.write,
            snapshots.DISTRICTS: functools.partial(snapshots.write_features, features=districts),
            snapshots.SERVICES: functools.partial(
                snapshots.write_features, features=self.candidates.features
            ),
        }
        if keep_raw:
            writers[snapshots.RAW] = functools.partial(
                snapshots.write_elements,
                elements=self.elements,
                osm_date=self.osm_date,
                attribution=ATTRIBUTION,
            )
        return writers

    def described(self) -> dict[str, Any]:
        """Return what a manifest says of it: counts, and what was left out."""
        network, candidates = self.network, self.candidates
        categories = [f["properties"]["category"] for f in candidates.features]
        return {
            "counts": {
                "districts": len(self.territory.districts),
                "elements": len({(element["type"], element["id"]) for element in self.elements}),
                "nodes": network.n_nodes,
                "edges": network.n_edges,
                "network_km": round(float(network.length_m.sum()) / 1000, 3),
                "services": {
                    key: categories.count(key) for key in dict.fromkeys(sorted(categories))
                },
                **network.meta["counts"],
            },
            "network_digest": network.digest,
            "dropped": network.meta["dropped"],
            "services_left_out": dict(candidates.left_out),
        }


def _street_elements(elements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what came along: bus stops, street lamps, relations of routes."""
    areas = [
        element
        for element in elements
        if element["type"] == "relation" and is_area_relation(element.get("tags", {}))
    ]
    members = {m["ref"] for area in areas for m in area.get("members", ()) if m["type"] == "way"}
    ways = [
        element
        for element in elements
        if element["type"] == "way"
        and (is_street(element.get("tags", {})) or element["id"] in members)
    ]
    used = {ref for way in ways for ref in way.get("nodes", ())}
    nodes = [e for e in elements if e["type"] == "node" and e["id"] in used]
    return [*nodes, *ways, *areas]
