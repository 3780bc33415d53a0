"""The map: one file without remote assets, whatever the data say, small, and true to the tables."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import json
import re
import tomllib
import zlib
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely

from helpers import toy_town
from helpers.hostile import MAP_HOSTILE as HOSTILE
from helpers.packed_walks import inflated
from helpers.project import thorough
from quart_heure.errors import OutputError
from quart_heure.outputs.assets import asset, stylesheet
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.map.cells import Grid
from quart_heure.outputs.map.data import json_in_html
from quart_heure.outputs.map.ground import streets
from quart_heure.outputs.map.map import build_map, render_map, write_map
from quart_heure.outputs.map.script import page_script
from quart_heure.outputs.palette import PALETTE
from quart_heure.outputs.shapes import (
    UNITS_PER_DEGREE,
    Pen,
    round_corners,
)
from quart_heure.study import Coverage, Study, analyse

PARIS_LIMIT_MB = 2.1
PARIS_WHAT_IF_LIMIT_MB = 3.6


class Page(HTMLParser):
    """The structure of a page: tags with their attributes, and the content of code elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.code: list[tuple[str, dict[str, str | None], str]] = []
        self.text = ""
        self._code = False
        self.spare = ""  # the other language, which the browser does not show
        self.spare_tags: list[tuple[str, dict[str, str | None]]] = []
        self._in_template = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_template |= tag == "template"
        if self._in_template:
            self.spare_tags.append((tag, dict(attrs)))
            return
        self.tags.append((tag, dict(attrs)))
        self._code = tag in {"script", "style"}
        if self._code:
            self.code.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._code = False
        self._in_template &= tag != "template"

    def handle_data(self, data: str) -> None:
        if self._in_template:
            self.spare += data
        elif self._code:
            tag, attributes, before = self.code[-1]
            self.code[-1] = (tag, attributes, before + data)
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def policy(self) -> dict[str, str]:
        (policy,) = (
            meta["content"]
            for meta in self.all("meta")
            if meta.get("http-equiv") == "Content-Security-Policy"
        )
        assert policy
        return {rule.split()[0]: rule.partition(" ")[2] for rule in policy.split("; ")}

    @property
    def data(self) -> dict[str, Any]:
        (text,) = (text for _, attributes, text in self.code if attributes.get("id") == "data")
        data: dict[str, Any] = json.loads(text)
        return data


def polygons_of(shape: list[list[list[int]]]) -> shapely.MultiPolygon:
    """Read a shape of the page back, in degrees."""
    parts = [
        [np.array(ring).reshape(-1, 2).cumsum(axis=0) / UNITS_PER_DEGREE for ring in rings]
        for rings in shape
    ]
    return shapely.MultiPolygon([(outer, holes) for outer, *holes in parts])


def words() -> dict[str, dict[str, Any]]:
    return tomllib.loads(asset("map/words.toml"))


@pytest.fixture(scope="module")
def page_text(toy_coverage: Coverage, background: gpd.GeoDataFrame) -> str:
    return render_map(toy_coverage, background=background)


@pytest.fixture(scope="module")
def page(page_text: str) -> Page:
    return Page(page_text)


# --- one file ------------------------------------------------------------------------------------


def test_the_page_asks_for_nothing(page: Page, page_text: str) -> None:
    for tag, attributes in page.tags:
        assert not attributes.get("src"), tag
        if tag != "a":
            assert (attributes.get("href") or "data:,").startswith("data:"), attributes
    styles = " ".join(text for tag, _, text in page.code if tag == "style")
    assert "@import" not in styles
    assert set(re.findall(r"url\((data:|#)?", styles)) <= {"data:", "#"}
    assert "sourceMappingURL" not in page_text
    for library in ("jquery", "bootstrap", "awesome", "jsdelivr", "cdnjs"):
        assert library not in page_text.lower()


def test_the_page_has_what_a_reader_needs(page: Page) -> None:
    assert page.all("html") == [{"lang": "fr"}]
    for tag in ("title", "h1", "main", "aside", "header"):
        assert len(page.all(tag)) == 1, tag
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all(
        "meta"
    )
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        for reference in ("for", "aria-controls", "aria-describedby", "aria-labelledby"):
            assert attributes.get(reference) in {None, *ids}
    for link in page.all("a"):
        assert (link["href"] or "").lstrip("#") in ids or (link["href"] or "").startswith("https:")


