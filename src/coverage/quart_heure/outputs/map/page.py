"""The page of the map: folium's figure, with everything it needs inside one file.

folium names the parts of a page (header, body, script) and fills them; this figure puts them in a
template of its own, with Leaflet and our script and style inlined, under a content security
policy that lets nothing else run or load.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import folium
import jinja2
from folium.template import Environment

from quart_heure.outputs.assets import (
    Site,
    inlined,
    page_environment,
    security_policy,
    stylesheet,
)
from quart_heure.outputs.map.data import Bounds, PackedWalks, PageData, json_in_html
from quart_heure.outputs.map.script import page_script
from quart_heure.outputs.map.texts import PageTexts

_TILES_HOST = "https://tile.openstreetmap.org"


class OfflineMap(folium.Map):
    """A folium map that asks for no remote script or style.

    Parameters
    ----------
    label
        What a screen reader calls the map.
    bounds
        What the first view shows.
    online_tiles
        Whether the tiles of OpenStreetMap are the ground.
    """

    def __init__(self, *, label: str, bounds: Bounds, online_tiles: bool) -> None:
        super().__init__(
            location=((bounds.south + bounds.north) / 2, (bounds.west + bounds.east) / 2),
            tiles=None,
            zoom_control=False,
            attribution_control=False,
            min_zoom=9,
            max_zoom=18,
            # Drawn ground fits the window closely; tiles are sharp at whole zooms only.
            zoom_snap=1 if online_tiles else 0.25,
        )
        self.default_js, self.default_css = [], []
        self._id = "study"  # folium's own is random: the same study must give the same file
        self._template = _environment().get_template("map_folium.html.j2")
        self.label = label
        if online_tiles:
            tiles = folium.TileLayer("OpenStreetMap", max_zoom=18)
            tiles._id = "osm"
            self.add_child(tiles)


class CoverageLayers(folium.MacroElement):
    """Starts the layers of a coverage on the map it is added to."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "CoverageLayers"
        self._id = "study"
        self._template = _environment().get_template("map_layers.html.j2")


class MapPage(folium.Figure):
    """A folium figure that is one whole file.

    Parameters
    ----------
    texts
        What the template writes around the map.
    other_texts
        The same in the other language.
    data
        What the page's script draws.
    walks
        What it searches when something changes, None where nothing can.
    lang
        Language of the page.
    online_tiles
        Whether the policy lets tiles load.
    site
        Other pages of the site that it belongs to, by language.
    """

    def __init__(
        self,
        *,
        texts: PageTexts,
        other_texts: PageTexts,
        data: PageData,
        walks: PackedWalks | None,
        lang: str,
        online_tiles: bool,
        site: Mapping[str, Site] | None = None,
    ) -> None:
        super().__init__(height="640px")
        self._id = "page"
        self.texts = texts
        self.other_texts = other_texts
        self.data = data
        self.walks = walks
        self.lang = lang
        self.online_tiles = online_tiles
        self.site = site or {}
        # The template has its own charset line, before everything else.
        self.header = folium.Element()
        self.header._parent = self

    def render(self, **kwargs: Any) -> str:
        """Return the page as HTML."""
        for child in list(self._children.values()):
            child.render(**kwargs)
        scripts = [leaflet("leaflet.js"), page_script(), self.script.render(**kwargs)]
        styles = [leaflet_style(), stylesheet("map")]
        images = f"data: {_TILES_HOST}" if self.online_tiles else "data:"
        page = _environment().get_template("map_page.html.j2")
        return page.render(
            lang=self.lang,
            t=self.texts,
            other=self.other_texts,
            site=self.site,
            policy=security_policy(scripts=scripts, styles=styles, images=images),
            scripts=[inlined(script) for script in scripts],
            styles=[inlined(style) for style in styles],
            head=self.header.render(**kwargs),
            map=self.html.render(**kwargs),
            # Not through one of folium's elements: it would read braces in a name as a template.
            data=json_in_html(self.data),
            walks="" if self.walks is None else json_in_html(self.walks),
        )


@functools.cache
def _environment() -> jinja2.Environment:
    return page_environment(kind=Environment)


@functools.cache
def leaflet(name: str) -> str:
    """Return a file of Leaflet as text."""
    folder = resources.files("js_lib_leaflet").joinpath("static", "js_lib_leaflet")
    text = folder.joinpath(name).read_text(encoding="utf-8")
    # The comment that points to a source map would make developer tools ask for a file.
    return re.sub(r"(?m)^//# sourceMappingURL=.*$", "", text)


@functools.cache
def leaflet_style() -> str:
    """Return Leaflet's style with its images inside."""
    folder = resources.files("js_lib_leaflet").joinpath("static", "js_lib_leaflet")

    def image(found: re.Match[str]) -> str:
        content = folder.joinpath(found[1]).read_bytes()
        return f"url(data:image/png;base64,{base64.b64encode(content).decode()})"

    return re.sub(r"url\((images/[\w-]+\.png)\)", image, leaflet("leaflet.css"))
