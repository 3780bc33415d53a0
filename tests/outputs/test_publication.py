"""A publication: pages and tables that lead to each other, written whole or not at all."""

from __future__ import annotations

import dataclasses
import re
import shutil
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import shapely

from helpers import toy_town
from helpers.browser import CHROMIUM, PHONE, WIDE, running_browser
from helpers.hostile import HOSTILE, hostile_coverage
from helpers.project import thorough
from quart_heure.cli import main
from quart_heure.errors import OutputError
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier import pdf as pdf_of_pages
from quart_heure.outputs.dossier.content import Dossiers
from quart_heure.outputs.dossier.dossier import file_names, shaped_districts
from quart_heure.outputs.dossier.lead import leads, tells
from quart_heure.outputs.dossier.maps import MapMaker
from quart_heure.outputs.publication import publish
from quart_heure.outputs.publication.pages import SitePages
from quart_heure.outputs.publication.pictures import AreaMaps
from quart_heure.outputs.publication.publish import CONTENTS, write_publication, write_zip
from quart_heure.study import Coverage, Study, analyse

HASH = "0123456789ab" * 5
EPOCH = "1700000000"
SOURCE = {
    "role": "districts",
    "file": "secteurs.geojson",
    "sha256": HASH,
    "date": "2026-03-12",
    "source": "Limites de la mairie",
    "licence": "ODbL-1.0",
    "attribution": "© Mairie",
}