def test_the_policy_lets_only_this_code_run(page: Page) -> None:
    policy = page.policy
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["img-src"] == "data:"
    for tag, attributes, text in page.code:
        if attributes.get("type") == "application/json":
            continue
        assert attributes == {}, "nothing is loaded"
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[f"{tag}-src"].split()
    assert "unsafe" not in " ".join(policy.values())
    for tag, attributes in page.tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag


def test_online_tiles_come_only_when_asked_for(toy_coverage: Coverage, page_text: str) -> None:
    assert "tile.openstreetmap.org" not in page_text
    online = Page(render_map(toy_coverage, online_tiles=True))
    assert online.policy["img-src"] == "data: https://tile.openstreetmap.org"
    assert any("L.tileLayer(" in text for tag, _, text in online.code if tag == "script")
    assert online.data["online"] is True


def test_the_same_coverage_gives_the_same_file(
    toy_coverage: Coverage, page_text: str, background: gpd.GeoDataFrame
) -> None:
    assert render_map(toy_coverage, background=background) == page_text


def test_folium_takes_further_layers(toy_coverage: Coverage) -> None:
    chart = build_map(toy_coverage)
    assert isinstance(chart, folium.Map)
    folium.GeoJson({"type": "Point", "coordinates": [2.33, 48.84]}).add_to(chart)
    page = Page(chart.get_root().render())
    assert any("L.geoJson(" in text for tag, _, text in page.code if tag == "script")
    for tag, attributes, text in page.code:
        if tag == "script" and not attributes:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert digest in page.policy["script-src"]
    assert "<iframe" in chart._repr_html_()


# --- writing -------------------------------------------------------------------------------------


def test_the_file_is_written_whole_or_not_at_all(
    toy_coverage: Coverage, tmp_path: Path, page_text: str, background: gpd.GeoDataFrame
) -> None:
    path = tmp_path / "new" / "map.html"
    assert write_map(toy_coverage, path, background=background) == path
    assert path.read_text(encoding="utf-8") == page_text
    taken = tmp_path / "taken.html"
    taken.mkdir()
    with pytest.raises(OutputError, match=r"taken\.html"):
        write_map(toy_coverage, taken)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["new", "taken.html"]


# --- safety --------------------------------------------------------------------------------------


def test_hostile_names_stay_text(hostile_study: Study, page: Page) -> None:
    hostile = Page(render_map(analyse(hostile_study)))
    assert [tag for tag, _ in hostile.tags].count("script") == len(page.all("script"))
    for tag in ("img", "b", "iframe"):
        assert not hostile.all(tag)
    assert not [
        a for _, a in hostile.tags + hostile.spare_tags if any(name.startswith("on") for name in a)
    ]
    assert not {"img", "script", "b", "iframe", "style"} & {tag for tag, _ in hostile.spare_tags}
    names = {service.get("name") for service in hostile.data["services"]}
    assert set(HOSTILE) <= names
    assert HOSTILE[1] in hostile.text
    labels = {district["label"] for district in hostile.data["ground"]["districts"]}
    assert labels == set(HOSTILE[:2])
    names = inflated(hostile.data["ground"]["streets"]["names"]).decode().split("\n")
    assert any(name.endswith(HOSTILE[3]) for name in names)


