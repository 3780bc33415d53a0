"""The head of the map and what follows from it: sentence, district, zones at every threshold."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from scipy import ndimage

from helpers.browser import CHROMIUM, PHONE, WIDE, Opened, running_browser
from helpers.hostile import MAP_HOSTILE as HOSTILE
from helpers.town_week import town_week
from quart_heure.analysis.statuses import BORDERLINE
from quart_heure.network.limits import within
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.map.map import write_map
from quart_heure.study import Coverage, Study, analyse

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium"),
]

MIDDLE = {"width": 1024, "height": 768}
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


def quartered(study: Study, labels: tuple[str, str, str, str]) -> Study:
    """The town with four quarters, two in each of its districts."""
    west, south, east, north = study.area.geometry.bounds
    middle = (south + north) / 2
    halves = [(south, middle), (middle, north)]
    rows = [
        (label, shape)
        for district in study.area.districts.geometry
        for label, shape in (
            ("", shapely.intersection(district, shapely.box(west, low, east, high)))
            for low, high in halves
        )
    ]
    quarters = gpd.GeoDataFrame(
        {
            "district_id": [f"Q{n}" for n in range(len(rows))],
            "label": list(labels),
            "parent_id": np.repeat(study.area.districts["district_id"].to_numpy(), 2),
        },
        geometry=[shape for _, shape in rows],
        crs=study.area.crs,
    )
    return study.replace(area=dataclasses.replace(study.area, subdistricts=quarters))


@pytest.fixture(scope="module")
def quarters_coverage(toy_study: Study) -> Coverage:
    categories = (*toy_study.categories, "accueil_de_jour")
    study = quartered(toy_study, ("Sud-Est", "Nord-Est", "Sud-Ouest", "Nord-Ouest"))
    return analyse(study.replace(categories=categories))


@pytest.fixture(scope="module")
def files(
    quarters_coverage: Coverage,
    toy_study: Study,
    hostile_study: Study,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sentence")
    districts = quarters_coverage.study.area.districts["district_id"].astype(str)
    return {
        "town": write_map(
            quarters_coverage,
            folder / "town.html",
            dossiers={districts.iloc[0]: "dossiers/est.html"},
        ),
        "week": write_map(town_week(), folder / "week.html"),
        "hostile": write_map(
            analyse(quartered(hostile_study, HOSTILE[:4])), folder / "hostile.html"
        ),
        "area": write_map(analyse(toy_study.replace(residents=None)), folder / "area.html"),
        "one": write_map(
            analyse(toy_study.replace(categories=("bains_douches",))),
            folder / "one.html",
            what_if=False,
        ),
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


def said(page: Page) -> str:
    """The sentence, with plain spaces."""
    return re.sub(r"\s", " ", page.locator("#sentence").inner_text())


def about(value: float) -> str:
    """To two digits, as a French reader writes it."""
    digits = -int(np.floor(np.log10(value))) + 1
    return f"{round(value, digits):,.0f}".replace(",", " ")


def lacking(coverage: Coverage, category: str, minutes: float, district: str = "") -> float:
    """Count who has none, cell by cell."""
    cells = coverage.cells[coverage.cells["on_network"]]
    if district:
        cells = cells[cells["district_id"] == district]
    beyond = ~within(cells[f"minutes_{category}"].to_numpy(float), minutes)
    return float(cells["residents"][beyond].sum())


def test_the_sentence_follows_what_is_chosen(open_map: Open, quarters_coverage: Coverage) -> None:
    page = open_map("town")
    coverage = publishable(quarters_coverage)
    city = coverage.composite.query("level == 'city' and essentials_within == 0").iloc[0]
    assert said(page) == (
        f"Environ {about(city['residents'])} habitants ({city['residents_pct']:.0f} %) n’ont "
        "aucun des trois services essentiels à 15 minutes de marche."
    )
    page.locator("#what").select_option("bains_douches")
    expect(page.get_by_role("radio", name="Bains-douches")).to_be_checked()
    none = f"Environ {about(lacking(coverage, 'bains_douches', 15))} habitants"
    assert said(page).startswith(none)
    assert "n’ont aucun bain-douche à 15 minutes de marche." in said(page)
    # What walking a tenth slower or faster makes of it stands beside it.
    pace = coverage.accuracy.query(
        "level == 'city' and category == 'bains_douches' and doubt == 'speed'"
    ).iloc[0]
    doubt = page.locator("#doubt")
    expect(doubt).to_contain_text(f"{100 - pace['residents_low_pct']:.0f}")
    expect(doubt).to_contain_text("selon l’allure, à 10")
    page.get_by_role("radio", name="10 min").check()
    assert said(page).startswith(f"Environ {about(lacking(coverage, 'bains_douches', 10))} hab")
    assert "à 10 minutes" in said(page)


def test_a_district_is_looked_at(open_map: Open, quarters_coverage: Coverage) -> None:
    page = open_map("town", state="#view=bains_douches")
    coverage = publishable(quarters_coverage)
    district = coverage.study.area.districts.iloc[0]
    identifier, label = str(district["district_id"]), str(district["label"])
    expect(page.locator("#dossier")).to_be_hidden()
    page.get_by_label("Mon secteur", exact=True).select_option(label=label)
    people = lacking(coverage, "bains_douches", 15, identifier)
    assert said(page).startswith(f"{label} : environ {about(people)} habitants")
    assert f"in={identifier}" in page.url
    parts = coverage.gap_parts.query(
        "category == 'bains_douches' and district_id == @identifier"
    ).sort_values("residents", ascending=False)
    expect(page.locator("#gaps-title")).to_contain_text(f"({len(parts)})")
    expect(page.locator("#gaps-list button").first).to_contain_text(
        f"{parts['residents'].iloc[0]:,.0f}".replace(",", "\u202f")
    )
    expect(page.locator("#dossier a")).to_have_attribute("href", "./dossiers/est.html")
    page.get_by_text("Tableau par").click()
    expect(page.locator("#table tr[aria-current]")).to_contain_text(label)
    # The mark on a bar is the whole area.
    city = page.locator(".choice", has_text="Bains-douches").locator(".bar .city")
    whole = coverage.city.set_index("category").at["bains_douches", "residents_covered_pct"]
    left = city.evaluate("(mark) => parseFloat(mark.style.left)")
    assert left == pytest.approx(whole, abs=0.06)
    page.reload()
    page.wait_for_selector("html.ready")
    assert said(page).startswith(f"{label} : environ")
    # Another one, by its line of the table; and the whole area again.
    page.get_by_text("Tableau par").click()
    page.locator("#table th button").nth(1).click()
    expect(page.locator("#dossier")).to_be_hidden()
    assert said(page).startswith("Ouest : ")
    page.get_by_label("Mon secteur", exact=True).select_option(index=0)
    assert said(page).startswith("Environ")
    assert "in=" not in page.url


def test_a_click_looks_at_the_district_that_holds_it(open_map: Open) -> None:
    page = open_map("town", state="#view=bains_douches&hide=gaps.services")
    box = page.locator(".map").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2 + 90, box["y"] + box["height"] / 2 + 100)
    expect(page.locator(".popup")).to_be_visible()
    assert said(page).startswith("Est : ")
    assert "in=" in page.url


def test_parts_are_those_of_the_tables(open_map: Open, quarters_coverage: Coverage) -> None:
    page = open_map("town")
    coverage = publishable(quarters_coverage)
    rows = coverage.study.area.districts["district_id"].astype(str).tolist()
    told = page.evaluate(
        """() => {
          const { data, gaps } = quartHeure.map;
          const told = (view, gap) => gaps.parts(view, gap).map((part) =>
            ({ ...part, ...part.minutes, gap: null, view: view.id, rank: gap.rank }));
          return data.views.flatMap((view) =>
            gaps.of(view, data.threshold_min).flatMap((gap) => told(view, gap)));
        }"""
    )
    ranks = coverage.gaps.set_index("gap_id")["rank"]
    expected = coverage.gap_parts[coverage.gap_parts["category"] != "essential_all"]
    assert len(told) == len(expected) > 4
    by_key = {(one["view"], one["rank"], one["row"]): one for one in told}
    for part in expected.to_dict("records"):
        category = str(part["category"]).replace("essential_any", "essentials_within")
        row = rows.index(str(part["district_id"]))
        one = by_key[category, int(ranks[part["gap_id"]]), row]
        assert one["residents"] == pytest.approx(part["residents"], abs=1.5)
        assert one["area_ha"] == pytest.approx(part["area_ha"])
        assert one["nearest"] == part["nearest_service_name"]
        for end in ("min", "max"):
            if np.isfinite(part[f"minutes_{end}"]):
                assert part[f"minutes_{end}"] - 1e-6 <= one[end] <= part[f"minutes_{end}"] + 5
            else:
                assert one[end] is None
        names = {quarter["name"] for quarter in one["quarters"]}
        assert names
        assert all(name.endswith("Est" if row == 0 else "Ouest") for name in names)


@pytest.mark.parametrize("minutes", [10, 20])
def test_zones_follow_the_threshold(
    open_map: Open, quarters_coverage: Coverage, minutes: float
) -> None:
    page = open_map("town", state=f"#view=bains_douches&min={minutes}")
    cells = quarters_coverage.cells
    beyond = cells["on_network"] & ~within(
        cells["minutes_bains_douches"].to_numpy(float), minutes * (1 + BORDERLINE)
    )
    col, row = (cells[name] - cells[name].min() for name in ("col", "row"))
    mask = np.zeros((row.max() + 1, col.max() + 1))
    mask[row[beyond], col[beyond]] = 1
    label, _ = ndimage.label(mask)
    sizes = np.bincount(label.ravel())[1:]
    large = np.flatnonzero(sizes * 0.0625 >= 1 - 1e-9) + 1
    zone = label[row, col]
    people = [cells["residents"][(zone == n) & beyond].sum() for n in large]
    expect(page.locator("#gaps-title")).to_contain_text(f"({len(large)})")
    told = page.evaluate(
        "quartHeure.map.gaps.of(quartHeure.map.view, quartHeure.map.effective.minutes)"
        ".map(({ residents }) => residents)"
    )
    assert told == pytest.approx(sorted(people, reverse=True), abs=1.5)
    expect(page.locator("#legend-list")).to_contain_text(f"au-delà de {minutes}")
    # What lies beyond is painted on.
    expect(page.locator("#legend-ramp")).to_contain_text(f"{minutes}–")


def test_people_in_no_zone_are_explained(open_map: Open, quarters_coverage: Coverage) -> None:
    page = open_map("town", state="#view=bains_douches")
    gaps = quarters_coverage.gaps.query("category == 'bains_douches'")["residents"].sum()
    others = lacking(quarters_coverage, "bains_douches", 15) - gaps
    told = re.sub(r"\s", " ", page.locator("#summary").inner_text())
    found = re.search(r"Les ([\d ]+) autres qui n’ont rien à portée", told)
    assert found
    assert int(found[1].replace(" ", "")) == pytest.approx(others, abs=2)


def test_a_category_without_a_known_place_is_said_not_judged(open_map: Open) -> None:
    page = open_map("town", state="#view=accueil_de_jour")
    assert "aucun lieu connu de nous" in said(page)
    assert "ni part, ni zone, ni rang" in said(page)
    choice = page.locator(".choice", has_text="Accueils de jour")
    expect(choice.locator(".share")).to_have_text("non jugé")
    expect(page.locator("#gaps-list li")).to_have_count(0)
    expect(page.locator("#legend-list")).not_to_contain_text("zone blanche")
    page.locator("#what").select_option("essentials_within")
    assert "aucun des trois services" in said(page)


@pytest.mark.parametrize("viewport", [WIDE, MIDDLE, PHONE], ids=["wide", "middle", "phone"])
def test_the_answer_comes_before_the_settings(open_map: Open, viewport: dict[str, int]) -> None:
    page = open_map("town", viewport, "#view=bains_douches")
    sentence = page.locator("#sentence").bounding_box()
    assert sentence
    assert sentence["y"] + sentence["height"] < viewport["height"] / 3
    if viewport is PHONE:
        page.locator("#fold").click()
    tops = [
        page.locator(name).bounding_box()["y"]  # type: ignore[index]
        for name in ("#summary", "#gaps-list", "#table-details", ".choices", "#what-if")
    ]
    assert tops == sorted(tops)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_figures_of_area_have_a_sentence_too(open_map: Open) -> None:
    page = open_map("area")
    assert re.match(r"\d+ % de la surface n’a aucun des trois services essentiels", said(page))
    page.locator("#what").select_option("esi")
    page.get_by_role("radio", name="20 min").check()
    assert "de la surface n’a aucun espace solidarité insertion" in said(page)
    english = open_map("area", state="#view=esi&lang=en")
    assert "of the area has no day centre" in said(english)


def test_one_category_alone_is_told(open_map: Open) -> None:
    page = open_map("one")
    assert "n’ont aucun bain-douche" in said(page)
    expect(page.locator("#what option")).to_have_count(1)


def test_every_category_has_its_range_at_an_hour(open_map: Open) -> None:
    page = open_map("week", state="#view=esi&hour=158")
    shares = page.locator(".choice .share").all_inner_texts()
    assert all(re.search(r"[\d—]", share) for share in shares if share)
    expect(page.locator("#doubt")).to_contain_text("horaires inconnus")
    hint = page.locator("#share-hint")
    expect(hint).to_contain_text("sûre – au plus")


def test_hours_say_why_they_wait_while_something_is_supposed(open_map: Open) -> None:
    page = open_map("week", state="#view=esi&hour=158")
    page.evaluate(
        """() => {
          const { whatIf, data } = quartHeure.map;
          const { at } = data.services.find((one) => one.category === "bains_douches");
          return whatIf.openAt(L.latLng(at.lat, at.lng), "esi");
        }"""
    )
    expect(page.locator("#hours-supposed")).to_be_visible()
    expect(page.locator("#day")).to_be_disabled()
    expect(page.locator("#notes")).to_contain_text("un lieu supposé n’en a pas")
    expect(page.locator("#sentence")).to_contain_text("changements supposés ; sans eux")
    expect(page.locator(".choice", has_text="(ESI)").locator(".facts")).to_be_hidden()
    page.locator("#what-if-clear").click()
    expect(page.locator("#day")).to_be_enabled()
    expect(page.locator("#sentence")).not_to_contain_text("supposés")


def test_hostile_names_stay_text_in_the_head_and_the_zones(open_map: Open) -> None:
    page = open_map("hostile")
    page.locator("#go-to").select_option(index=1)
    for summary in page.locator(".cut summary").all():
        summary.click()
    page.locator("#gaps-list button").first.click()
    expect(page.locator(".popup")).to_be_visible()
    assert page.evaluate("document.images.length") == 0
    assert page.locator(".top script, .top img, #gaps-list img, .popup script").count() == 0


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_head_and_the_zones_are_accessible(open_map: Open, viewport: dict[str, int]) -> None:
    page = open_map("town", viewport, "#view=bains_douches")
    if viewport is PHONE:
        page.locator("#fold").click()
    for summary in page.locator(".cut summary").all():
        summary.click()
    found = Axe().run(page).response["violations"]
    assert found == [], [(one["id"], [n["html"][:90] for n in one["nodes"]]) for one in found]
