"""What if: the page of the map works out what `analyse` works out for the changed study."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect

from helpers.browser import CHROMIUM, PHONE, WIDE, Opened, running_browser
from helpers.changed_study import Change, changed, open_categories, some_changes
from helpers.project import THOROUGH, fewer
from quart_heure.cache import Cache
from quart_heure.errors import StudyFileError
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.map.cells import Grid
from quart_heure.outputs.map.map import write_map
from quart_heure.outputs.map.views import services_shown
from quart_heure.outputs.shapes import Pen
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.scenario import Scenario

PARIS_CHANGES = int(os.environ.get("QUART_HEURE_CHANGES", "100" if THOROUGH else "3"))
"""Random changes of the packaged Paris that are tried; a hundred where one has the time."""

PER_SCENARIO = 3

ON_A_STREET = "#view=bains_douches&at=15/48.8400/2.3200"
"""Of the toy town: its middle is in the river, which nobody walks into."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def town(toy_coverage: Coverage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(toy_coverage, tmp_path_factory.mktemp("what-if") / "town.html")


@pytest.fixture
def page(browser: Browser, town: Path) -> Iterator[Page]:
    opened = Opened(browser, town, WIDE, ON_A_STREET)
    yield opened.page
    opened.check_quiet(town)
    opened.context.close()


def ids_of(coverage: Coverage) -> list[str]:
    """Return the ids of the services of a page, in their order."""
    published = publishable(coverage)
    _, places = services_shown(published, Pen(coverage.study.area.crs), lang="fr")
    return sorted(places, key=lambda name: places[name])


def applied(page: Page, changes: Iterable[Change], ids: list[str]) -> dict[str, Any]:
    """Return what the page works out: minutes of its cells and its tables, by category."""
    told = [
        {
            "kind": one.kind,
            "category": one.category,
            "place": ids.index(one.service_id) if one.service_id else -1,
            "at": [one.at[1], one.at[0]],
        }
        for one in changes
    ]
    found: dict[str, Any] = page.evaluate(
        """async (told) => {
          const { whatIf, data } = window.quartHeure.map;
          const supposed = await whatIf.open();
          supposed.apply(told.map((one) => ({ ...one, at: L.latLng(one.at), name: "x" })));
          const bytes = (values) => {
            const raw = new Uint8Array(new Float64Array(values).buffer);
            let text = "";
            for (let i = 0; i < raw.length; i += 8192) {
              text += String.fromCharCode(...raw.subarray(i, i + 8192));
            }
            return btoa(text);
          };
          const views = data.views.filter((view) => view.kind === "category");
          return Object.fromEntries(views.map((view) => {
            const now = supposed.now.get(view.id) || supposed.baseOf(view.id);
            return [view.id, {
              cells: bytes(supposed.walking.cells),
              minutes: bytes(now.minutes),
              figures: view.figures,
              figures_at: view.figures_at,
              gaps: view.gaps.map(({ area_ha, residents, cause }) => [area_ha, residents, cause]),
            }];
          }));
        }""",
        told,
    )
    return found


def numbers(text: str) -> NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text))


def compare(found: dict[str, Any], coverage: Coverage, *, within_min: float) -> None:
    """Compare what a page found with the coverage of the changed study."""
    grid = Grid(coverage)
    table = coverage.indicators
    for category in open_categories(coverage.study):
        one = found[category]
        minutes = np.full(grid.height * grid.width, np.nan)
        minutes[numbers(one["cells"]).astype(int)] = numbers(one["minutes"])
        cells = coverage.cells
        at = grid.place(cells["col"].to_numpy(), cells["row"].to_numpy())
        wanted = cells[f"minutes_{category}"].to_numpy(float)
        on = cells["on_network"].to_numpy(bool)
        apart = np.abs(minutes[at] - wanted)[on]
        both = np.isinf(minutes[at][on]) & np.isinf(wanted[on])
        apart = np.where(both, 0.0, apart)
        assert apart.max() <= within_min, (category, float(apart.max()), int((apart > 0.1).sum()))
        rows = table[table["category"] == category]
        rows = rows.sort_values("level", key=lambda level: level == "city", kind="stable")
        for name in ("residents_covered_pct", "covered_pct"):
            np.testing.assert_allclose(
                np.array(one["figures"][name], float), rows[name].to_numpy(float), atol=0.1
            )
        for name in ("services_inside", "gaps_touching"):
            assert one["figures"][name] == rows[name].tolist(), (category, name)
        medians = np.array(one["figures"]["minutes_median"], float)
        known = np.isfinite(rows["minutes_median"].to_numpy(float))
        assert (np.isfinite(medians) == known).all()
        np.testing.assert_allclose(medians[known], rows["minutes_median"][known], atol=0.11)
        gaps = coverage.gaps[coverage.gaps["category"] == category].sort_values("rank")
        ours = sorted(area for area, _, _ in one["gaps"])
        np.testing.assert_allclose(ours, sorted(gaps["area_ha"]), rtol=0.02, atol=0.3)


