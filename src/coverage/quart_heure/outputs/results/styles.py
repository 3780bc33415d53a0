"""Styles that travel in a GeoPackage: QGIS draws its layers as the map does, without a setting.

QGIS looks for them in a table ``layer_styles`` of the file. A style is written in its own language,
QML; other programs pass the table by. Layers that hold every category at once are drawn by rules
that can be switched on and off in the list of layers; the first category is on.
"""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.labels import format_plain, text, word
from quart_heure.outputs.palette import GAP_HATCH, PALETTE, shades

STYLES_TABLE = "layer_styles"
"""Name of the table that QGIS looks for."""

_MARKS = (
    *("circle", "square", "triangle", "diamond", "star"),
    *("triangle", "pentagon", "cross_fill"),
)
"""Shapes of services by the place of their category, as near to the map's as QGIS has them."""

_TURNED = 5
"""The place whose triangle stands on its tip."""

_NO_DAY = "1970-01-01"
_OUTLINE_MM, _GAP_MM, _MARK_MM, _SMALL_MM = 0.4, 0.35, 3.4, 2.4

Rule = tuple[str, str, "ET.Element | None", bool, "list[Rule]"]
"""Name, filter, symbol, whether it is on, and the rules under it."""


def layer_styles(manifest: Mapping[str, Any], lang: str) -> pd.DataFrame:
    """Return the table of styles of a GeoPackage of results.

    Parameters
    ----------
    manifest
        What `quart_heure.outputs.results.manifest.describe_run` says: its categories, in their
        order, and its parameters.
    lang
        Language of the names of classes.
    """
    categories: Sequence[Mapping[str, Any]] = manifest["categories"]
    thresholds = sorted(float(minutes) for minutes in manifest["parameters"]["isochrones_min"])
    drawn = {
        "districts": ("geom", _districts()),
        "isochrones": ("geom", _isochrones(categories, thresholds, lang)),
        "gaps": ("geom", _gaps(categories, lang)),
        "services": ("geom", _services(categories, lang)),
    }
    day = str(manifest.get("created", ""))[:10] or _NO_DAY
    rows = [
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": layer,
            "f_geometry_column": column,
            "styleName": text(f"words.style_{layer}", lang),
            "styleQML": '<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">\n'
            + ET.tostring(style, encoding="unicode"),
            "styleSLD": "",
            "useAsDefault": True,
            "description": text("words.style_about", lang),
            "owner": "",
            "ui": "",
            # The day and not the time, as all that the file holds of the run: runs of one day give
            # one file. As text: as a time the libraries write it without the fraction that the
            # format asks.
            "update_time": f"{day}T00:00:00.000Z",
        }
        for layer, (column, style) in drawn.items()
    ]
    return pd.DataFrame(rows)


def _districts() -> ET.Element:
    symbol = _fill(_layer("SimpleFill", style="no", **_outline(PALETTE.outline, _OUTLINE_MM)))
    style = _style(ET.Element("renderer-v2", type="singleSymbol", forceraster="0"), labels=True)
    renderer = style.find("renderer-v2")
    assert renderer is not None
    ET.SubElement(renderer, "symbols").append(_named(symbol, "0"))
    _label(style, field="label", colour=PALETTE.outline, size=9)
    return style


def _isochrones(
    categories: Sequence[Mapping[str, Any]], thresholds: Sequence[float], lang: str
) -> ET.Element:
    colours = shades(PALETTE.minutes, max(len(thresholds), 2))
    rules: list[Rule] = []
    for at, category in enumerate(categories):
        steps: list[Rule] = []
        for start, (minutes, colour) in zip(
            (0.0, *thresholds), zip(thresholds, colours, strict=False), strict=False
        ):
            key = "style_within" if start == 0 else "style_between"
            name = text(
                f"words.{key}",
                lang,
                start=format_plain(start, lang),
                end=format_plain(minutes, lang),
            )
            symbol = _fill(_layer("SimpleFill", color=_rgba(colour), outline_style="no"))
            steps.append((name, f'"threshold_min" = {minutes:g}', symbol, True, []))
        where = f'"category" = {_quoted(category["id"])}'
        rules.append((str(category[lang]), where, None, at == 0, steps))
    # Zones within reach lie in one another: the widest is painted first.
    return _style(_rule_renderer(rules, order='"threshold_min"'))


def _gaps(categories: Sequence[Mapping[str, Any]], lang: str) -> ET.Element:
    named = [(str(c["id"]), str(c[lang])) for c in categories]
    named += [(composite, word(composite, lang)) for composite in COMPOSITES]
    rules: list[Rule] = []
    for at, (category, name) in enumerate(named):
        symbol = _fill(
            _layer("SimpleFill", color=_rgba(PALETTE.gap), outline_style="no"),
            _hatch(GAP_HATCH),
            _layer("SimpleFill", style="no", **_outline(PALETTE.gap_line, _GAP_MM)),
        )
        rules.append((name, f'"category" = {_quoted(category)}', symbol, at == 0, []))
    style = _style(_rule_renderer(rules), labels=True)
    # Numbers of the gaps that are drawn at first: a label cannot follow what is switched on.
    field = f'CASE WHEN "category" = {_quoted(named[0][0])} THEN "rank" END'
    _label(style, field=field, colour=PALETTE.gap_line, size=9, expression=True)
    return style


