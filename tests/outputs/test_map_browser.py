"""The map in a real browser, from a file, with the network cut."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from helpers import toy_town
from helpers.browser import CHROMIUM, PHONE, WIDE, Opened, running_browser
from helpers.hostile import MAP_HOSTILE as HOSTILE
from helpers.project import fewer, thorough
from helpers.town_week import STARTS, TRIED_HOURS, by_clock, shares_at, town_week
from quart_heure.analysis.states import YES
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.map import hours as map_hours
from quart_heure.outputs.map.cells import Grid
from quart_heure.outputs.map.map import build_map, write_map
from quart_heure.outputs.proposals.proposal import Proposal
from quart_heure.outputs.report.calls import calls_proposal
from quart_heure.outputs.report.siting import siting_proposal
from quart_heure.sources.hours.timeline import CLOSED, OPEN, UNKNOWN
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.calls import calls
from quart_heure.study.siting import site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def files(
    toy_coverage: Coverage,
    toy_study: Study,
    hostile_study: Study,
    background: object,
    asked_coverage: Coverage,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("map")
    return {
        "town": write_map(toy_coverage, folder / "town.html", background=background),
        "river": write_map(
            analyse(toy_study.replace(ground=toy_town.town_river())), folder / "river.html"
        ),
        "week": write_map(town_week(), folder / "week.html"),
        "town-en": write_map(toy_coverage, folder / "en.html", lang="en"),
        "hostile": write_map(analyse(hostile_study), folder / "hostile.html"),
        "asked": write_map(asked_coverage, folder / "asked.html"),
        "proposed": write_map(
            asked_coverage, folder / "proposed.html", proposals=proposals_of(asked_coverage)
        ),
    }


def proposals_of(coverage: Coverage) -> list[Proposal]:
    shown = publishable(coverage)
    return [
        siting_proposal(site(shown, "esi", count=2, mesh_m=100)),
        calls_proposal(calls(shown), shown),
    ]


@pytest.fixture
def open_map(browser: Browser, files: dict[str, Path]) -> Iterator[object]:
    opened: list[tuple[Opened, Path]] = []

    def open_one(name: str, viewport: dict[str, int] | None = None, state: str = "") -> Page:
        one = Opened(browser, files[name], viewport or WIDE, state)
        opened.append((one, files[name]))
        return one.page

    yield open_one
    for one, path in opened:
        one.check_quiet(path)
        one.context.close()


def colours_seen(page: Page, pane: str = "surface") -> int:
    """Count the colours of a canvas once it is drawn: a blank one has a single one."""
    count: int = page.evaluate(
        """async (pane) => {
          const frame = () => new Promise(requestAnimationFrame);
          await frame().then(frame);
          const drawn = document.querySelector(`.leaflet-${pane}-pane canvas`);
          const copy = new OffscreenCanvas(drawn.width, drawn.height);
          const pen = copy.getContext("2d", { willReadFrequently: true });
          pen.drawImage(drawn, 0, 0);
          const bytes = pen.getImageData(0, 0, copy.width, copy.height).data;
          return new Set(new Uint32Array(bytes.buffer)).size;
        }""",
        pane,
    )
    return count


def centre(page: Page) -> list[float]:
    found: list[float] = page.evaluate(
        "(({ lat, lng }) => [lat, lng])(quartHeure.map.map.getCenter())"
    )
    return found


def test_opens_from_a_file_and_draws(open_map) -> None:
    page = open_map("town")
    expect(page).to_have_title(re.compile("Petite Ville"))
    assert colours_seen(page) > 5
    assert page.locator(".leaflet-marks-pane path").count() == 3
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("OpenStreetMap")
    expect(page.locator(".leaflet-control-scale-line")).to_contain_text("m")


def test_every_view_changes_map_legend_and_lists(open_map) -> None:
    page = open_map("town")
    titles, summaries = set(), set()
    for name in ("Services essentiels à portée", "Bains-douches", "Bagageries"):
        page.get_by_role("radio", name=name).check()
        titles.add(page.locator("#legend-title").inner_text())
        summaries.add(page.locator("#summary").inner_text())
        expect(page.locator("#now")).to_have_text(name)
        assert not re.search(r"[{}]|undefined|NaN", page.locator("body").inner_text())
        assert colours_seen(page) > 3
    assert len(titles) == len(summaries) == 3


def test_figures_are_those_of_the_tables(open_map, toy_coverage: Coverage) -> None:
    page = open_map("town-en")
    page.get_by_role("radio", name="Public baths").check()
    city = toy_coverage.city.set_index("category").loc["bains_douches"]
    expect(page.locator("#summary")).to_contain_text(f"{city['residents_covered_pct']:.1f}%")
    page.get_by_text("Table by district").first.click()
    cells = page.locator("#table tr.city td").all_inner_texts()
    assert cells[1] == f"{city['residents_covered_pct']:.1f}%"
    pace = toy_coverage.accuracy.query(
        "level == 'city' and category == 'bains_douches' and doubt == 'speed'"
    ).iloc[0]
    ends = [f"{round(pace[name]):.0f}" for name in ("residents_low_pct", "residents_high_pct")]
    assert cells[2] == "–".join(dict.fromkeys(ends))
    assert cells[4] == f"{city['covered_pct']:.1f}%"
    assert cells[6] == str(city["gaps"])
    headings = page.locator("#table thead th").all_inner_texts()
    assert len(headings) == len(cells) + 1


@pytest.mark.parametrize("viewport", fewer([PHONE, WIDE], 1))
def test_the_table_says_what_its_rows_leave_out(open_map, viewport, toy_coverage: Coverage) -> None:
    page = open_map("town", viewport)
    if viewport is PHONE:
        page.locator("#fold").click()
    page.locator("#table-details summary").click()
    page.get_by_role("radio", name="Bagageries").check()
    inside = toy_coverage.indicators.query("category == 'bagagerie' and level == 'district'")
    services = page.locator("#table tbody td:nth-child(2)").all_inner_texts()
    assert services[:-1] == [str(int(n)) for n in inside["services_inside"]]
    notes = page.locator("#table p")
    assert not any(text.startswith("*") for text in notes.all_inner_texts())
    expect(notes.last).to_contain_text("touche plusieurs secteurs compte dans chacun")
    # The panel scrolls, the page does not.
    assert page.evaluate("document.documentElement.scrollHeight") == viewport["height"]
    page.get_by_role("radio", name="Bains-douches").check()
    assert not any("*" in text for text in page.locator("#table td").all_inner_texts())
    expect(notes).to_have_count(1)


def test_two_ends_that_are_one_are_told_as_one(open_map) -> None:
    page = open_map("asked")
    told = page.evaluate(
        """() => {
          const { figures } = quartHeure.map.panel;
          const ranges = [[0, 0], [12.3, 45.6], [0, 39.8], [0, 0.3], [null, null]];
          return ranges.map((range) => figures.rangeText(range));
        }"""
    )
    percent = "\u202f%"
    assert told == [f"0,0{percent}", f"12–46{percent}", f"0–40{percent}", f"0–<1{percent}", "—"]


def test_french_numbers_are_french(open_map) -> None:
    page = open_map("town")
    summary = page.locator("#summary").text_content() or ""
    page.get_by_role("radio", name="Bains-douches").check()
    summary += page.locator("#summary").text_content() or ""
    assert re.search(r"\d,\d\u202f%", summary)


def test_a_gap_is_reached_and_left_by_keyboard(open_map) -> None:
    page = open_map("town")
    page.get_by_role("radio", name="Services essentiels").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Bains-douches")).to_be_checked()
    button = page.locator("#gaps-list button").nth(1)
    button.focus()
    zoom = page.evaluate("quartHeure.map.map.getZoom()")
    page.keyboard.press("Enter")
    popup = page.locator(".popup")
    expect(popup).to_be_focused()
    expect(popup).to_contain_text("Zone 2")
    assert page.evaluate("quartHeure.map.map.getZoom()") > zoom
    page.keyboard.press("Escape")
    expect(popup).to_have_count(0)
    expect(button).to_be_focused()


def test_a_gap_is_told_by_clicking_it(open_map) -> None:
    page = open_map("town")
    page.get_by_role("radio", name="Bains-douches").check()
    at = page.evaluate(
        """() => {
          const { map, view } = quartHeure.map;
          const { x, y } = map.latLngToContainerPoint(view.gaps[1].at);
          const box = map.getContainer().getBoundingClientRect();
          return { x: x + box.x, y: y + box.y };
        }"""
    )
    page.mouse.click(at["x"], at["y"])
    expect(page.locator(".popup")).to_contain_text("Zone 2")


def test_a_service_is_told_from_the_list_and_from_the_map(open_map) -> None:
    page = open_map("town")
    page.locator("#services-title").click()
    page.get_by_role("button", name=re.compile("Service A1")).click()
    expect(page.locator(".popup")).to_contain_text("1 rue du Test, 75000")
    expect(page.locator(".popup")).to_contain_text("inconnus")
    page.get_by_role("button", name="Fermer").click()
    page.get_by_role("radio", name="Bains-douches").check()
    # The same mark belongs to both views.
    page.locator("#services-list button").first.click()
    expect(page.locator(".popup")).to_contain_text("Service A1")


def test_layers_come_and_go(open_map) -> None:
    page = open_map("town")
    marks = page.locator(".leaflet-marks-pane path")
    page.get_by_role("checkbox", name="Services").uncheck()
    expect(marks).to_have_count(0)
    before = colours_seen(page, "coverage")
    page.get_by_role("checkbox", name="Zones blanches").uncheck()
    assert colours_seen(page, "coverage") < before
    # What is chosen in a list is shown again.
    page.locator("#gaps-list button").first.click()
    expect(page.get_by_role("checkbox", name="Zones blanches")).to_be_checked()
    expect(page.locator(".popup")).to_be_visible()


def test_one_can_go_to_a_district_and_back(open_map) -> None:
    page = open_map("town")
    before = centre(page)
    page.get_by_label("Mon secteur", exact=True).select_option(label="Est")
    assert centre(page)[1] > before[1] + 0.002
    page.get_by_label("Mon secteur", exact=True).select_option(index=0)
    assert centre(page) == pytest.approx(before, abs=1e-4)


def shown_state(page: Page) -> str:
    state: str = page.evaluate("window.location.hash")
    return state


def screen_point(page: Page, lat: float, lng: float) -> tuple[float, float]:
    at = page.evaluate(
        """([lat, lng]) => {
          const { map } = quartHeure.map;
          const { x, y } = map.latLngToContainerPoint([lat, lng]);
          const box = map.getContainer().getBoundingClientRect();
          return [x + box.x, y + box.y];
        }""",
        [lat, lng],
    )
    return at[0], at[1]


def cells_to_click(coverage: Coverage) -> list[tuple[dict[str, object], float, float]]:
    """A few cells far from each other, off the marks, with the degrees of their centres."""
    cells = coverage.cells[coverage.cells["on_network"]]
    chosen = cells.iloc[:: max(len(cells) // 5, 1)].iloc[1:5]
    to_degrees = pyproj.Transformer.from_crs(coverage.study.area.crs, 4326, always_xy=True)
    lng, lat = to_degrees.transform(chosen["x_m"].to_numpy(), chosen["y_m"].to_numpy())
    return list(zip(chosen.to_dict("records"), lat.tolist(), lng.tolist(), strict=True))


def test_a_click_tells_the_minutes_of_the_tables(open_map, toy_coverage: Coverage) -> None:
    page = open_map("town-en")
    published = publishable(toy_coverage)
    names = dict(
        zip(published.services["service_id"], published.services["name"].astype(str), strict=True)
    )
    for name in ("Services", "Gaps"):
        page.get_by_role("checkbox", name=name, exact=True).uncheck()
    for cell, lat, lng in cells_to_click(published):
        page.mouse.click(*screen_point(page, lat, lng))
        rows = page.locator(".popup .here tbody tr")
        expect(rows).to_have_count(len(published.study.categories))
        for n, category in enumerate(published.study.categories):
            minutes = cell[f"minutes_{category}"]
            told = rows.nth(n).locator("td").first.inner_text()
            if math.isinf(minutes):
                assert told == "out of reach"
            else:
                # Rounded up, from quarters of minutes or less finely far away.
                rounded = int(re.sub(r"\D", "", told))
                assert minutes - 1e-6 <= rounded <= minutes + (1.25 if minutes <= 25 else 6)
            nearest = names.get(str(cell[f"nearest_{category}"]), "address not public")
            assert rows.nth(n).locator(".which").inner_text() == nearest
        page.keyboard.press("Escape")
        expect(page.locator(".leaflet-popup")).to_have_count(0)


def ask_beside_the_river(page: Page) -> None:
    """Ask what is in the middle of the map; in the middle of the town there is water."""
    page.locator(".map").focus()
    for _ in range(2):
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(400)  # the map glides
    page.keyboard.press("Enter")


def test_the_middle_of_the_map_is_told_by_keyboard(open_map) -> None:
    page = open_map("town")
    ask_beside_the_river(page)
    expect(page.locator(".popup")).to_be_focused()
    expect(page.locator(".popup .here tbody tr").first).to_contain_text("Bains-douches")
    # From there to a service, and back to the map.
    page.locator(".popup .link").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".popup").last).to_contain_text("Service")
    page.keyboard.press("Escape")
    expect(page.locator(".popup")).to_have_count(0)


def test_a_click_in_the_river_says_that_it_is_water(open_map) -> None:
    page = open_map("river")
    expect(page.locator("#legend-list")).to_contain_text("eau, comptée dans aucune part")
    page.locator(".map").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".popup")).to_contain_text("De l’eau : personne n’y habite")
    expect(page.locator(".popup .here")).to_have_count(0)
    page.keyboard.press("Escape")
    ask_beside_the_river(page)
    expect(page.locator(".popup .here tbody tr").first).to_contain_text("Bains-douches")
    # Without any water known, the river is land off the network.
    dry = open_map("town")
    expect(dry.locator("#legend-list")).not_to_contain_text("eau, comptée")


def test_thresholds_repaint_and_change_the_figures(open_map, toy_coverage: Coverage) -> None:
    page = open_map("town-en")
    page.get_by_role("radio", name="Public baths").check()
    page.get_by_text("Table by district").first.click()
    painted, shares = set(), []
    for minutes in ("5 min", "10 min", "15 min", "20 min"):
        page.get_by_role("radio", name=minutes, exact=True).check()
        painted.add(page.evaluate(PAINTED))
        cells = page.locator("#table tr.city td").all_inner_texts()
        shares.append(float(cells[1].strip("%")))
        expect(page.locator("#summary")).to_contain_text(cells[1])
        choice = page.locator(".choice", has_text="Public baths").locator(".share")
        expect(choice).to_have_text(cells[1])
    assert len(painted) == 4
    assert shares == sorted(shares)
    minutes, people = (toy_coverage.cells[c] for c in ("minutes_bains_douches", "residents"))
    on = toy_coverage.cells["on_network"]
    assert shares[1] == pytest.approx(100 * people[minutes <= 10].sum() / people[on].sum(), abs=0.1)
    # Covered or not, by keyboard.
    page.get_by_role("radio", name="minutes", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#legend-list")).to_contain_text("just covered")
    assert page.evaluate(PAINTED) not in painted
    assert "show=covered" in shown_state(page)


PAINTED = """() => {
  const drawn = document.querySelector(".leaflet-surface-pane canvas");
  const copy = new OffscreenCanvas(drawn.width, drawn.height);
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(drawn, 0, 0);
  const bytes = pen.getImageData(0, 0, copy.width, copy.height).data;
  let sum = 0;
  for (const pixel of new Uint32Array(bytes.buffer)) sum = (sum * 31 + pixel) % 4294967291;
  return sum;
}"""


def test_the_painting_is_that_of_the_cells(open_map, toy_coverage: Coverage) -> None:
    """Nearly every centre of a cell bears the colour of its answer."""
    page = open_map("town", state="#view=bains_douches&show=covered&hide=gaps.services.streets")
    published = toy_coverage.cells
    to_degrees = pyproj.Transformer.from_crs(toy_coverage.study.area.crs, 4326, always_xy=True)
    lng, lat = to_degrees.transform(published["x_m"].to_numpy(), published["y_m"].to_numpy())
    opaque = page.evaluate(
        """(places) => {
          const { map, layers } = quartHeure.map;
          const canvas = layers.surface._container;
          const scale = canvas.width / parseFloat(canvas.style.width);
          const pen = canvas.getContext("2d");
          const { data, width } = pen.getImageData(0, 0, canvas.width, canvas.height);
          return places.map(([lat, lng]) => {
            const at = map.latLngToLayerPoint([lat, lng]).subtract(layers.surface._bounds.min);
            const n = 4 * (Math.floor(at.y * scale) * width + Math.floor(at.x * scale));
            return [data[n], data[n + 1], data[n + 2]];
          });
        }""",
        np.column_stack([lat, lng]).tolist(),
    )
    status = published["status_bains_douches"].astype(str).to_numpy()
    # Premultiplied colours come back a little off.
    green, cream, grey = (0x3B, 0x91, 0x84), (0xFC, 0xEB, 0xDB), (0xD5, 0xD3, 0xCD)
    for name, colour in {"covered": green, "uncovered": cream, "off_network": grey}.items():
        seen = np.array(opaque)[status == name]
        right = (np.abs(seen - np.array(colour)) <= 3).all(axis=1)
        assert len(seen) == 0 or right.mean() > 0.95, name


def test_hours_hatch_what_is_perhaps_open(open_map) -> None:
    page = open_map("week")
    page.get_by_role("radio", name="(ESI)").check()
    page.get_by_label("Jour").select_option(label="dimanche 3 mai")
    page.get_by_label("Heure", exact=True).select_option(label="14\u00a0h")
    expect(page.locator("#legend-title")).to_contain_text("dimanche à 14\u00a0h")
    expect(page.locator("#legend-list")).to_contain_text("peut-être ouvert : horaires inconnus")
    expect(page.locator("#legend-list")).to_contain_text("fermé à cette heure")
    expect(page.locator("#summary")).to_contain_text(re.compile(r"\d–\d+\u202f% des habitants"))
    expect(page.locator("#sentence")).to_contain_text(re.compile("^Dimanche à 14.h, entre .* et "))
    afternoon = page.evaluate(PAINTED)
    expect(page.get_by_role("radio", name="10 min")).to_be_disabled()
    assert f"hour={6 * 24 + 14}" in shown_state(page)
    page.get_by_label("Jour").select_option(label="vendredi 1 mai (férié)")
    page.get_by_role("radio", name="Bains-douches").check()
    page.get_by_label("Heure", exact=True).select_option(label="3\u00a0h")
    expect(page.locator("#summary")).to_contain_text("0,0")
    assert page.evaluate(PAINTED) != afternoon
    page.get_by_role("radio", name="Services essentiels").check()
    page.get_by_label("Heure", exact=True).select_option(label="14\u00a0h")
    expect(page.locator("#legend-list")).to_contain_text("peut-être davantage")
    page.get_by_label("Jour").select_option(index=0)
    expect(page.get_by_role("radio", name="10 min")).to_be_enabled()


@pytest.mark.parametrize("category", fewer(["bains_douches", "esi"], 1))
def test_every_hour_of_the_map_is_that_hour_of_the_week(open_map, category: str) -> None:
    """Cell by cell and service by service, as the page unpacks them; one hour off would show."""
    page = open_map("week")
    coverage = publishable(town_week())
    week = coverage.week
    assert week is not None
    cells = coverage.cells
    to_degrees = pyproj.Transformer.from_crs(coverage.study.area.crs, 4326, always_xy=True)
    lng, lat = to_degrees.transform(cells["x_m"].to_numpy(), cells["y_m"].to_numpy())
    told = page.evaluate(
        """([category, places]) => {
          const { cells, hours } = quartHeure.map;
          const found = places.map(([lat, lng]) => cells.holding({ lat, lng }));
          return Array.from({ length: 168 }, (_, hour) => {
            return found.map((cell) => hours.tell(category, hour, cell)).join("");
          });
        }""",
        [category, np.column_stack([lat, lng]).tolist()],
    )
    for hour, text in enumerate(told):
        states = np.maximum(week.cell_states(category, week.state_of_hour[category][hour]), 0)
        assert text == "".join(map(str, states)), hour
    services = page.evaluate(
        """() => Object.fromEntries(quartHeure.map.data.services.map((service) => [
          service.name,
          Array.from({ length: 168 }, (_, hour) => quartHeure.map.hours.tellService(service, hour)),
        ]))"""
    )
    states = {OPEN: 2, UNKNOWN: 1, CLOSED: 0}
    for service in ("A1", "C1", "C2"):
        expected = [states[by_clock(service, moment)] for moment in STARTS]
        assert services[f"Service {service}"] == expected


def test_counts_at_every_hour_are_those_of_the_week(open_map) -> None:
    page = open_map("week")
    coverage = publishable(town_week())
    week, cells = coverage.week, coverage.cells
    assert week is not None
    people = cells["residents"].where(cells["on_network"], 0)
    told = page.evaluate(
        "() => Array.from({ length: 168 }, (_, hour) => quartHeure.map.hours.shares(hour).at(-1))"
    )
    counted = coverage.study.essentials
    seen = set()
    for hour, shares in enumerate(told):
        states = (week.cell_states(c, week.state_of_hour[c][hour]) for c in counted)
        open_for_sure = sum((state == YES).astype(int) for state in states)
        expected = [
            100 * people[open_for_sure == n].sum() / people.sum() for n in range(len(counted) + 1)
        ]
        assert shares == pytest.approx(expected, abs=0.051), hour
        seen.add(tuple(shares))
    assert len(seen) > 2


@pytest.mark.parametrize("hour", fewer(TRIED_HOURS, 1))
def test_an_hour_that_is_chosen_is_the_one_that_is_told(open_map, hour: int) -> None:
    page = open_map("week")
    page.get_by_role("radio", name="(ESI)").check()
    page.locator("#day").select_option(index=1 + hour // 24)
    page.locator("#hour").select_option(label=f"{hour % 24}\u00a0h")
    assert shown_state(page).endswith(f"hour={hour}")
    day = DAYS_OF_WEEK[hour // 24]
    expect(page.locator("#legend-title")).to_contain_text(f"{day} à {hour % 24}\u00a0h")
    expect(page.locator("#day option:checked")).to_contain_text(day)
    least, most = shares_at(hour, "esi").loc[""]
    told = range_words(least, most) if least != most else f"{least:.1f}".replace(".", ",")
    choice = page.locator(".choice", has_text="(ESI)")
    expect(choice.locator(".share")).to_have_text(f"{told}\u202f%")
    expect(page.locator("#summary")).to_contain_text(f"{told}\u202f% des habitants")
    # The hatched part of the bar is what is perhaps.
    width = choice.locator(".bar .perhaps").evaluate("(bar) => parseFloat(bar.style.width)")
    assert width == pytest.approx(most - least, abs=0.11)


DAYS_OF_WEEK = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def test_hours_that_are_too_large_leave_the_rest(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_hours, "HOURS_LIMIT_BYTES", 10)
    path = write_map(town_week(), tmp_path / "large.html")
    opened = Opened(browser, path, WIDE, "#view=esi&hour=11")
    expect(opened.page.locator("#hours")).to_be_hidden()
    expect(opened.page.locator("#notes")).to_contain_text("Les horaires ne sont pas montrés")
    assert colours_seen(opened.page) > 3
    opened.check_quiet(path)
    opened.context.close()


def test_a_threshold_of_many_decimals_shows_its_figures(
    browser: Browser, toy_study: Study, tmp_path: Path
) -> None:
    threshold = 7.123456789
    coverage = publishable(analyse(toy_study.replace(isochrones_min=(threshold,))))
    path = write_map(coverage, tmp_path / "decimals.html", lang="en")
    opened = Opened(browser, path, WIDE, f"#view=bains_douches&min={threshold}")
    cells = coverage.cells[coverage.cells["on_network"]]
    near = cells["minutes_bains_douches"] <= threshold
    share = 100 * cells["residents"][near].sum() / cells["residents"].sum()
    standard = coverage.city.set_index("category").at["bains_douches", "residents_covered_pct"]
    assert abs(share - standard) > 1
    expect(opened.page.locator("#summary")).to_contain_text(f"{share:.1f}% of residents")
    opened.context.close()


# --- many services -------------------------------------------------------------------------------

MANY = 300


@pytest.fixture(scope="module")
def many_services(toy_coverage: Coverage) -> Coverage:
    """More services of a category than a byte counts, each the nearest of some cells."""
    services = toy_coverage.services
    row = services[services["service_id"] == "C1"]
    rows = pd.concat([row] * MANY, ignore_index=True)
    names = [f"S{n}" for n in range(MANY)]
    rows["service_id"], rows["name"] = names, [f"Place {name}" for name in names]
    nearest = pd.Categorical([names[n % MANY] for n in range(len(toy_coverage.cells))], names)
    return dataclasses.replace(
        toy_coverage,
        services=pd.concat([services, rows], ignore_index=True),
        cells=toy_coverage.cells.assign(nearest_esi=nearest),
    )


def test_the_nearest_of_many_services_is_told(
    browser: Browser, many_services: Coverage, tmp_path: Path
) -> None:
    path = write_map(many_services, tmp_path / "many.html")
    opened = Opened(browser, path, WIDE)
    cells = many_services.cells
    to_degrees = pyproj.Transformer.from_crs(many_services.study.area.crs, 4326, always_xy=True)
    lng, lat = to_degrees.transform(cells["x_m"].to_numpy(), cells["y_m"].to_numpy())
    told = opened.page.evaluate(
        """(places) => {
          const { cells, data } = quartHeure.map;
          return places.map(([lat, lng]) => {
            const { place } = cells.tell("esi", cells.holding({ lat, lng }));
            return data.services[place].name;
          });
        }""",
        np.column_stack([lat, lng]).tolist(),
    )
    assert told == [f"Place {name}" for name in cells["nearest_esi"]]
    assert len(set(told)) == MANY
    opened.check_quiet(path)
    opened.context.close()


def test_numbers_of_any_size_are_unpacked(open_map, toy_coverage: Coverage) -> None:
    page = open_map("town")
    grid = Grid(toy_coverage)
    numbers = np.linspace(0, 2**24, len(toy_coverage.cells)).astype(np.int64)
    told = page.evaluate(
        """async (layers) => {
          const { cells } = quartHeure.map;
          const nearest = { esi: { places: [], layers } };
          const opened = await cells.constructor.open({ ...cells.packed, nearest });
          return [...opened.nearest.esi].filter((_, i) => opened.codes[i] !== 0);
        }""",
        grid.packed_numbers(numbers),
    )
    assert sorted(told) == sorted(numbers.tolist())


def test_what_is_perhaps_covered_is_a_class_of_the_first_map(open_map) -> None:
    page = open_map("asked")
    expect(page.locator(".top")).to_contain_text("qui arrive le dimanche 3 mai 2026 à 11")
    expect(page.locator("#legend-list")).to_contain_text("peut-être davantage")
    expect(page.locator("#summary")).to_contain_text(re.compile(r"\d–\d+\u202f% des habitants"))
    expect(page.locator("#sentence")).to_contain_text(re.compile("^Entre .* n’ont accès à aucun"))
    expect(page.locator("#day option").first).to_have_text("Au moment demandé")
    # The lockers are a discreet place of untold hours: sure nowhere, perhaps around it.
    page.get_by_role("radio", name="Bagageries").check()
    expect(page.locator("#legend-list")).to_contain_text("peut-être à 15\u00a0min")
    share = page.locator(".choice", has_text="Bagageries").locator(".share")
    expect(share).to_have_text(re.compile(r"^0–\d+\u202f%$"))
    page.get_by_role("radio", name="Espaces solidarité").check()
    expect(page.locator("#legend-list")).to_contain_text("peut-être à 15\u00a0min")
    page.get_by_text("Tableau par").click()
    expect(page.locator("#table")).to_contain_text("Au plus")
    perhaps = page.evaluate(PAINTED)
    page.get_by_role("radio", name="10 min").check()
    expect(page.locator("#notes")).to_contain_text("Seulement ce qui est sûr")
    expect(page.locator("#legend-list")).not_to_contain_text("peut-être")
    assert page.evaluate(PAINTED) != perhaps


def test_marks_say_what_is_open_at_an_hour(open_map) -> None:
    page = open_map("week", state="#view=esi&hour=11")
    looks = """() => Object.fromEntries([...quartHeure.map.layers.marks]
      .map(([one, { options }]) => [one.name, [options.half, options.color === "#ffffff"]]))"""
    marks = page.evaluate(looks)
    assert marks["Service C1"] == [True, False]  # of unknown hours: half filled
    assert marks["Service C2"] == [False, True]  # open: filled
    page.get_by_label("Heure", exact=True).select_option(label="14\u00a0h")
    assert page.evaluate(looks)["Service C2"] == [False, False]
    page.evaluate(
        """() => {
          const { data, layers } = quartHeure.map;
          layers.markOf(data.services.find((one) => one.name === "Service C2")).openPopup();
        }"""
    )
    expect(page.locator(".popup")).to_contain_text("Ouvert lundi à 14\u00a0h")
    page.get_by_label("Jour").select_option(index=0)
    assert page.evaluate(looks)["Service C1"][0] is False


def test_search_finds_and_goes(open_map) -> None:
    page = open_map("town")
    box = page.get_by_role("combobox", name="Chercher")
    box.fill("pont avenue")
    options = page.locator("#search-list [role=option]")
    expect(options.first).to_contain_text("avenue du Pont")
    before = centre(page)
    box.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    box.press("Enter")
    expect(page.locator(".popup")).to_be_focused()
    expect(page.locator(".popup")).to_contain_text("D’ici")
    assert centre(page) != before
    page.keyboard.press("Escape")
    expect(box).to_be_focused()
    box.fill("EST")
    options.filter(has_text="Est").first.click()
    expect(page.locator("#search-list")).to_be_hidden()
    box.fill("service c1")
    options.first.click()
    expect(page.locator(".popup").last).to_contain_text("Service C1")
    box.fill("zzz")
    expect(page.locator("#search-status")).to_contain_text("Aucun résultat")


def test_the_address_brings_the_view_back(open_map) -> None:
    page = open_map("town")
    page.get_by_role("radio", name="Bains-douches").check()
    page.get_by_role("radio", name="10 min").check()
    page.get_by_role("radio", name="couvert ou non").check()
    page.get_by_role("checkbox", name="Services").uncheck()
    page.get_by_label("Mon secteur", exact=True).select_option(label="Est")
    page.locator("#gaps-list button").first.click()
    zone = (page.locator(".popup h2").text_content() or "").partition("–")[0]
    assert zone.startswith("Zone")
    state, where = shown_state(page), centre(page)
    page.reload()
    page.wait_for_selector("html.ready")
    expect(page.locator(".popup")).to_contain_text(zone)
    expect(page.get_by_label("Mon secteur", exact=True)).to_have_value("0")
    assert centre(page) == pytest.approx(where, abs=1e-3)
    expect(page.get_by_role("radio", name="Bains-douches")).to_be_checked()
    expect(page.get_by_role("radio", name="10 min")).to_be_checked()
    expect(page.get_by_role("radio", name="couvert ou non")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Services")).not_to_be_checked()
    assert shown_state(page).partition("&at=")[0] == state.partition("&at=")[0]
    page.get_by_role("button", name="Réinitialiser").click()
    assert shown_state(page) == "#view=essentials_within"
    expect(page.locator(".popup")).to_have_count(0)


STRANGE = (
    "#view=<img src=x onerror=alert(1)>",
    "#view=esi&min=7&show=x&hour=999&hide=gaps.all&at=a/b&gap=-1",
    "#view=esi&at=14/95/2&gap=1e9&hour=1.5",
    "#panel",
)


def test_a_strange_address_does_nothing(open_map) -> None:
    page = open_map("town", state=STRANGE[0])
    for state in (*STRANGE, "#view=esi&min=10"):
        page.evaluate("(state) => (window.location.hash = state)", state)
        minutes = "10 min" if state.endswith("10") else "15 min"
        expect(page.get_by_role("radio", name=minutes)).to_be_checked()
        assert page.evaluate("document.images.length") == 0
        assert colours_seen(page) > 3


def test_the_page_speaks_the_other_language(open_map) -> None:
    page = open_map("town", state="#view=bains_douches&min=10")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html.ready")).to_have_attribute("lang", "en")
    expect(page.get_by_role("radio", name="Public baths")).to_be_checked()
    expect(page.get_by_role("radio", name="10 min")).to_be_checked()
    expect(page.locator("#legend-title")).to_have_text("Public baths: minutes on foot")
    expect(page.locator("#summary")).to_contain_text(re.compile(r"\d\.\d% of residents"))
    assert "lang=en" in shown_state(page)
    assert not re.search("carte|habitants", page.locator("body").inner_text())
    page.get_by_role("button", name="Français").click()
    expect(page.locator("html.ready")).to_have_attribute("lang", "fr")
    expect(page.get_by_role("radio", name="Bains-douches")).to_be_checked()


def test_a_gap_leads_back_to_its_line(open_map) -> None:
    page = open_map("town")
    page.get_by_role("radio", name="Bains-douches").check()
    button = page.locator("#gaps-list button").nth(1)
    button.click()
    page.get_by_role("button", name="Voir dans la liste").click()
    expect(page.locator(".popup")).to_have_count(0)
    expect(button).to_be_focused()
    expect(button).to_be_in_viewport()


def test_on_a_phone_the_panel_folds(open_map) -> None:
    page = open_map("town", PHONE)
    panel = page.locator("#panel-body")
    fold = page.get_by_role("button", name=re.compile("Réglages et chiffres"))
    expect(panel).to_be_hidden()
    # The legend would cover much of the map: it opens on demand.
    expect(page.locator("#legend-list")).to_be_hidden()
    page.locator("#legend summary").click()
    expect(page.locator("#legend-list")).to_be_visible()
    page.locator("#legend summary").click()
    assert page.locator(".map").bounding_box()["height"] > 400
    fold.click()
    expect(panel).to_be_visible()
    page.get_by_role("radio", name="Bains-douches").check()
    page.locator("#gaps-list button").first.click()
    expect(panel).to_be_hidden()
    expect(page.locator(".popup")).to_be_visible()
    page.wait_for_function(
        """() => {
          const { left, right } = document.querySelector(".leaflet-popup").getBoundingClientRect();
          return left >= 0 && right <= window.innerWidth;
        }"""
    )
    page.keyboard.press("Escape")
    expect(page.locator("#fold")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_hostile_names_do_nothing(open_map) -> None:
    page = open_map("hostile")
    assert page.evaluate("document.images.length") == 0
    page.get_by_role("radio", name="Bains-douches").check()
    page.locator("#services-title").click()
    for text in HOSTILE:
        button = page.locator("#services-list button").filter(has_text=text.strip()).first
        button.click()
        heading = page.locator(".popup h2").last  # the one before is still fading
        assert " ".join((heading.text_content() or "").split()) == " ".join(text.split())
        assert page.locator(".leaflet-popup").last.bounding_box()["width"] < 400
        page.get_by_role("combobox", name="Chercher").fill(text.strip()[:30])
        assert page.locator("#search-list img, #search-list script").count() == 0
    page.get_by_role("combobox", name="Chercher").fill("img src")
    expect(page.locator("#search-list [role=option]").first).to_contain_text(HOSTILE[0])
    page.keyboard.press("Escape")
    page.locator("#gaps-list button").first.click()
    page.locator("#table-details summary").click()
    assert page.evaluate("document.images.length") == 0
    assert page.locator("#table img, #table script, .popup script").count() == 0


def test_nothing_foreign_can_run(browser: Browser, files: dict[str, Path]) -> None:
    opened = Opened(browser, files["town"], WIDE)
    ran = opened.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.foreign = true";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.foreign = 1'>");
          return Boolean(window.foreign);
        }"""
    )
    assert ran is False
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)
    assert opened.page.evaluate("Boolean(window.foreign)") is False
    opened.context.close()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("view", fewer(["Services essentiels à portée", "Bains-douches"], 1))