@pytest.mark.parametrize("seed", fewer(range(6), 2))
def test_a_town_changed_in_the_page_is_the_changed_town(
    page: Page, toy_coverage: Coverage, seed: int
) -> None:
    changes = some_changes(toy_coverage.study, np.random.default_rng(seed), PER_SCENARIO)
    found = applied(page, changes, ids_of(toy_coverage))
    compare(found, analyse(changed(toy_coverage.study, changes)), within_min=0.1)


def state_of(page: Page) -> str:
    """Return all that the page shows of its categories."""
    return str(
        page.evaluate(
            """() => {
              const { data, cells } = window.quartHeure.map;
              const codes = Object.values(cells.minutes).map((one) => [...one]);
              return JSON.stringify([data.views, data.services, codes]);
            }"""
        )
    )


def test_taking_changes_back_leaves_the_page_as_it_was(page: Page, toy_coverage: Coverage) -> None:
    ids = ids_of(toy_coverage)
    before = state_of(page)
    changes = some_changes(toy_coverage.study, np.random.default_rng(9), 4)
    applied(page, changes, ids)
    assert state_of(page) != before
    applied(page, [], ids)
    assert state_of(page) == before


def test_another_service_makes_no_place_worse(page: Page, toy_coverage: Coverage) -> None:
    ids = ids_of(toy_coverage)
    before = applied(page, [], ids)
    changes = some_changes(toy_coverage.study, np.random.default_rng(3), 30)
    for change in [one for one in changes if one.kind == "add"][:5]:
        after = applied(page, [change], ids)[change.category]["minutes"]
        assert (numbers(after) <= numbers(before[change.category]["minutes"])).all()


@pytest.fixture(scope="module")
def paris(tmp_path_factory: pytest.TempPathFactory) -> tuple[Coverage, Path, Cache]:
    cache = Cache(tmp_path_factory.mktemp("cache"))
    coverage = analyse(Study.paris(cache=cache), cache=cache)
    path = tmp_path_factory.mktemp("paris") / "paris.html"
    return coverage, write_map(coverage, path, background=coverage.study.background()), cache


def test_paris_changed_in_the_page_is_the_changed_paris(
    browser: Browser, paris: tuple[Coverage, Path, Cache]
) -> None:
    coverage, path, cache = paris
    opened = Opened(browser, path, WIDE)
    rng = np.random.default_rng(17)
    for _ in range(0, PARIS_CHANGES, PER_SCENARIO):
        changes = some_changes(coverage.study, rng, PER_SCENARIO)
        found = applied(opened.page, changes, ids_of(coverage))
        compare(found, analyse(changed(coverage.study, changes), cache=cache), within_min=0.1)
    opened.check_quiet(path)
    opened.context.close()


def test_paris_is_no_heavier_than_an_e_mail_takes(paris: tuple[Coverage, Path, Cache]) -> None:
    coverage, path, _ = paris
    assert path.stat().st_size <= 3_600_000
    light = write_map(
        coverage,
        path.with_name("light.html"),
        background=coverage.study.background(),
        what_if=False,
    )
    assert light.stat().st_size <= 2_100_000
    assert 'id="walks"' not in light.read_text(encoding="utf-8")


def listed(page: Page) -> list[str]:
    return page.locator("#what-if-list li > span:first-child").all_inner_texts()


def wait_for_changes(page: Page, n: int) -> None:
    expect(page.locator("#what-if-list li")).to_have_count(n)


def click_the_middle(page: Page) -> None:
    box = page.locator(".map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_service_is_opened_by_mouse_and_taken_back(page: Page) -> None:
    page.check("input[name=view][value=bains_douches]", force=True)
    before = page.inner_text("#summary")
    page.click("#what-if-click")
    expect(page.locator("#what-if-hint")).to_be_visible()
    click_the_middle(page)
    wait_for_changes(page, 1)
    assert page.inner_text("#summary") != before
    assert "gagné" in page.inner_text("#legend")
    outcome = page.inner_text("#what-if-outcome")
    assert "habitants" in outcome
    assert "+bains_douches@" in page.evaluate("decodeURIComponent(location.hash)")
    page.check("input[name=what-if][value=before]", force=True)
    assert page.inner_text("#summary") == before
    page.check("input[name=what-if][value=after]", force=True)
    assert page.inner_text("#summary") != before
    page.click("#what-if-undo")
    wait_for_changes(page, 0)
    assert page.inner_text("#summary") == before
    assert "si=" not in page.evaluate("location.hash")


def test_a_service_is_opened_by_keyboard(page: Page) -> None:
    page.focus("#what-if-click")
    page.keyboard.press("Enter")
    page.focus(".map")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    wait_for_changes(page, 1)
    page.focus("#what-if-click")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#what-if-hint")).to_be_hidden()
    wait_for_changes(page, 1)


def test_a_service_is_closed_and_dragged(page: Page) -> None:
    page.check("input[name=view][value=bains_douches]", force=True)
    page.evaluate("window.quartHeure.map.whatIf.open()")
    page.wait_for_selector("body.supposing")
    mark = page.locator(".leaflet-marks-pane path").first
    box = mark.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=4)
    page.mouse.up()
    wait_for_changes(page, 1)
    assert listed(page)[0].startswith("Déplacer")
    page.mouse.click(x + 40, y + 30)
    page.get_by_role("button", name="Et si ce lieu fermait").click()
    expect(page.locator("#what-if-list li > span").first).to_contain_text("Fermer")


