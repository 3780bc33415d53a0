"""The map in a real browser, from a file, with the network cut."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from quart_heure.outputs.map import write_map
from quart_heure.study import Coverage, Study, analyse
from test_map import HOSTILE, background, hostile_study  # noqa: F401 - fixtures

CHROMIUM = next(
    filter(
        None,
        map(
            shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        ),
    ),
    None,
)
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def files(
    toy_coverage: Coverage,
    hostile_study: Study,  # noqa: F811
    background: object,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("map")
    return {
        "town": write_map(toy_coverage, folder / "town.html", background=background),
        "town-en": write_map(toy_coverage, folder / "en.html", lang="en"),
        "hostile": write_map(analyse(hostile_study), folder / "hostile.html"),
    }


class Opened:
    """A page opened from a file without network, and all it complained about or asked for."""

    def __init__(self, browser: Browser, path: Path, viewport: dict[str, int]) -> None:
        self.context = browser.new_context(viewport=viewport, reduced_motion="reduce")
        self.context.set_offline(True)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html.ready")

    def check_quiet(self, path: Path) -> None:
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith("data:")] == [path.as_uri()]


@pytest.fixture
def open_map(browser: Browser, files: dict[str, Path]) -> Iterator[object]:
    opened: list[tuple[Opened, Path]] = []

    def open_one(name: str, viewport: dict[str, int] | None = None) -> Page:
        one = Opened(browser, files[name], viewport or WIDE)
        opened.append((one, files[name]))
        return one.page

    yield open_one
    for one, path in opened:
        one.check_quiet(path)
        one.context.close()


def colours_seen(page: Page) -> int:
    """Count the colours of the coverage canvas once it is drawn: a blank one has a single one."""
    count: int = page.evaluate(
        """async () => {
          const frame = () => new Promise(requestAnimationFrame);
          await frame().then(frame);
          const drawn = document.querySelector(".leaflet-coverage-pane canvas");
          const copy = new OffscreenCanvas(drawn.width, drawn.height);
          const pen = copy.getContext("2d", { willReadFrequently: true });
          pen.drawImage(drawn, 0, 0);
          const bytes = pen.getImageData(0, 0, copy.width, copy.height).data;
          return new Set(new Uint32Array(bytes.buffer)).size;
        }"""
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
    assert cells[3] == f"{city['covered_pct']:.1f}%"
    assert cells[5] == str(city["gaps"])
    headings = page.locator("#table thead th").all_inner_texts()
    assert len(headings) == len(cells) + 1


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
          const [lon, lat] = view.gaps[1].at;
          const { x, y } = map.latLngToContainerPoint([lat, lon]);
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
    before = colours_seen(page)
    page.get_by_role("checkbox", name="Zones blanches").uncheck()
    assert colours_seen(page) < before
    # What is chosen in a list is shown again.
    page.locator("#gaps-list button").first.click()
    expect(page.get_by_role("checkbox", name="Zones blanches")).to_be_checked()
    expect(page.locator(".popup")).to_be_visible()


def test_one_can_go_to_a_district_and_back(open_map) -> None:
    page = open_map("town")
    before = centre(page)
    page.get_by_label("Aller à", exact=True).select_option(label="Est")
    assert centre(page)[1] > before[1] + 0.002
    page.get_by_label("Aller à", exact=True).select_option(index=0)
    assert centre(page) == pytest.approx(before, abs=1e-4)


def test_on_a_phone_the_panel_folds(open_map) -> None:
    page = open_map("town", PHONE)
    panel = page.locator("#panel-body")
    fold = page.get_by_role("button", name=re.compile("Choisir et lire"))
    expect(panel).to_be_hidden()
    expect(page.locator("#legend-list")).to_be_hidden()
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
@pytest.mark.parametrize("view", ["Services essentiels à portée", "Bains-douches"])
def test_accessibility_rules_find_no_serious_fault(open_map, viewport, view) -> None:
    page = open_map("town", viewport)
    if viewport is PHONE:
        page.locator("#fold").click()
    page.get_by_role("radio", name=view).check()
    for summary in page.locator(".panel summary").all():
        if not summary.evaluate("node => node.parentElement.open"):
            summary.click()
    if viewport is WIDE:
        page.locator("#gaps-list button").first.click()
    results = Axe().run(page).response["violations"]
    serious = {
        rule["id"]: [node["html"][:200] for node in rule["nodes"]]
        for rule in results
        if rule["impact"] in {"serious", "critical"}
    }
    assert not serious


def test_paper_shows_the_map_and_the_lists(open_map, tmp_path: Path) -> None:
    page = open_map("town")
    path = tmp_path / "map.pdf"
    page.pdf(path=path, format="A4")
    assert path.stat().st_size > 20_000
    page.emulate_media(media="print")
    expect(page.locator(".choices")).to_be_hidden()
    expect(page.locator("#gaps-list")).to_be_visible()
    box = page.locator(".map-area").bounding_box()
    assert box["width"] <= 700
    assert box["height"] <= 700
    assert colours_seen(page) > 5