def test_no_character_of_the_data_can_end_it(hostile_study: Study) -> None:
    text = render_map(analyse(hostile_study))
    data = text.partition('id="data">')[2].partition("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(data)


def test_discreet_places_are_not_in_the_file(toy_study: Study) -> None:
    table = toy_study.services.table.copy()
    here = table["service_id"] == "B3"
    table.loc[here, ["name", "address", "operator"]] = ["Mirabelle", "impasse Cachée", "Prunelle"]
    services = dataclasses.replace(toy_study.services, table=table)
    text = render_map(analyse(toy_study.replace(services=services)))
    place = table[here].to_crs(4326).geometry.iloc[0]
    for secret in ("Mirabelle", "Cachée", "Prunelle", f"{place.x:.5f}", f"{place.y:.5f}"):
        assert secret not in text
    page = Page(text)
    # Letters of base64 may happen to read like anything.
    data = {**page.data, "cells": None, "ground": {**page.data["ground"], "streets": None}}
    assert "B3" not in page.text + json.dumps(data)
    assert -1 in page.data["cells"]["nearest"]["bagagerie"]["places"]
    (view,) = (view for view in page.data["views"] if view["id"] == "bagagerie")
    assert view["counted"] == 1
    assert not any("anchored" in v for v in page.data["views"])  # private: from where they are
    assert "NE PAS DIFFUSER" in page.text
    public = Page(render_map(analyse(toy_town.town_study(private=False))))
    told = {v["id"]: v.get("anchored") for v in public.data["views"] if v["kind"] == "category"}
    assert told == {"bains_douches": None, "bagagerie": 1, "esi": None}
    assert "NE PAS DIFFUSER" not in public.text
    assert all(gap["discreet"] and "nearest" not in gap for gap in view["gaps"])


# --- what it says --------------------------------------------------------------------------------


def test_views_say_what_the_tables_say(toy_coverage: Coverage, page: Page) -> None:
    views = {view["id"]: view for view in page.data["views"]}
    assert page.data["rows"] == ["Est", "Ouest", "Petite Ville"]
    assert list(views) == ["essentials_within", *toy_coverage.study.categories]
    indicators = publishable(toy_coverage).indicators
    for category in toy_coverage.study.categories:
        table = indicators[indicators["category"] == category]
        figures = views[category]["figures"]
        rows = table.set_index("label").loc[page.data["rows"]]
        for name in ("residents_covered_pct", "covered_pct", "minutes_median"):
            assert figures[name] == pytest.approx(rows[name].tolist(), abs=0.051, nan_ok=True)
        assert figures["services_inside"] == rows["services_inside"].tolist()
        assert figures["gaps_touching"] == rows["gaps_touching"].tolist()
        city = rows.iloc[-1]
        assert figures["gaps_touching"][-1] == city["gaps"]
        on_network = city["residents"] - city["residents_off_network"]
        beyond = on_network - city["residents_covered"]
        assert figures["residents_beyond"][-1] == pytest.approx(beyond, abs=0.5)
        gaps_table = toy_coverage.gaps[toy_coverage.gaps["category"] == category]
        shown = views[category]["gaps"]
        assert [gap["rank"] for gap in shown] == sorted(gaps_table["rank"])
        assert [gap["street"] for gap in shown] == list(gaps_table.sort_values("rank")["street"])
    # A zone counts wherever it is, so that no uncovered district has none.
    main = toy_coverage.indicators.set_index(["category", "label"])["gaps"]
    assert any(
        touching != main[view["id"], label]
        for view in list(views.values())[1:]
        for label, touching in zip(page.data["rows"], view["figures"]["gaps_touching"], strict=True)
    )
    shares = toy_coverage.composite.pivot(
        index="label", columns="essentials_within", values="residents_pct"
    )
    told = np.array(views["essentials_within"]["shares_pct"], dtype=float)
    expected = shares.loc[page.data["rows"]].to_numpy(float)
    assert told == pytest.approx(expected, abs=0.051, nan_ok=True)
    assert np.nansum(told, axis=1) == pytest.approx(100, abs=0.2)


def test_an_hour_and_a_person_are_said_and_leave_ranges(asked_coverage: Coverage) -> None:
    page = Page(render_map(asked_coverage))
    said = " ".join(page.text.split())
    assert "Pour une personne qui arrive le dimanche 3 mai 2026 à 11 h 15 et reste" in said
    assert "Pour : une femme." in said
    assert "For a person who arrives on" in Page(render_map(asked_coverage, lang="en")).text
    shown = publishable(asked_coverage)
    city = shown.city.set_index("category")
    for view in page.data["views"]:
        name = view["id"] if view["kind"] == "category" else "essential_any"
        columns = ("at_least_pct", "at_most_pct", "residents_at_least", "residents_at_most")
        least, most, residents, residents_most = (view["ends"][name][-1] for name in columns)
        assert least == pytest.approx(city.loc[name, "residents_covered_pct"], abs=0.06)
        assert most == pytest.approx(city.loc[name, "residents_covered_at_most_pct"], abs=0.06)
        assert residents == pytest.approx(city.loc[name, "residents_covered"], abs=0.6)
        assert residents_most == pytest.approx(city.loc[name, "residents_covered_at_most"], abs=0.6)
        ends = (f"residents_covered{end}_pct" for end in ("", "_at_most"))
        assert view["ends_told"] == range_words(*city.loc[name, list(ends)])
    ends = [view["ends"] for view in page.data["views"]]
    assert any(one["at_least_pct"][-1] < one["at_most_pct"][-1] for one in ends)
    for category, text in page.data["cells"]["perhaps"].items():
        codes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).cumsum(
            dtype=np.uint8
        )
        assert codes.sum() == shown.cells[f"perhaps_{category}"].sum()
    none = shown.composite[shown.composite["level"] == "city"].iloc[0]
    ends = sorted(round(none[name]) for name in ("residents", "residents_at_most"))
    assert ends[0] < ends[1]