def _services(categories: Sequence[Mapping[str, Any]], lang: str) -> ET.Element:
    rules: list[Rule] = []
    for at, category in enumerate(categories):
        colour = str(category["colour"])
        shape = _MARKS[at % len(_MARKS)]
        turned = {"angle": "180"} if at % len(_MARKS) == _TURNED else {}
        counted = _marker(
            _layer(
                "SimpleMarker",
                name=shape,
                color=_rgba(colour),
                size=str(_MARK_MM),
                size_unit="MM",
                **turned,
                **_outline(PALETTE.blank, _OUTLINE_MM),
            )
        )
        left_out = _marker(
            _layer(
                "SimpleMarker",
                name=shape,
                color=_rgba(PALETTE.blank),
                size=str(_SMALL_MM),
                size_unit="MM",
                **turned,
                **_outline(colour, _OUTLINE_MM),
            )
        )
        under: list[Rule] = [
            (text("words.style_counted", lang), '"counted"', counted, True, []),
            (text("words.style_left_out", lang), 'NOT "counted"', left_out, True, []),
        ]
        where = f'"category" = {_quoted(category["id"])}'
        rules.append((str(category[lang]), where, None, True, under))
    return _style(_rule_renderer(rules))


def _style(renderer: ET.Element, *, labels: bool = False) -> ET.Element:
    style = ET.Element(
        "qgis",
        version="3.22.0",
        styleCategories="Symbology|Labeling",
        labelsEnabled=str(int(labels)),
    )
    style.append(renderer)
    return style


def _rule_renderer(rules: Sequence[Rule], *, order: str = "") -> ET.Element:
    renderer = ET.Element(
        "renderer-v2",
        type="RuleRenderer",
        symbollevels="0",
        forceraster="0",
        enableorderby=str(int(bool(order))),
    )
    root = ET.SubElement(renderer, "rules", key="root")
    symbols = ET.SubElement(renderer, "symbols")
    numbers = itertools.count()

    def add(parent: ET.Element, some: Sequence[Rule], path: str) -> None:
        for at, (label, where, symbol, on, under) in enumerate(some):
            rule = ET.SubElement(
                parent,
                "rule",
                key=f"{path}{at}",
                label=label,
                filter=where,
                checkstate=str(int(on)),
            )
            if symbol is not None:
                number = str(next(numbers))
                rule.set("symbol", number)
                symbols.append(_named(symbol, number))
            add(rule, under, f"{path}{at}-")

    add(root, rules, "r")
    if order:
        clause = ET.SubElement(
            ET.SubElement(renderer, "orderby"), "orderByClause", asc="0", nullsFirst="0"
        )
        clause.text = order
    return renderer


def _named(symbol: ET.Element, name: str) -> ET.Element:
    symbol.set("name", name)
    return symbol


def _fill(*layers: ET.Element) -> ET.Element:
    return _symbol("fill", layers)


def _marker(*layers: ET.Element) -> ET.Element:
    return _symbol("marker", layers)


def _symbol(kind: str, layers: Sequence[ET.Element]) -> ET.Element:
    symbol = ET.Element("symbol", type=kind, alpha="1", clip_to_extent="1", force_rhr="0")
    symbol.extend(layers)
    return symbol


def _layer(kind: str, **properties: str) -> ET.Element:
    layer = ET.Element("layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    for key, value in properties.items():
        ET.SubElement(layer, "prop", k=key, v=value)
    return layer


def _hatch(colour: str) -> ET.Element:
    hatch = _layer(
        "LinePatternFill", angle="45", distance="2", distance_unit="MM", color=_rgba(colour)
    )
    line = _layer("SimpleLine", line_color=_rgba(colour), line_width="0.3", line_width_unit="MM")
    hatch.append(_named(_symbol("line", [line]), "@0@1"))
    return hatch


def _outline(colour: str, width_mm: float) -> dict[str, str]:
    return {
        "outline_color": _rgba(colour),
        "outline_style": "solid",
        "outline_width": str(width_mm),
        "outline_width_unit": "MM",
    }


def _label(
    style: ET.Element, *, field: str, colour: str, size: int, expression: bool = False
) -> None:
    labeling = ET.SubElement(style, "labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    words = ET.SubElement(
        settings,
        "text-style",
        fieldName=field,
        isExpression=str(int(expression)),
        fontFamily="Sans Serif",
        fontSize=str(size),
        fontWeight="75",
        textColor=_rgba(colour),
        textOpacity="1",
    )
    ET.SubElement(
        words,
        "text-buffer",
        bufferDraw="1",
        bufferSize="1",
        bufferSizeUnits="MM",
        bufferColor=_rgba(PALETTE.blank),
        bufferOpacity="0.85",
    )
    ET.SubElement(settings, "placement", placement="1", centroidInside="1", centroidWhole="0")


def _rgba(colour: str) -> str:
    return ",".join(str(channel) for channel in (*bytes.fromhex(colour.removeprefix("#")), 255))


def _quoted(value: object) -> str:
    doubled = str(value).replace("'", "''")
    return f"'{doubled}'"