def test_accessibility_rules_find_no_serious_fault(open_map, viewport, view) -> None:
    page = open_map("town", viewport)
    if viewport is PHONE:
        page.locator("#fold").click()
    page.get_by_role("radio", name=view).check()
    check_rules(page, popup=viewport is WIDE)


@pytest.mark.parametrize("view", fewer(["bains_douches", "essentials_within"], 1))
def test_hours_and_places_are_accessible(open_map, view) -> None:
    page = open_map("week", state=f"#view={view}&hour=38")
    page.get_by_role("combobox", name="Chercher").fill("pont")
    expect(page.locator("#search-list")).to_be_visible()
    check_rules(page, popup=False)
    ask_beside_the_river(page)
    expect(page.locator(".popup .here")).to_be_visible()
    check_rules(page, popup=False)


def check_rules(page: Page, *, popup: bool) -> None:
    for summary in page.locator(".panel summary").all():
        if not summary.evaluate("node => node.parentElement.open"):
            summary.click()
    if popup:
        page.locator("#gaps-list button").first.click()
    if page.locator(".leaflet-popup").count():
        # Fading in, it is as pale as a fault.
        expect(page.locator(".leaflet-popup")).to_have_css("opacity", "1")
    results = Axe().run(page).response["violations"]
    serious = {
        rule["id"]: [node["html"][:200] for node in rule["nodes"]]
        for rule in results
        if rule["impact"] in {"serious", "critical"}
    }
    assert not serious