def test_shapes_are_where_the_tables_put_them(asked_coverage: Coverage) -> None:
    def area_ha(shape: list[list[list[int]]]) -> float:
        back = gpd.GeoSeries([polygons_of(shape)], crs=4326).to_crs(toy_town.CRS)
        assert back.is_valid.all()
        return float(back.area.iloc[0]) / 10_000

    views = {view["id"]: view for view in Page(render_map(asked_coverage)).data["views"]}
    gaps = asked_coverage.gaps[asked_coverage.gaps["category"] == "esi"].sort_values("rank")
    assert len(gaps) > 0
    for gap, expected in zip(views["esi"]["gaps"], gaps["area_ha"], strict=True):
        assert area_ha(gap["shape"]) == pytest.approx(expected, rel=0.05)
        place = shapely.Point(gap["at"]["lng"], gap["at"]["lat"])
        assert polygons_of(gap["shape"]).contains(place)


def test_a_gap_is_found_by_one_of_its_cells(toy_coverage: Coverage, page: Page) -> None:
    grid = Grid(toy_coverage)
    views = {view["id"]: view for view in page.data["views"]}
    gaps = toy_coverage.gaps[toy_coverage.gaps["category"] == "esi"].sort_values("rank")
    for gap, outline in zip(views["esi"]["gaps"], gaps.geometry, strict=True):
        row, col = divmod(gap["cell"], grid.width)
        centre = (np.array([col + grid.first_col, row + grid.first_row]) + 0.5) * grid.cell_m
        assert outline.contains(shapely.Point(centre))
        assert gap["shape"] == []


def test_background_is_drawn_by_kind(page: Page) -> None:
    ground = page.data["ground"]
    assert set(ground["scenery"]) == {"park", "rail", "water"}
    assert len(ground["scenery"]["water"]["areas"]) == 1
    assert len(ground["scenery"]["rail"]["lines"]) == 1
    assert [place["name"] for place in ground["place_names"]] == ["La Rivière", HOSTILE[0]]


def test_services_are_told_apart(page: Page) -> None:
    services = {service["name"]: service for service in page.data["services"]}
    assert services["Service C1"]["outside"]
    assert services["Service A2"]["left_out"]
    assert "outside" not in services["Service A1"]
    assert "left_out" not in services["Service A1"]


def test_the_page_holds_the_other_language(page: Page, toy_coverage: Coverage) -> None:
    english = Page(render_map(toy_coverage, lang="en"))
    for spare, shown in ((page.spare, english.text), (english.spare, page.text)):
        said = [line.strip() for line in spare.splitlines() if line.strip()]
        assert len(said) > 40
        assert set(said) <= {line.strip() for line in shown.splitlines()}
    other = page.data["other"]
    assert other["lang"] == "en"
    assert other["labels"]["bains_douches"] == "Public baths"
    assert other["words"].keys() == page.data["said"]["words"].keys()
    assert other["cause_words"].keys() == page.data["said"]["cause_words"].keys()
    assert len(other["services"]) == len(page.data["services"])


def test_a_category_without_a_known_place_is_not_judged(toy_study: Study) -> None:
    study = toy_study.replace(categories=("accueil_de_jour",))
    page = Page(render_map(analyse(study)))
    (view,) = page.data["views"]
    assert view["counted"] == 0
    assert view["unjudged"] is True
    assert view["gaps"] == []
    assert view["figures"]["residents_covered_pct"] == [None, None, None]
    assert view["confirmed_pct"] == [None, None, None]
    assert "Non jugé, aucun lieu connu de nous : accueils de jour." in " ".join(page.text.split())
    checked = [tag for tag in page.all("input") if "checked" in tag and tag.get("name") == "view"]
    assert [tag["value"] for tag in checked] == ["accueil_de_jour"]


def test_dossiers_are_linked_as_paths_alone(toy_coverage: Coverage) -> None:
    ids = toy_coverage.study.area.districts["district_id"].astype(str).tolist()
    linked = {ids[0]: "dossiers/javascript:alert(1).html"}
    page = Page(render_map(toy_coverage, dossiers=linked))
    assert page.data["dossiers"] == ["./dossiers/javascript%3Aalert%281%29.html", ""]
    assert Page(render_map(toy_coverage)).data["dossiers"] == []