def test_a_service_that_is_dragged_to_no_street_stays_where_it_was(page: Page) -> None:
    page.check("input[name=view][value=bains_douches]", force=True)
    page.evaluate("window.quartHeure.map.whatIf.open()")
    page.wait_for_selector("body.supposing")
    mark = page.locator(".leaflet-marks-pane path").first
    before = mark.get_attribute("d")
    box = mark.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    edge = WIDE["width"] - 120
    page.mouse.move(edge, WIDE["height"] - 60, steps=4)
    assert mark.get_attribute("d") != before
    page.mouse.up()
    expect(mark).to_have_attribute("d", before or "")
    assert listed(page) == []


def test_an_address_with_changes_opens_as_it_was_sent(browser: Browser, town: Path) -> None:
    state = "#view=bains_douches&si=%2Bbains_douches%4048.8400,2.3200;junk;-nobody;%2Besi%40x"
    first = Opened(browser, town, PHONE, state)
    first.page.wait_for_selector("body.supposing")
    expect(first.page.locator("#what-if-list li")).to_have_count(1)
    first.check_quiet(town)
    first.context.close()


def test_a_map_opens_with_the_scenario_that_it_was_given(
    browser: Browser, toy_coverage: Coverage, tmp_path: Path
) -> None:
    scenario = Scenario(name="closed", close=("Service A1",))
    path = write_map(toy_coverage, tmp_path / "closed.html", scenario=scenario)
    first = Opened(browser, path, WIDE, "")
    first.page.wait_for_selector("body.supposing")
    expect(first.page.locator("#what-if-list li")).to_have_count(1)
    expect(first.page.locator("#what-if-list")).to_contain_text("Service A1")
    first.check_quiet(path)
    first.context.close()
    for asked, says in ((Scenario(name="hours", at="2026-12-06 18:00"), "cannot follow 'at'"),):
        with pytest.raises(StudyFileError, match=says):
            write_map(toy_coverage, tmp_path / "no.html", scenario=asked)
    with pytest.raises(StudyFileError, match="shows none"):
        write_map(toy_coverage, tmp_path / "no.html", scenario=scenario, what_if=False)
    assert not (tmp_path / "no.html").exists()


def test_a_scenario_is_saved_and_opened_again(page: Page, tmp_path: Path) -> None:
    page.click("#what-if-here")
    wait_for_changes(page, 1)
    with page.expect_download() as waiting:
        page.click("#what-if-save")
    file = tmp_path / "scenario.toml"
    waiting.value.save_as(file)
    (scenario,) = tomllib.loads(file.read_text(encoding="utf-8"))["scenario"]
    (added,) = scenario["add"]
    assert added["category"]
    shown = page.inner_text("#what-if-outcome")
    page.click("#what-if-clear")
    wait_for_changes(page, 0)
    page.set_input_files("#what-if-file", file)
    wait_for_changes(page, 1)
    assert page.inner_text("#what-if-outcome") == shown


def test_the_way_is_drawn_and_told(page: Page) -> None:
    page.check("input[name=view][value=bains_douches]", force=True)
    click_the_middle(page)
    page.get_by_role("button", name="Chemin").click()
    expect(page.locator("#what-if-way")).to_contain_text("min à pied")


def test_a_category_with_a_discreet_place_says_what_it_cannot_tell(
    browser: Browser, toy_study: Study, tmp_path: Path
) -> None:
    table = toy_study.services.table.copy()
    table.loc[table.index[0], "discreet"] = True
    category = str(table["category"].iloc[0])
    study = toy_study.replace(services=dataclasses.replace(toy_study.services, table=table))
    path = write_map(analyse(study), tmp_path / "discreet.html")
    opened = Opened(browser, path, WIDE)
    option = opened.page.locator(f"#what-if-category option[value={category}]")
    assert option.is_disabled()
    walks = json.loads(opened.page.text_content("#walks") or "")
    assert str(table["service_id"].iloc[0]) not in walks["ids"]
    opened.check_quiet(path)
    opened.context.close()


@pytest.mark.parametrize("viewport", fewer([WIDE, PHONE], 1))
def test_axe_finds_no_serious_fault_in_the_panel(
    browser: Browser, town: Path, viewport: dict[str, int]
) -> None:
    opened = Opened(browser, town, viewport, ON_A_STREET)
    opened.page.evaluate("window.quartHeure.map.togglePanel(true)")
    opened.page.click("#what-if-here")
    wait_for_changes(opened.page, 1)
    found = Axe().run(opened.page)
    serious = [v for v in found.response["violations"] if v["impact"] in {"serious", "critical"}]
    assert serious == []
    small = opened.page.evaluate(
        """() => [...document.querySelectorAll(".what-if button")]
          .filter((button) => button.offsetHeight && button.offsetHeight < 44).length"""
    )
    assert small == 0
    opened.check_quiet(town)
    opened.context.close()
