"""A map to move about in: isochrone, gaps and places of a category, without internet."""

from __future__ import annotations

from typing import Any

import folium
import geopandas as gpd
import pandas as pd
from folium.template import Template
from markupsafe import escape

from quart_heure.labels import format_number, text, word
from quart_heure.outputs.map.page import leaflet, leaflet_style
from quart_heure.outputs.notebook.at_hand import AtHand
from quart_heure.outputs.palette import PALETTE

_INK = "#1c2430"
_COVERED = PALETTE.paints.covered.fill
_SIMPLER_M = 5.0
"""Outlines are drawn this much simpler: a fifth of a cell."""


class Attribution(folium.MacroElement):
    """Tells in a corner of a map whose data it shows."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        {{ this._parent.get_name() }}.attributionControl.addAttribution({{ this.said|tojson }});
        {% endmacro %}""")

    def __init__(self, said: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Attribution"
        self.said = said


class LocalMap(folium.Map):
    """A folium map whose Leaflet stands in the page.

    Layers and tooltips of folium can be added; its popups and icons want scripts of the internet,
    which are not asked for.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(tiles=None, attribution_control=True, **options)
        self.default_js, self.default_css = [], []
        head = self.get_root().header  # type: ignore[attr-defined]
        style = f"<style>{leaflet_style()}</style>"
        script = f"<script>{leaflet('leaflet.js')}</script>"
        for name, content in (("leaflet_style", style), ("leaflet_script", script)):
            part = folium.Element()
            # Not as the text of an element, in which folium would read braces as a template.
            part._template = Template("{{ this.content }}")
            part.content = content  # type: ignore[attr-defined]
            head.add_child(part, name=name)


def explore(found: object, category: str = "", *, lang: str = "fr") -> folium.Map:
    """Show a category on a map: see `quart_heure.study.views.Views.explore`."""
    here = AtHand.of(found, shown=True)
    category = here.category(category)
    west, south, east, north = here.districts.to_crs(4326).total_bounds
    chart = LocalMap(location=((south + north) / 2, (west + east) / 2), zoom_start=12)
    chart.fit_bounds([(south, west), (north, east)])
    _add(
        chart,
        here.districts[["label", "geometry"]],
        name=text("notebook.districts", lang),
        style={"color": _INK, "weight": 1, "fill": False},
    )
    drawn = here.found.isochrones
    drawn = drawn[(drawn["category"] == category) & (drawn["threshold_min"] == here.threshold_min)]
    _add(
        chart,
        drawn[["geometry"]],
        name=text("notebook.covered", lang, minutes=f"{here.threshold_min:g}"),
        style={"color": _COVERED, "weight": 1, "fillOpacity": 0.35},
    )
    gaps = here.found.gaps
    gaps = gaps[gaps["category"] == category]
    about = {
        "street": gaps["street"],
        "residents": gaps["residents"].map(lambda value: format_number(value, lang)),
        "area_ha": gaps["area_ha"].map(lambda value: format_number(value, lang, 1)),
        "cause": gaps["cause"].map(lambda key: word(key, lang)),
    }
    _add(
        chart,
        gpd.GeoDataFrame(about, geometry=gaps.geometry, crs=gaps.crs),
        name=text("notebook.gaps", lang),
        style={
            "color": PALETTE.gap_line,
            "weight": 2,
            "fillColor": PALETTE.gap,
            "fillOpacity": 0.3,
        },
        lang=lang,
    )
    services = here.found.services
    services = services[(services["category"] == category) & services["counted"].astype(bool)]
    _add(
        chart,
        services[["name", "address", "geometry"]],
        name=here.label(category, lang),
        lang=lang,
        marker=folium.CircleMarker(
            radius=6, color=_INK, weight=2, fill=True, fill_color="#ffffff", fill_opacity=1
        ),
    )
    chart.add_child(Attribution(_plain(here.attribution)))
    folium.LayerControl(collapsed=False).add_to(chart)
    return chart


def _add(
    chart: folium.Map,
    layer: pd.DataFrame,
    *,
    name: str,
    style: dict[str, Any] | None = None,
    lang: str = "fr",
    marker: Any = None,
) -> None:
    """Add a layer whose columns are told where one points at it."""
    if not len(layer):
        return
    shown = gpd.GeoDataFrame(layer).copy()
    shapes = shown.geometry
    if marker is None:
        shapes = shapes.simplify(_SIMPLER_M)
    shown = shown.set_geometry(shapes).to_crs(4326)
    told = [column for column in shown.columns if column != "geometry"]
    for column in told:  # folium writes values into the page as they are
        shown[column] = [_plain(value) for value in shown[column].astype(str)]
    tooltip = None
    if told:
        aliases = [text(f"notebook.{column}", lang) for column in told]
        tooltip = folium.GeoJsonTooltip(fields=told, aliases=aliases)
    folium.GeoJson(
        shown,
        name=_plain(name),
        style_function=None if style is None else lambda _, style=style: style,
        tooltip=tooltip,
        marker=marker,
    ).add_to(chart)


def _plain(text: str) -> str:
    """Return a text as HTML that is nothing but text.

    folium reads what it has written as a template once more, braces in a name included.
    """
    return str(escape(text)).replace("{", "&#123;").replace("}", "&#125;")