# --- words and colours ---------------------------------------------------------------------------


def test_both_languages_have_every_word() -> None:
    def keys(table: dict[str, Any], path: str = "") -> set[str]:
        found: set[str] = set()
        for key, value in table.items():
            found |= keys(value, f"{path}.{key}") if isinstance(value, dict) else {f"{path}.{key}"}
        return found

    both = words()
    assert keys(both["fr"]) == keys(both["en"])
    for one in ("page", "script"):
        for key, text in both["fr"][one].items():
            other = both["en"][one][key]
            if isinstance(text, str):
                slots = re.findall(r"\{\w+\}", text)
                assert set(slots) == set(re.findall(r"\{\w+\}", other)), key


def test_the_script_has_the_words_it_asks_for() -> None:
    script = page_script()
    table = words()["fr"]["script"]
    asked = set(re.findall(r'say\(\s*"(\w+)"', script))
    asked |= {key + "_one" for key in re.findall(r'count\("(\w+)"', script)}
    asked |= set(re.findall(r'"((?:column|service)_\w+)"', script))
    # A key that ends with "_" is continued by the script.
    begun = {key for key in asked if key.endswith("_")}
    assert all(any(key.startswith(begin) for key in table) for begin in begun)
    assert asked - begun - set(table) <= {"composite_label", "district", "whole_area"}
    used = script + asset("map/words.toml").partition("[fr.script]")[0]
    unused = {
        key
        for key in table
        if not key.endswith(("_one", "_zero"))
        and not key.startswith(tuple(begun))
        and not re.search(rf'["._]{key.removesuffix("_area")}\b', used)
    }
    assert not unused


def test_the_template_uses_every_word_of_the_page() -> None:
    folder = resources.files("quart_heure.outputs.map").joinpath("templates")
    templates = "".join(
        file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.startswith("map_")
    )
    code = resources.files("quart_heure.outputs.map")
    for module in ("texts.py", "map.py"):
        templates += code.joinpath(module).read_text(encoding="utf-8")
    unused = {
        key
        for key in words()["fr"]["page"]
        if not re.search(rf"\b{key.removesuffix('_one').removesuffix('_area')}\b", templates)
    }
    assert not unused


def test_french_is_typeset(page: Page) -> None:
    text = asset("map/words.toml").partition("[en.page]")[0].partition("[fr.page]")[2]
    assert not re.search(r"\w'\w", text), "a typewriter's apostrophe"
    said = page.text + json.dumps(page.data["said"], ensure_ascii=False, separators=(",", ":"))
    assert not re.search(r" [:;!?»%]", said), "a space that may break the line"


def luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_answers_are_told_apart_in_grey() -> None:
    for name, paint in vars(PALETTE.paints).items():
        # A pattern on what is in doubt, none on what is sure.
        assert bool(paint.line) == bool(paint.gap_px) == (name not in {"covered", "uncovered"})
        if paint.line:
            assert contrast(paint.fill, paint.line) > 3
    assert contrast(PALETTE.paints.covered.fill, PALETTE.paints.uncovered.fill) > 3


def page_colours() -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", stylesheet("map")))


def test_ramps_are_told_apart_without_colour() -> None:
    for ramp in (PALETTE.minutes, PALETTE.reached[::-1], PALETTE.beyond[::-1]):
        steps = [luminance(colour) for colour in ramp]
        assert steps == sorted(steps)
        for darker, lighter in itertools.pairwise(ramp):
            assert contrast(darker, lighter) > 1.25
    # Gaps carry lines, which must be seen on what is painted under them.
    for ground in PALETTE.beyond:
        assert contrast(PALETTE.gap_line, ground) > 2.5
    assert contrast(PALETTE.gap_line, PALETTE.gap) > 4.5
    for ground in (PALETTE.paper, PALETTE.gap, *PALETTE.minutes[2:]):
        assert contrast(page_colours()["ink"], ground) > 4.5