class Links(HTMLParser):
    """Where a page leads to, what it loads, and what it says."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.to: list[str] = []
        self.loaded: list[str] = []
        self.text = ""
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.to.append(given["href"] or "")
        self.loaded += [v or "" for k, v in attrs if k == "src" or (tag == "link" and k == "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def town(toy_study: Study, monkeypatch_module: pytest.MonkeyPatch) -> Coverage:
    monkeypatch_module.setenv("SOURCE_DATE_EPOCH", EPOCH)
    meta = {**toy_study.network.meta, "osm_date": "2021-08-06"}
    network = dataclasses.replace(toy_study.network, meta=meta)
    return analyse(toy_town.town_study(provenance=(SOURCE,), network=network, private=False))


@pytest.fixture(scope="module")
def monkeypatch_module() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def folder(town: Coverage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("publication") / "site"
    write_publication(town, folder)
    return folder


def pages_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def test_every_page_leads_to_every_other(folder: Path) -> None:
    pages = pages_of(folder)
    names = {path.relative_to(folder).as_posix() for path in pages}
    assert names == {
        *("index.html", "map.html", "report.html", "tables.html", "method.html"),
        *("dossiers/index.html", "dossiers/dossier-E.html", "dossiers/dossier-W.html"),
    }
    common = {n for n in names if "dossier-" not in n}
    tables = {p.relative_to(folder).as_posix() for p in (folder / "tables").iterdir()}
    for page in pages:
        found = set()
        for link in Links(page).to:
            if link.startswith("#") or link == "https://www.openstreetmap.org/copyright":
                continue
            target = (page.parent / link.partition("#")[0]).resolve()
            assert target.is_file(), (page.name, link)
            found.add(target.relative_to(folder.resolve()).as_posix())
        assert found >= common, page
        if page.name == "tables.html":
            assert found >= tables
        if page in {folder / "index.html", folder / "report.html", folder / "dossiers/index.html"}:
            assert found >= {n for n in names if "dossier-" in n}
    assert (folder / "tables" / "tables.xlsx").stat().st_size > 10_000


def test_pages_load_nothing_and_say_what_they_are_made_from(folder: Path, town: Coverage) -> None:
    for page in pages_of(folder):
        found = Links(page)
        assert all(one.startswith("data:") for one in found.loaded), page
        text = found.text + page.read_text("utf-8")  # the map writes its words from its data
        for word in (
            *("6 août 2021", HASH[:12], "ODbL-1.0", "Limites de la mairie", "12 mars 2026"),
            str(town.manifest["version"]),
        ):
            assert word in text, (page.name, word)
        if page.name != "map.html":
            assert re.search(r"cellules de 25.m", text), page.name
    assert HASH in Links(folder / "method.html").text


def test_the_same_run_is_published_in_the_same_bytes(
    town: Coverage, folder: Path, tmp_path: Path
) -> None:
    again = tmp_path / "site"
    written = write_publication(town, again)
    assert written[0] == again / "index.html"
    assert {p.relative_to(again) for p in again.rglob("*") if p.is_file()} == {
        p.relative_to(again) for p in written
    }
    for path in written:
        assert path.read_bytes() == (folder / path.relative_to(again)).read_bytes(), path
    created = str(town.manifest["created"])
    archives = [
        write_zip(one, tmp_path / "p.zip", created=created).read_bytes() for one in (folder, again)
    ]
    assert archives[0] == archives[1]
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert "p/index.html" in names
        assert {archive.getinfo(name).date_time for name in names} == {(2023, 11, 14, 22, 13, 20)}
    assert {f"p/{path.relative_to(again).as_posix()}" for path in written} == set(names)


def test_a_publication_that_fails_leaves_the_earlier_one(
    town: Coverage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text("before")
    (folder / CONTENTS).write_text('{"publication": {"index.html": "", "../outside": ""}}')
    (folder / "mine.txt").write_text("mine")
    (tmp_path / "outside").write_text("outside")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "write_tables", fail)
        with pytest.raises(OutputError, match="No space left"):
            write_publication(town, folder)
    assert {p.name for p in folder.iterdir()} == {"index.html", CONTENTS, "mine.txt"}
    assert (folder / "index.html").read_text() == "before"

    # The next one replaces what the list names, inside the folder, and leaves what it does not.
    (folder / "old.html").write_text("old")
    (folder / CONTENTS).write_text(
        '{"publication": {"index.html": "", "old.html": "", "../outside": ""}}'
    )
    write_publication(town, folder)
    assert not (folder / "old.html").exists()
    assert (folder / "mine.txt").read_text() == "mine"
    assert (tmp_path / "outside").exists()


def test_a_folder_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "map.html").write_text("a map of mine")
    assert main(["publish", str(tmp_path)]) == OutputError.exit_code
    assert "map.html" in capsys.readouterr().err
    assert (tmp_path / "map.html").read_text() == "a map of mine"


def test_pdf_without_a_browser_is_said_before_the_analysis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pdf_of_pages.shutil, "which", lambda _: None)
    monkeypatch.setattr(pdf_of_pages.importlib.util, "find_spec", lambda _: None)
    assert main(["publish", str(tmp_path / "site"), "--pdf"]) == OutputError.exit_code
    said = capsys.readouterr().err
    assert "no Chromium" in said
    assert "network" not in said
    assert not (tmp_path / "site").exists()


def test_unkind_names_stay_text(toy_study: Study, tmp_path: Path) -> None:
    write_publication(hostile_coverage(toy_study), tmp_path)
    for page in pages_of(tmp_path):
        if page.name == "map.html":
            continue  # its own tests look at it in a browser
        text = page.read_text("utf-8")
        assert "<img src=x" not in text
        assert "<script>alert" not in text
        assert not re.search(r'<[^>]* onmouseover="', text)
        assert HOSTILE[4] not in text
        assert "54439" not in text  # 7 * 7777


def report_of(coverage: Coverage) -> str:
    """Return the short report alone."""
    shown = publishable(coverage)
    pages = SitePages(Dossiers(shown, lang="fr"), file_names(shaped_districts(shown, ())))
    return pages.report(AreaMaps(shown, MapMaker(shown, None)))


# --- what leads ----------------------------------------------------------------------------------


def test_a_figure_that_is_nothing_nearly_everywhere_does_not_lead(toy_coverage: Coverage) -> None:
    shown = publishable(toy_coverage)
    dossiers = Dossiers(shown, lang="fr")
    # Nobody has all three: that is 0,0 % in both districts.
    assert [dossiers.headline(each)["all"].pct for each in ("W", "E")] == [0, 0]
    for district in ("W", "E"):
        found = leads(dossiers, district)
        assert found[0].key == "none"
        behind = {
            c["id"]: dossiers.city[c["id"]]["residents_covered_pct"]
            - dossiers.row(district, c["id"])["residents_covered_pct"]
            for c in dossiers.categories
        }
        assert found[1].key == max(behind, key=behind.get)  # type: ignore[arg-type]
        assert found[1].label == dossiers.names[found[1].key]
    assert not tells({"a": 0.0, "b": 0.0, "c": 3.0})
    assert tells({"a": 100.0, "b": 99.0})


def test_a_category_without_a_known_place_is_not_judged(toy_study: Study, tmp_path: Path) -> None:
    table = toy_study.services.table
    left = table[table["category"] != "bagagerie"].reset_index(drop=True)
    services = dataclasses.replace(toy_study.services, table=left)
    page = report_of(analyse(toy_study.replace(services=services)))
    (tmp_path / "report.html").write_text(page, "utf-8")
    text = Links(tmp_path / "report.html").text
    assert "non jugé : aucun lieu connu" in text.replace("\xa0", " ")
    assert re.search(r"Non jugé, faute d’un lieu connu.: Bagageries", text)
    # Neither a picture nor a column of it.
    assert page.count("<figure") == 1 + 2


# --- in a browser --------------------------------------------------------------------------------

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium")


def town_of_districts(n: int) -> Study:
    """Return the toy town cut into many strips, each a district."""
    study = toy_town.town_study()
    west, south, east, north = study.area.geometry.bounds
    step = (east - west) / n
    strips = [
        (
            f"D{k:03}",
            f"Quartier {k:03} au nom plutôt long",
            shapely.box(west + k * step, south, west + (k + 1) * step, north),
        )
        for k in range(n)
    ]
    area = toy_town.area_of(
        [
            (each, label, shapely.intersection(shape, study.area.geometry))
            for each, label, shape in strips
        ],
        name="Petite Ville",
    )
    return study.replace(area=area)


@pytest.mark.browser
@needs_browser
def test_the_report_is_at_most_eight_sides_and_pages_are_quiet(
    folder: Path, tmp_path: Path
) -> None:
    many = tmp_path / "report.html"
    many.write_text(report_of(analyse(town_of_districts(60))), "utf-8")
    with running_browser() as browser:
        for path in (folder / "report.html", many):
            page = browser.new_page()
            page.goto(path.as_uri())
            printed = page.pdf(prefer_css_page_size=True)
            assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 8
            page.close()
        for size, names in ((WIDE, "*.html"), (PHONE, "[ir]*.html")):
            context = browser.new_context(viewport=size)
            context.set_offline(True)
            for path in sorted(folder.rglob(names)):
                page = context.new_page()
                heard: list[str] = []
                page.on("console", lambda message, heard=heard: heard.append(message.text))
                page.on("pageerror", lambda error, heard=heard: heard.append(str(error)))
                page.on("request", lambda request, heard=heard: heard.append(request.url))
                page.goto(path.as_uri())
                assert [h for h in heard if not h.startswith("data:")] == [path.as_uri()]
                assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
                page.close()
            context.close()


@pytest.mark.browser
@needs_browser
@thorough
def test_the_whole_in_one_pdf_leads_inside_alone(town: Coverage, tmp_path: Path) -> None:
    from pypdf import PdfReader  # noqa: PLC0415

    write_publication(town, tmp_path / "site", pdf=True)
    path = tmp_path / "site" / "publication.pdf"
    reader = PdfReader(path)
    titles = [(item.title, reader.get_destination_page_number(item)) for item in reader.outline]  # type: ignore[union-attr, arg-type]
    assert [title for title, _ in titles] == [
        "Rapport",
        "Comparer les secteurs",
        "Est",
        "Ouest",
        "Méthode",
    ]
    starts = dict(titles)
    assert starts["Ouest"] - starts["Est"] == 2  # two sides each
    assert reader.metadata is not None
    assert reader.metadata.title == "Petite Ville\xa0: les services solidaires à 15 minutes à pied"
    led = set()
    for page in reader.pages:
        for each in page.get("/Annots", ()):
            link = each.get_object()
            assert "/A" not in link, link
            led.add(reader.get_page_number(link["/Dest"][0].get_object()))
    assert led >= {starts["Est"], starts["Ouest"]}
    assert str(tmp_path).encode() not in path.read_bytes()
    assert shutil.which("chromium") or CHROMIUM
