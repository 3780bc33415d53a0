"""Search, card, print and what is sent of a view, in a real browser with the network cut."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from playwright.sync_api import Browser, Download, Page, expect

from helpers import toy_town
from helpers.browser import CHROMIUM, PHONE, WIDE, Opened, running_browser
from helpers.hostile import MAP_HOSTILE as HOSTILE
from helpers.project import fewer
from quart_heure.outputs.map.map import write_map
from quart_heure.study import Study, analyse

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium"),
]

SMALL = {"width": 1024, "height": 768}
LYING = {"width": 844, "height": 390}

STREETS = ("Rue du Faubourg Saint-Denis", "Boulevard Voltaire", "Rue de la Paix", "Rue d’Ulm")
FORMULA = "=HYPERLINK(1)"

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


def named(study: Study) -> Study:
    """The town with districts and streets that people know how to call."""
    names = tuple(name and STREETS[n % len(STREETS)] for n, name in enumerate(study.network.names))
    districts = study.area.districts.assign(district_id=["75116", "75118"], label=["16e", "18e"])
    return study.replace(
        network=dataclasses.replace(study.network, names=names),
        area=dataclasses.replace(study.area, districts=districts),
    )


def places(names: dict[str, str]) -> gpd.GeoDataFrame:
    """Points with a name and a kind, side by side."""
    x, y = toy_town.ORIGIN
    return gpd.GeoDataFrame(
        {"kind": list(names.values()), "name": list(names)},
        geometry=[shapely.Point(x + 300 + 20 * n, y + 300) for n in range(len(names))],
        crs=toy_town.CRS,
    )


@pytest.fixture(scope="module")
def files(
    toy_study: Study, hostile_study: Study, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("cards")
    table = toy_study.services.table
    many = pd.concat([table, *[table.iloc[[0]]] * 200], ignore_index=True)
    many["service_id"] = [f"M{n}" for n in range(len(many))]
    found = places({"Gare du Nord": "station", "Mairie": "town_hall", "Rond-Point": "of my own"})
    hostile = places(dict.fromkeys(HOSTILE, "station"))
    formula = hostile_study.area.districts.assign(label=[FORMULA, HOSTILE[0]])
    studies = {
        "named": (named(toy_study), found),
        "hostile": (
            hostile_study.replace(area=dataclasses.replace(hostile_study.area, districts=formula)),
            hostile,
        ),
        "plain": (toy_study.replace(residents=None, categories=("bains_douches",)), None),
        "many": (
            toy_study.replace(services=dataclasses.replace(toy_study.services, table=many)),
            None,
        ),
    }
    return {
        name: write_map(analyse(study), folder / f"{name}.html", background=background)
        for name, (study, background) in studies.items()
    }


@pytest.fixture
def open_map(browser: Browser, files: dict[str, Path]) -> Iterator[Open]:
    opened: list[tuple[Opened, Path]] = []

    def open_one(name: str, viewport: dict[str, int] | None = None, state: str = "") -> Page:
        one = Opened(browser, files[name], viewport or WIDE, state)
        opened.append((one, files[name]))
        return one.page

    yield open_one
    for one, path in opened:
        one.check_quiet(path)
        one.context.close()


def suggested(page: Page, query: str) -> list[str]:
    page.locator("#search").fill(query)
    return page.locator("#search-list .found").all_inner_texts()


# --- search --------------------------------------------------------------------------------------


def test_places_are_found_as_people_type_them(open_map: Open) -> None:
    page = open_map("named")
    for query, first in {
        "gare du nord": "Gare du Nord",
        "GARE NORD": "Gare du Nord",
        "bd voltaire": "Boulevard Voltaire",
        "bld. Voltaire": "Boulevard Voltaire",
        "rue fg st denis": "Rue du Faubourg Saint-Denis",
        "r de la paix": "Rue de la Paix",
        "rue d'ulm": "Rue d’Ulm",
        "18e": "18e",
        "18ème": "18e",
        "18eme arrondissement": "18e",
        "75018": "18e",
        "75116": "16e",
        "75016": "16e",
        "mairie": "Mairie",
        "rond point": "Rond-Point",
        "service a1": "Service A1",
    }.items():
        assert suggested(page, query)[:1] == [first], query
    assert suggested(page, "12 bd voltaire")[:1] == ["Boulevard Voltaire"]
    expect(page.locator("#search-status")).to_be_visible()
    expect(page.locator("#search-status")).to_contain_text("sans le numéro")


def test_nothing_found_is_said_on_the_screen(open_map: Open) -> None:
    page = open_map("named", PHONE)
    page.locator("#fold").click()
    status = page.locator("#search-status")
    assert suggested(page, "qwertz") == []
    expect(status).to_contain_text("Aucun résultat")
    assert status.bounding_box()["height"] > 15
    assert status.get_attribute("role") == "status"
    assert suggested(page, "gare")
    assert status.evaluate("node => node.classList.contains('for-readers')")
    page.locator("#search").fill("")
    expect(status).to_have_text("")


def test_a_long_street_gives_its_stretches(open_map: Open) -> None:
    page = open_map("named")
    street = page.evaluate(
        """() => {
          const { search, words, data } = quartHeure.map;
          search.input.value = "rue";
          search.suggest();
          return search.index.find((one) => one.kind === "street" && one.stretches.length > 1).text;
        }"""
    )
    texts = suggested(page, street)
    assert texts[:3] == [street] * 3
    kinds = page.locator("#search-list .kind").all_inner_texts()
    assert "2 tronçons" in kinds[0]
    assert set(kinds[1:3]) == {"16e", "18e"}
    page.locator("#search").press("ArrowDown")
    page.locator("#search").press("ArrowDown")
    page.locator("#search").press("Enter")
    expect(page.locator(".card h2")).to_contain_text(kinds[1])
    expect(page.locator(".card .popup")).to_be_focused()


def test_hostile_places_are_text(open_map: Open) -> None:
    page = open_map("hostile")
    for name in HOSTILE:
        asked = " ".join(re.sub(r"\W", " ", name).split())
        assert suggested(page, asked[:30]), name
    assert page.locator("#search-list :is(img, script, b)").count() == 0


# --- card ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewport", fewer([WIDE, PHONE, LYING, SMALL], 3), ids=str)
def test_the_card_does_not_cover_its_place(open_map: Open, viewport: dict[str, int]) -> None:
    page = open_map("named", viewport)
    for share in (0.15, 0.85):
        at = page.evaluate(
            """(share) => {
              const { map, data, layers } = quartHeure.map;
              const { west, east, south, north } = data.ground.bounds;
              const place = L.latLng(south + (north - south) * 0.2, west + (east - west) * share);
              layers.openAt(place);
              const box = document.querySelector(".map").getBoundingClientRect();
              const { x, y } = map.latLngToContainerPoint(place);
              const shown = document.elementFromPoint(box.x + x, box.y + y);
              return { inMap: shown !== null && shown.closest(".map") !== null, x, y };
            }""",
            share,
        )
        assert at["inMap"], at
        card = page.locator("#card").bounding_box()
        assert card["x"] >= 0
        assert card["x"] + card["width"] <= viewport["width"]
        assert card["y"] + card["height"] <= viewport["height"]
        # A ring tells which place it is about.
        assert page.locator(".leaflet-names-pane path").count() == 2
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    expect(page.locator(".leaflet-names-pane path")).to_have_count(0)


def test_what_a_finger_touches_is_large_enough(open_map: Open) -> None:
    page = open_map("named", PHONE)
    small = """() => [...document.querySelectorAll(
        "button, a[href], select, input, summary, label:not([for])")]
      .filter((node) => node.checkVisibility({ visibilityProperty: true }))
      .filter((node) => !node.matches(".skip, .for-readers, [tabindex='-1']"))
      .filter((node) => !node.matches("input[type=radio], input[type=checkbox]"))
      .map((node) => [node.outerHTML.slice(0, 90), node.getBoundingClientRect()])
      .filter(([, { width, height }]) => width > 0 && (height < 43.5 || width < 43.5))
      .map(([text, { width, height }]) => `${text} ${width} × ${height}`)"""
    assert page.evaluate(small) == []
    page.locator("#fold").click()
    for summary in page.locator(".panel summary").all():
        if not summary.evaluate("node => node.parentElement.open"):
            summary.click()
    assert page.evaluate(small) == []
    page.locator("#fold").click()
    page.locator(".map").click(position={"x": 200, "y": 220})
    expect(page.locator("#card")).to_be_visible()
    assert page.evaluate(small) == []


def test_names_of_districts_are_all_there(open_map: Open) -> None:
    """Twenty on a spot for six, with services and numbers in between."""
    page = open_map("named")
    written = page.evaluate(
        """() => {
          const { map, data, names } = quartHeure.map;
          const { lat, lng } = map.getCenter();
          const [first] = data.ground.districts;
          data.ground.districts = Array.from({ length: 20 }, (_, n) => ({
            ...first, label: `N${n}`, at: { lat: lat + (n % 5) * 1e-4, lng: lng + n * 1e-4 },
          }));
          const seen = [];
          const write = CanvasRenderingContext2D.prototype.fillText;
          CanvasRenderingContext2D.prototype.fillText = (text) => seen.push(text);
          names.place();
          CanvasRenderingContext2D.prototype.fillText = write;
          return seen;
        }"""
    )
    assert {f"N{n}" for n in range(20)} <= set(written)


def test_the_legend_tells_every_mark_on_a_phone(open_map: Open) -> None:
    page = open_map("named", PHONE)
    page.locator("#legend summary").click()
    texts = page.locator("#legend-list li:visible").all_inner_texts()
    for label in ("Bains-douches", "Espaces solidarité insertion (ESI)"):
        assert label in texts


def test_paper_has_every_zone_and_the_whole_legend(open_map: Open) -> None:
    page = open_map("hostile")
    page.get_by_role("radio", name="Bains-douches").check()
    gaps = page.evaluate(
        """() => {
          const { gaps, view, effective } = quartHeure.map;
          return gaps.of(view, effective.minutes).length;
        }"""
    )
    page.locator("#legend summary").click()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#gaps-list > li").count() == gaps
    assert page.locator("#legend").evaluate("node => node.open")
    assert page.locator(".panel details:not([open])").count() == 0
    expect(page.locator(".send")).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert not page.locator("#legend").evaluate("node => node.open")


# --- send ----------------------------------------------------------------------------------------


def sent(page: Page, button: str) -> Download:
    with page.expect_download() as coming:
        page.locator(button).click()
    expect(page.locator("#send-said")).to_contain_text("Enregistré")
    return coming.value


def test_the_table_is_sent_as_offices_open_it(open_map: Open, tmp_path: Path) -> None:
    page = open_map("hostile")
    page.get_by_role("radio", name="Bains-douches").check()
    coming = sent(page, "#send-table")
    assert re.fullmatch(r"[a-z0-9-]+\.csv", coming.suggested_filename)
    coming.save_as(tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_bytes().decode("utf-8")
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text[1:]), delimiter=";"))
    shown = page.locator("#table tr")
    assert len(rows) == shown.count() > 2
    assert len({len(row) for row in rows}) == 1
    labels = [row[0] for row in rows]
    assert "'" + FORMULA in labels
    assert not any(re.match(r"[=+@\t-]", cell) for row in rows for cell in row if cell != "-")
    share = next(n for n, head in enumerate(rows[0]) if head.endswith("(%)"))
    assert all(re.fullmatch(r"\d+,\d", row[share]) for row in rows[1:])


def test_a_picture_of_the_view_is_sent(open_map: Open, tmp_path: Path) -> None:
    page = open_map("named")
    page.get_by_role("radio", name="Bains-douches").check()
    written = page.evaluate(
        """() => {
          const seen = [];
          const write = CanvasRenderingContext2D.prototype.fillText;
          CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
            seen.push(text);
            return write.call(this, text, ...rest);
          };
          return (window.written = seen).length;
        }"""
    )
    assert written == 0
    coming = sent(page, "#send-picture")
    assert coming.suggested_filename.endswith(".png")
    coming.save_as(tmp_path / "view.png")
    with Image.open(tmp_path / "view.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.shape[0] > 1000
    assert len(np.unique(pixels[::8, ::8].reshape(-1, 3), axis=0)) > 20
    texts = " ".join(page.evaluate("window.written"))
    assert "15\u00a0minutes" in texts or "15 minutes" in texts  # the sentence
    assert "hors réseau piéton" in texts  # the legend
    assert "Carte produite le" in texts  # the date
    assert "OpenStreetMap" in texts  # the sources


def test_the_link_is_copied_or_shown(open_map: Open) -> None:
    page = open_map("named")
    page.get_by_role("radio", name="Bains-douches").check()
    page.evaluate(
        """() => {
          window.copied = [];
          const writeText = (text) => (window.copied.push(text), Promise.resolve());
          const value = { writeText };
          Object.defineProperty(navigator, "clipboard", { value, configurable: true });
        }"""
    )
    page.locator("#send-link").click()
    expect(page.locator("#send-said")).to_contain_text("Lien copié")
    (link,) = page.evaluate("window.copied")
    assert "#view=bains_douches" in link
    page.evaluate(
        """() => {
          const writeText = () => Promise.reject(new Error("no"));
          Object.defineProperty(navigator, "clipboard", { value: { writeText } });
        }"""
    )
    page.locator("#send-link").click()
    expect(page.locator("#send-address")).to_be_visible()
    assert page.locator("#send-address").input_value() == link


# --- other towns ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "many"])
def test_pages_of_other_towns_have_the_same(open_map: Open, name: str) -> None:
    """Without residents and of one category; of two hundred services."""
    page = open_map(name)
    assert suggested(page, "avenue")
    box = page.locator(".map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.7)
    expect(page.locator(".card .here tbody tr").first).to_contain_text("Bains-douches")
    page.get_by_role("radio", name="Bains-douches").check()
    assert sent(page, "#send-table").suggested_filename.endswith(".csv")
    assert sent(page, "#send-picture").suggested_filename.endswith(".png")
    assert not re.search(r"[{}]|undefined|NaN", page.locator("body").inner_text())