def test_colours_are_stated_in_the_palette_alone(page: Page) -> None:
    """… or in the stylesheet: what the script paints with comes from the data of the page."""
    written = [
        colour
        for colour in re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(", page_script())
        if not re.fullmatch(r"#(day|hour|map|fold)", colour)
    ]
    assert not written
    palette = json.loads(json_in_html(PALETTE))
    assert page.data["palette"] == palette


# Machado, Oliveira and Fernandes 2009, full deficiency, on linear RGB.
DEFICIENCIES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_colours_survive_colour_blindness(deficiency: str) -> None:
    def seen(colour: str) -> np.ndarray:
        channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        linear = np.clip(np.array(DEFICIENCIES[deficiency]) @ linear, 0, 1)
        # Cube roots are about as far apart as colours look.
        return np.cbrt(linear)

    for ramp in (PALETTE.minutes, PALETTE.reached):
        shades = [*ramp, PALETTE.paper, PALETTE.gap_line, PALETTE.scenery["water"]]
        for i, one in enumerate(shades):
            for other in shades[i + 1 :]:
                assert np.linalg.norm(seen(one) - seen(other)) > 0.06, (one, other)


def test_text_of_the_page_meets_aa() -> None:
    colours = page_colours()
    for text in ("ink", "quiet", "accent", "warn"):
        assert contrast(colours[text], colours["paper"]) >= 4.5, text
        assert contrast(colours[text], colours["ground"]) >= 4.5, text
    assert contrast("#ffffff", colours["accent"]) >= 4.5


# --- shapes --------------------------------------------------------------------------------------


def test_steps_lead_back_to_the_shape() -> None:
    pen = Pen(toy_town.town_area().crs)
    x, y = toy_town.ORIGIN
    ring = [(x, y), (x + 500, y + 13), (x + 321, y + 777), (x - 40, y + 5)]
    hole = [(x + 200, y + 100), (x + 220, y + 100), (x + 210, y + 140)]
    shape = shapely.MultiPolygon([(ring, [hole]), (np.array(ring) + 2000, [])])
    (back,) = map(polygons_of, pen.polygons([shape]))
    expected = gpd.GeoSeries([shape], crs=toy_town.CRS).to_crs(4326).iloc[0]
    assert shapely.hausdorff_distance(back, expected) < 1.0 / UNITS_PER_DEGREE
    assert [len(part.interiors) for part in back.geoms] == [1, 0]
    assert pen.polygons([shapely.MultiPolygon()]) == [[]]


def test_corners_are_rounded_and_nothing_is_lost() -> None:
    stairs = shapely.union_all(
        [shapely.box(i * 25, 0, (i + 1) * 25, 25 * (i + 1)) for i in range(20)]
    )
    square = shapely.box(1000, 0, 1100, 100)
    hollow = shapely.box(0, 1000, 200, 1200) - shapely.box(50, 1050, 75, 1075)
    rounded = round_corners([stairs, square, hollow], 25)
    assert shapely.is_valid(rounded).all()
    assert shapely.area(rounded) == pytest.approx(shapely.area([stairs, square, hollow]), rel=0.06)
    assert len(rounded[2].interiors) == 1
    assert shapely.get_num_coordinates(rounded[0]) < 15


def test_streets_are_joined_and_named(toy_study: Study) -> None:
    area = toy_study.area.geometry
    lines, names, labels = streets(
        toy_study.network, area=area, around=area.buffer(800), pen=Pen(toy_study.area.crs)
    )
    *main, lesser = lines
    assert main == [[], [], []]
    assert lesser
    assert "pont Unique" not in names, "footways are not streets"
    assert "avenue du Pont" in names
    assert len({len(column) for column in vars(labels).values()}) == 1
    angles = np.abs(labels.angle_deg)
    assert (angles <= 90).all()
    assert angles[np.array(labels.name) == names.index("avenue du Pont")].min() > 80


# --- Paris ---------------------------------------------------------------------------------------


@thorough
def test_paris_is_small_enough_to_send(tmp_path: Path) -> None:
    study = Study.paris()
    coverage, background = analyse(study), study.background()
    plain = write_map(coverage, tmp_path / "plain.html", background=background, what_if=False)
    assert plain.stat().st_size < PARIS_LIMIT_MB * 1_000_000
    path = write_map(coverage, tmp_path / "paris.html", background=background)
    assert path.stat().st_size < PARIS_WHAT_IF_LIMIT_MB * 1_000_000
    page = Page(path.read_text(encoding="utf-8"))
    assert [view["id"] for view in page.data["views"][1:]] == list(study.categories)
    assert len(page.data["ground"]["districts"]) == 20
    assert all(view["gaps"] for view in page.data["views"])
    hidden = study.services.table[study.services.table["discreet"]]
    text = path.read_text(encoding="utf-8")
    for name in hidden["name"]:
        assert name not in text