@thorough
def test_a_notebook_shows_the_map_within_its_page(
    browser: Browser, toy_coverage: Coverage, tmp_path: Path
) -> None:
    path = tmp_path / "notebook.html"
    path.write_text(build_map(toy_coverage)._repr_html_(), encoding="utf-8")
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    frame = page.frame_locator("iframe")
    expect(frame.locator("html.ready")).to_be_attached()
    frame.get_by_role("radio", name="Bains-douches").check()
    expect(frame.locator("#now")).to_have_text("Bains-douches")
    assert complaints == []
    context.close()


def test_paper_shows_the_map_and_the_lists(open_map, tmp_path: Path) -> None:
    page = open_map("town")
    path = tmp_path / "map.pdf"
    page.pdf(path=path, format="A4")
    assert path.stat().st_size > 20_000
    # What was unfolded for the paper is folded again.
    expect(page.locator("#table")).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(page.locator(".choices")).to_be_hidden()
    for what in ("#gaps-list", "#table", "#services-list", "#summary"):
        expect(page.locator(what)).to_be_visible()
    box = page.locator(".map-area").bounding_box()
    assert box["width"] <= 700
    assert box["height"] <= 700
    assert colours_seen(page) > 5


def test_a_proposal_is_chosen_read_and_put_away(open_map) -> None:
    page = open_map("proposed")
    expect(page.locator(".proposed-mark")).to_have_count(0)
    page.select_option("#proposal", "0")
    expect(page.locator("input[name=view]:checked")).to_have_value("esi")
    expect(page.locator(".proposed-mark")).to_have_count(2)
    expect(page.locator("#legend-title")).to_contain_text("Ce que la proposition change")
    expect(page.locator("#proposal-said")).to_contain_text("de plus à")
    assert "next=0.difference" in page.url
    drawn = {colours_seen(page)}
    for layer, words in (("after", "Avec la proposition"), ("gains", "Habitants gagnés")):
        page.locator(f"input[name=proposal-layer][value={layer}]").check(force=True)
        expect(page.locator("#legend-title")).to_contain_text(words)
        drawn.add(colours_seen(page))
    assert min(drawn) > 1
    page.locator("#proposal-places button").first.click()
    expect(page.locator(".leaflet-popup h2")).to_contain_text("Site proposé n° 1")
    # Another view puts it away; a list of calls is of all.
    page.locator("input[name=view][value=bagagerie]").check()
    expect(page.locator("#proposal")).to_have_value("")
    expect(page.locator(".proposed-mark")).to_have_count(0)
    page.select_option("#proposal", "1")
    expect(page.locator("input[name=view]:checked")).to_have_value("bagagerie")
    assert page.locator(".proposed-mark").count() > 0
    page.locator("#reset").click()
    expect(page.locator("#proposal")).to_have_value("")


@pytest.mark.parametrize("viewport", fewer([PHONE, WIDE], 1))
def test_a_proposal_of_the_address_is_shown_and_accessible(open_map, viewport) -> None:
    page = open_map("proposed", viewport, "#view=esi&next=0.gains&lang=en")
    expect(page.locator("#legend-title")).to_have_text(re.compile("Residents gained"))
    if viewport is PHONE:
        page.locator("#fold").click()
    expect(page.locator("#proposal-places strong").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    assert found == [], [one["id"] for one in found]


@thorough
def test_what_an_address_says_of_no_proposal_is_ignored(open_map) -> None:
    for state in ("next=7.gains", "next=x", "next=0.everything", "next=-1."):
        page = open_map("proposed", None, f"#view=esi&{state}")
        expected = "0" if state == "next=0.everything" else ""
        expect(page.locator("#proposal")).to_have_value(expected)
