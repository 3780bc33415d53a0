"""Dossiers in a real browser, from a file, with the network cut; and on paper."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pypdf import PdfReader

from helpers.hostile import HOSTILE, hostile_coverage
from helpers.project import fewer
from quart_heure.cache import Cache
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier.dossier import INDEX_NAME, write_dossiers
from quart_heure.outputs.dossier.pdf import BROWSERS, PdfMaker
from quart_heure.study import Coverage, Study, analyse

CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
WIDTHS = (1440, 1024, 390)

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
def folder(
    toy_study: Study, toy_coverage: Coverage, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Write every kind of dossier: of the town, of unkind names, of the fullest of Paris."""
    top = tmp_path_factory.mktemp("dossiers")
    write_dossiers(toy_coverage, top / "town")
    write_dossiers(hostile_coverage(toy_study), top / "hostile")
    cache = Cache(top / "cache")
    week = publishable(analyse(Study.paris(cache=cache, week=True), cache=cache))
    paris = dataclasses.replace(week, week=None)
    background = paris.study.background()
    districts = ["75113", "75116", "75120"]
    write_dossiers(paris, top / "paris", districts=districts, background=background)
    write_dossiers(week, top / "week", districts=["75113"])
    return top


def opened(browser: Browser, path: Path, width: int) -> tuple[Page, list[str]]:
    """Open a page without network and hear what it says, breaks and asks for."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_offline(True)
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: heard.append(dialog.message))
    page.on("request", lambda request: heard.append(request.url))
    page.goto(path.as_uri())
    return page, [url for url in heard if not url.startswith("data:")]


def sides(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_quiet_and_fit_the_screen(browser: Browser, folder: Path, width: int) -> None:
    # All of them on a wide screen, the hardest of them on the others.
    for path in sorted(folder.glob("*/*.html" if width == WIDTHS[0] else "[hw]*/*.html")):
        page, heard = opened(browser, path, width)
        assert heard == [path.as_uri()]
        # Tables scroll in their frames, the page itself does not.
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        page.context.close()


@pytest.mark.parametrize("width", fewer([1440, 390], 1))
def test_accessibility_rules_find_no_serious_fault(
    browser: Browser, folder: Path, width: int
) -> None:
    names = ["hostile/dossier-E.html", "hostile/index.html"]
    if width > 1000:
        names = ["town/index.html", "town/dossier-E.html", "week/dossier-75113.html"]
    for path in (folder / name for name in names):
        context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
        page = context.new_page()
        page.goto(path.as_uri())
        found = {
            rule["id"]: [node["html"][:200] for node in rule["nodes"]]
            for rule in Axe().run(page).response["violations"]
            if rule["impact"] in {"serious", "critical"}
        }
        assert not found, path
        context.close()


def test_a_dossier_is_two_sides_of_paper(browser: Browser, folder: Path) -> None:
    pages = sorted(folder.glob("*/dossier-*.html"))
    assert len(pages) == 8
    for path in fewer(pages, 3):
        page, _ = opened(browser, path, 1024)
        assert sides(page.pdf(prefer_css_page_size=True)) == 2, path
        page.emulate_media(media="print")
        # 188 mm between the margins: nothing stands out at the right.
        page.set_viewport_size({"width": 711, "height": 1040})
        assert page.evaluate("document.documentElement.scrollWidth") <= 712, path
        page.context.close()


def test_paper_counts_what_it_leaves_out(browser: Browser, folder: Path) -> None:
    page, _ = opened(browser, folder / "paris" / "dossier-75113.html", 1024)
    rows = page.locator(".services tbody tr")
    on_screen = rows.count()
    expect(page.locator(".more").first).to_be_hidden()
    page.emulate_media(media="print")
    on_paper = sum(row.is_visible() for row in rows.all())
    assert 5 <= on_paper < on_screen
    expect(page.locator(".more").last).to_contain_text(f"et {on_screen - on_paper} autres services")
    page.context.close()


def test_the_index_sorts_by_keyboard(browser: Browser, folder: Path) -> None:
    page, _ = opened(browser, folder / "town" / INDEX_NAME, 1024)
    names = page.locator("#compare tbody th")
    headings = page.locator("#compare thead th")
    assert names.all_inner_texts() == ["Est", "Ouest"]
    column = 1
    page.locator("#compare thead button").nth(column).focus()
    page.keyboard.press("Enter")
    expect(headings.nth(column)).to_have_attribute("aria-sort", "descending")
    values = [float(v) for v in column_values(page, column)]
    assert values == sorted(values, reverse=True)
    page.keyboard.press("Space")
    expect(headings.nth(column)).to_have_attribute("aria-sort", "ascending")
    assert [float(v) for v in column_values(page, column)] == sorted(values)
    assert page.locator("#compare [aria-sort]").count() == 1
    expect(page.locator("#compare tfoot th")).to_have_text("Petite Ville")
    page.locator("#compare thead button").first.click()
    assert names.all_inner_texts() == ["Est", "Ouest"]
    page.context.close()


def column_values(page: Page, column: int) -> list[str]:
    found: list[str] = page.locator("#compare tbody tr").evaluate_all(
        "(rows, column) => rows.map(row => row.cells[column].dataset.value)", column
    )
    return found


def test_without_a_script_the_index_reads(browser: Browser, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "town" / INDEX_NAME).as_uri())
    assert page.locator("#compare tbody tr").count() == 2
    assert page.locator("#compare button").count() == 0
    expect(page.locator("#compare thead th").first).to_have_text("Secteur")
    context.close()


def test_pages_lead_to_one_another(browser: Browser, folder: Path) -> None:
    page, heard = opened(browser, folder / "town" / INDEX_NAME, 1024)
    page.get_by_role("link", name="Est", exact=True).click()
    expect(page.locator("h1")).to_have_text("Est")
    page.get_by_role("link", name="Suivant").click()
    expect(page.locator("h1")).to_have_text("Ouest")
    page.get_by_role("link", name="Comparer").click()
    expect(page).to_have_title(re.compile("comparés"))
    assert heard == [(folder / "town" / INDEX_NAME).as_uri()]
    page.context.close()


def test_nothing_foreign_can_run(browser: Browser, folder: Path) -> None:
    for name in ("index.html", "dossier-E.html"):
        page, _ = opened(browser, folder / "hostile" / name, 1024)
        ran = page.evaluate(
            """() => {
              const script = document.createElement("script");
              script.textContent = "window.foreign = true";
              document.body.append(script);
              document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='foreign = 1'>");
              return Boolean(window.foreign);
            }"""
        )
        assert ran is False
        page.context.close()
    page, _ = opened(browser, folder / "hostile" / "dossier-E.html", 1024)
    for text in HOSTILE[:3]:
        assert page.get_by_text(text, exact=False).count() > 0
    page.context.close()


def test_pdf_is_two_sides_and_the_same_twice(
    folder: Path, tmp_path: Path, toy_coverage: Coverage
) -> None:
    paths: list[Any] = write_dossiers(toy_coverage, tmp_path, districts=["Est"], pdf=True)
    assert [path.name for path in paths] == ["dossier-E.html", "dossier-E.pdf"]
    pdf = paths[1].read_bytes()
    assert sides(pdf) == 2
    created = toy_coverage.manifest["created"]
    again = PdfMaker().write(paths[0], tmp_path / "again.pdf", created=created)
    # What is drawn and told is the same to the byte; once, on a busy machine, another byte was not.
    first, second = PdfReader(io.BytesIO(pdf)), PdfReader(again)
    assert first.metadata == second.metadata
    for one, other in zip(first.pages, second.pages, strict=True):
        assert one.get_contents().get_data() == other.get_contents().get_data()
        assert one.extract_text() == other.extract_text()
    assert re.sub(r"\D", "", created).encode() in pdf
