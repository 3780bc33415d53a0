"""Dossiers: the report's figures on two sides, ranked, drawn, and safe to hand out."""

from __future__ import annotations

import base64
import csv
import dataclasses
import datetime
import html
import io
import itertools
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from helpers import toy_town
from helpers.hostile import HOSTILE, hostile_coverage
from helpers.town_week import shares_at, town_week
from quart_heure.analysis.week import HOURS, WEEK_FIGURES, Week, hours_of_week
from quart_heure.errors import InputFileError, OutputError
from quart_heure.labels import format_minutes, format_number, format_pct
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier.cells import CLASS_COLOURS, CellGrid, Frame
from quart_heure.outputs.dossier.content import Dossiers
from quart_heure.outputs.dossier.dossier import INDEX_NAME, write_dossiers
from quart_heure.outputs.dossier.layout import fit_rows
from quart_heure.outputs.dossier.maps import MapMaker
from quart_heure.outputs.dossier.pdf import PdfMaker
from quart_heure.outputs.dossier.ranks import ranks
from quart_heure.outputs.dossier.services import ServiceLine, walks_to_services
from quart_heure.outputs.dossier.structure import GapLine
from quart_heure.outputs.dossier.week import MOMENTS, level_of, week_of
from quart_heure.outputs.dossier.words import Words, short
from quart_heure.outputs.report.report import render_report
from quart_heure.streams import Stopped
from quart_heure.study import Coverage, Study, analyse

VOID = frozenset({"meta", "link", "img", "br"})


class Page(HTMLParser):
    """The structure of a page: its tags, its text, its tables as lists of rows of texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.tables: dict[str, list[list[str]]] = {}
        self.table: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.table = self.tables.setdefault((dict(attrs)["class"] or "").split()[0], [])
        elif tag == "tr":
            self.table.append([])
        elif tag in {"td", "th"}:
            self.table[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "script"}:
            self.text += data
            if {"td", "th"} & set(self.open):
                self.table[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def rows(self, table: str) -> list[list[str]]:
        return [[" ".join(cell.split()) for cell in row] for row in self.tables[table]]


def read(paths: list[Path]) -> dict[str, Page]:
    return {path.name: Page(path.read_text(encoding="utf-8")) for path in paths}


def spaces(text: str) -> str:
    """Give a text with one kind of space, as `Page.rows` has it."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def shown(toy_coverage: Coverage) -> Coverage:
    return publishable(toy_coverage)


@pytest.fixture(scope="module")
def dossiers(shown: Coverage) -> Dossiers:
    return Dossiers(shown, lang="fr")


@pytest.fixture(scope="module")
def written(
    toy_coverage: Coverage,
    background: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Path]:
    folder = tmp_path_factory.mktemp("dossiers")
    return write_dossiers(toy_coverage, folder / "new", background=background)


@pytest.fixture(scope="module")
def pages(written: list[Path]) -> dict[str, Page]:
    return read(written)


def with_week(coverage: Coverage, table: pd.DataFrame) -> Coverage:
    """Give a coverage a week with these figures."""
    places = tuple(table["district_id"].unique())
    figures = {
        str(category): np.stack(
            [
                rows.pivot(index="hour", columns="district_id", values=name)[list(places)]
                for name in WEEK_FIGURES
            ],
            axis=1,
        )
        for category, rows in table.groupby("category")
    }
    week = Week(
        starts=hours_of_week(datetime.date(2026, 12, 7)),
        categories=tuple(figures),
        state_of_hour=dict.fromkeys(figures, np.arange(HOURS, dtype=np.int16)),
        sets={},
        places=places,
        figures=figures,
        packed={},
        on_network=coverage.cells["on_network"].to_numpy(),
    )
    parameters = {**coverage.manifest["parameters"], "week_of": "2026-12-07", "country": "FR"}
    manifest = {**coverage.manifest, "parameters": parameters}
    return dataclasses.replace(coverage, week=week, manifest=manifest)


def week_table(shares: dict[tuple[str, str], tuple[list[float], list[float]]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "category": category,
            "district_id": district,
            "hour": hour,
            # Of the area: not what a dossier about residents tells.
            "at_least_pct": 1.0,
            "at_most_pct": 99.0,
            "residents_at_least": 0.0,
            "residents_at_most": 0.0,
            "residents_at_least_pct": least[hour],
            "residents_at_most_pct": most[hour],
        }
        for (category, district), (least, most) in shares.items()
        for hour in range(168)
    )


# --- files ---------------------------------------------------------------------------------------


def test_every_district_has_a_page_and_all_an_index(written: list[Path]) -> None:
    assert [path.name for path in written] == [INDEX_NAME, "dossier-E.html", "dossier-W.html"]
    assert sorted(path.name for path in written[0].parent.iterdir()) == sorted(
        path.name for path in written
    )


def test_the_same_coverage_writes_the_same_bytes(
    toy_coverage: Coverage,
    written: list[Path],
    tmp_path: Path,
    background: Any,
) -> None:
    again = write_dossiers(toy_coverage, tmp_path, background=background)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]


def test_one_district_alone_has_no_index_and_no_links(
    toy_coverage: Coverage, tmp_path: Path
) -> None:
    said: list[str] = []
    paths = write_dossiers(toy_coverage, tmp_path, districts=["ouest"], progress=said.append)
    assert [path.name for path in paths] == ["dossier-W.html"]
    assert said == ["dossiers", "dossier Ouest (1/1)"]
    assert not read(paths)["dossier-W.html"].all("a")


def test_a_stop_between_two_pages_leaves_those_of_before(
    toy_coverage: Coverage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(step: str) -> None:
        if step.endswith("(2/2)"):
            raise Stopped(15)

    (tmp_path / INDEX_NAME).write_text("before")
    with pytest.raises(Stopped):
        write_dossiers(toy_coverage, tmp_path, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == [INDEX_NAME]
    assert (tmp_path / INDEX_NAME).read_text() == "before"


def test_what_cannot_be_written_is_said(toy_coverage: Coverage, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no district '21'"):
        write_dossiers(toy_coverage, tmp_path / "a", districts=["21"])
    with pytest.raises(OutputError, match="language"):
        write_dossiers(toy_coverage, tmp_path / "a", lang="de")
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_dossiers(toy_coverage, tmp_path / "file", districts=["W"])


def test_districts_of_any_id_have_files_of_their_own(toy_study: Study, tmp_path: Path) -> None:
    districts = toy_study.area.districts.assign(district_id=["../é", "../è"])
    area = dataclasses.replace(toy_study.area, districts=districts)
    paths = write_dossiers(analyse(toy_study.replace(area=area)), tmp_path / "in")
    assert {path.parent for path in paths} == {tmp_path / "in"}
    assert len({path.name for path in paths}) == 3
    links = {link["href"] for link in read(paths)[INDEX_NAME].all("a")}
    assert links == {path.name for path in paths} - {INDEX_NAME}


# --- figures -------------------------------------------------------------------------------------


def written_pct(share: float) -> str:
    """A share as pages tell it: from tables of two decimals."""
    return format_number(round(share, 2), "fr", 1)


def test_figures_are_those_of_the_tables(pages: dict[str, Page], toy_coverage: Coverage) -> None:
    city = toy_coverage.city.set_index("category")
    names = {c.id: c.fr for c in toy_coverage.study.catalogue.values()}
    names |= {"essential_all": "Tous les essentiels", "essential_any": "Au moins un essentiel"}
    paces = publishable(toy_coverage).accuracy.query("doubt == 'speed'")
    paces = paces.set_index(["district_id", "category"])
    paces = paces[["residents_low_pct", "residents_high_pct"]].round(2)
    paces = paces.rename(columns={"residents_low_pct": "low", "residents_high_pct": "high"})
    for district in ("W", "E"):
        # After the name: places of the whole area that are confirmed, placed and known.
        told = [row[0] for row in pages[f"dossier-{district}.html"].rows("figures")]
        ages = publishable(toy_coverage).freshness.query("level == 'city'").set_index("category")
        for category, row in ages.iterrows():
            counts = [f"{row[name]:.0f}" for name in ("confirmed", "placed", "known")]
            assert f"{names[str(category)]} {' / '.join(counts)}" in told
        rows = {
            re.sub(r" *\d+ / \d+ / \d+$", "", row[0]): row[1:]
            for row in pages[f"dossier-{district}.html"].rows("figures")
        }
        mine = toy_coverage.indicators.query("district_id == @district").set_index("category")
        for category, row in mine.iterrows():
            told = rows[names[str(category)]]
            inside = format_number(row["services_inside"], "fr")
            expected = [
                inside,
                format_number(city.loc[category, "services_inside"], "fr"),
                format_number(row["residents_covered"], "fr"),
                written_pct(row["residents_covered_pct"]),
                written_pct(city.loc[category, "residents_covered_pct"]),
                format_minutes(round(row["minutes_median"], 2), "fr"),
                format_minutes(round(city.loc[category, "minutes_median"], 2), "fr"),
                format_minutes(round(row["minutes_p90"], 2), "fr"),
                format_minutes(round(city.loc[category, "minutes_p90"], 2), "fr"),
            ]
            assert [told[i] for i in (0, 1, 2, 3, 5, 7, 8, 9, 10)] == list(map(spaces, expected))
            pace = paces.loc[(district, category)]
            ends = [format_number(pace[end], "fr") for end in ("low", "high")]
            assert told[4] == "–".join(dict.fromkeys(ends))


def test_headlines_are_those_of_the_composite(
    pages: dict[str, Page], toy_coverage: Coverage
) -> None:
    table = toy_coverage.composite.set_index(["district_id", "essentials_within"])
    # Who has none leads, then who has all, each if it tells districts apart: one that reads 0,0 or
    # 100,0 % in most of them does not. Who has all does not tell here: the category in which the
    # district is furthest behind follows.
    for count, tells in ((0, True), (3, False)):
        shares = [round(table.loc[(each, count), "residents_pct"], 1) for each in ("W", "E")]
        assert (2 * sum(0 < share < 100 for share in shares) >= len(shares)) == tells
    rows = toy_coverage.indicators.set_index(["district_id", "category"])
    covered = rows["residents_covered_pct"].round(2)
    for district in ("W", "E"):
        page = pages[f"dossier-{district}.html"]
        classes = [(each.get("class") or "").split() for each in page.all("p")]
        assert [names[1] for names in classes if "stat" in names] == ["none", "one"]
        row = table.loc[(district, 0)]
        none = f"{format_pct(row['residents_pct'], 'fr')} des habitants"
        none += f" ({format_number(row['residents'], 'fr')} sur"
        behind = max(
            toy_coverage.study.essentials,
            key=lambda each, here=district: covered[("", each)] - covered[(here, each)],
        )
        people = format_number(rows.loc[(district, behind), "residents_covered"], "fr")
        one = f"{format_pct(covered[(district, behind)], 'fr')} des habitants ({people} sur"
        name = toy_coverage.study.catalogue[behind].label("fr")
        read = spaces(page.text)
        assert spaces(none) in read
        told = re.search(
            re.escape(spaces(one)) + r" [\d ]+\) sont à 15 minutes .*? « (.*?) »", read
        )
        assert told is not None
        assert told[1] == name
        _, mine, city = page.rows("within")
        for cells, key in ((mine, district), (city, "")):
            shares = [table.loc[(key, n), "residents_pct"] for n in range(4)]
            assert cells[1:] == [format_number(share, "fr", 1) for share in shares]


def test_gaps_are_those_of_the_report(pages: dict[str, Page], shown: Coverage) -> None:
    csv_rows = render_report(shown, format="csv")
    touching = {
        (row["district_id"], row["category"]): int(row["gaps_touching"])
        for row in csv.DictReader(io.StringIO(csv_rows))
    }
    categories = shown.study.categories
    parts = shown.gap_parts[shown.gap_parts["category"].isin(categories)]
    for district in ("W", "E"):
        body = pages[f"dossier-{district}.html"].rows("gaps")[1:]
        rows = [row[-7:] for row in body]  # beside the name of the category, on its first row
        mine = parts[parts["district_id"] == district]
        assert (
            len(rows) == len(mine) == sum(touching[district, category] for category in categories)
        )
        told = sorted((row[1], row[3], row[4], row[5]) for row in rows)
        assert told == sorted(
            (
                row.street,
                spaces(format_number(row.residents, "fr")),
                format_number(row.area_ha, "fr", 1),
                format_minutes(row.minutes_max, "fr"),
            )
            for row in mine.itertuples()
        )


def test_no_district_is_said_to_lack_what_is_hidden(tmp_path: Path) -> None:
    coverage = analyse(toy_town.town_study(private=False))
    written = {path.name: path for path in write_dossiers(coverage, tmp_path)}
    pages = {name: Page(path.read_text(encoding="utf-8")) for name, path in written.items()}
    for district, n in (("W", 1), ("E", 0)):
        text = pages[f"dossier-{district}.html"].text
        names = text.partition("Aucun service connu de nous ici")[2].partition(".")[0]
        assert "Bagagerie" not in names
        said = "Bagageries\u00a0: les lieux discrets sont comptés au point public de leur zone"
        alts = [picture["alt"] or "" for picture in pages[f"dossier-{district}.html"].all("img")]
        told = [alt for alt in alts if f"{n} (lieux discrets à leur point public)" in alt]
        assert len(told) == 1
        assert "Bagageries" in told[0]
        assert f"services\u00a0: {n}*" in text
        assert text.count(said) == 1
        assert "NE PAS DIFFUSER" not in text
    index = pages[INDEX_NAME]
    rows = {row[0]: row[1:] for row in index.rows("compare")}
    counts = [int(rows[label][1]) for label in ("Ouest", "Est", "Petite Ville")]
    assert counts[2] == counts[0] + counts[1]
    assert "les lieux discrets (1) le sont au point public de leur zone" in index.text


def test_private_dossiers_are_marked(pages: dict[str, Page]) -> None:
    assert all("NE PAS DIFFUSER" in page.text for page in pages.values())


def test_pictures_say_their_figures(pages: dict[str, Page], toy_coverage: Coverage) -> None:
    rows = toy_coverage.indicators.set_index(["district_id", "category"])
    for district, label in (("W", "Ouest"), ("E", "Est")):
        pictures = pages[f"dossier-{district}.html"].all("img")
        assert len(pictures) == len(toy_coverage.study.categories)
        for picture, category in zip(pictures, toy_coverage.study.categories, strict=True):
            alt = picture["alt"] or ""
            row = rows.loc[(district, category)]
            assert label in alt
            assert format_pct(round(row["residents_covered_pct"], 2), "fr") in alt
            assert f"zones blanches\u00a0: {row['gaps_touching']}." in alt


def test_the_index_compares_with_the_same_figures(
    pages: dict[str, Page], toy_coverage: Coverage
) -> None:
    rows = pages[INDEX_NAME].rows("compare")
    by_label = {row[0]: row[1:] for row in rows}
    table = toy_coverage.indicators.set_index(["district_id", "category"])
    for label, key in (("Ouest", "W"), ("Est", "E"), ("Petite Ville", "")):
        cells = by_label[label]
        covered = [table.loc[(key, c), "residents_covered_pct"]
                   for c in toy_coverage.study.categories]  # fmt: skip
        shown = [re.match(r"[\d,]+", cell)[0] for cell in cells[-len(covered) :]]
        assert shown == [written_pct(share) for share in covered]
        row = table.loc[(key, "esi")]
        # Those that the shares beside are of, as in the dossiers.
        residents = row["residents"] - row["residents_off_network"]
        assert cells[0] == spaces(format_number(residents, "fr"))
    values = [row["data-value"] for row in pages[INDEX_NAME].all("td") if "data-value" in row]
    assert all(math.isfinite(float(value)) for value in values)


@given(
    st.dictionaries(st.text(max_size=3), st.floats(0, 100) | st.just(math.nan), max_size=12),
    st.booleans(),
)
def test_ranks_against_a_slow_computation(figures: dict[str, float], least_first: bool) -> None:
    found = ranks(figures, least_first=least_first)
    known = {name: round(value, 1) for name, value in figures.items() if not math.isnan(value)}
    assert found.keys() == known.keys()
    for name, value in known.items():
        others = [other for key, other in known.items() if key != name]
        better = [other for other in others if (other < value if least_first else other > value)]
        assert found[name].place == len(better) + 1
        assert found[name].tied == (value in others)
        assert found[name].among == len(known)


def test_ranks_on_the_pages_are_those_of_the_shares(
    dossiers: Dossiers, toy_coverage: Coverage
) -> None:
    for category in [*toy_coverage.study.categories, "essential_all"]:
        rows = toy_coverage.indicators.query("category == @category and level == 'district'")
        share = rows.set_index("district_id")["residents_covered_pct"].round(1)
        for district in ("W", "E"):
            place = int((share > share[district]).sum()) + 1
            tied = int((share == share[district]).sum()) > 1
            expected = f"{'1er' if place == 1 else f'{place}e'}{' ex æquo' if tied else ''}"
            assert dossiers.place(category, district) == expected
    none = toy_coverage.composite.query("level == 'district' and essentials_within == 0")
    first = none.sort_values("residents_pct").iloc[0]["district_id"]
    assert dossiers.place("none", first).startswith("1er")


# --- services ------------------------------------------------------------------------------------


def test_walks_to_services_are_those_of_the_analysis(shown: Coverage) -> None:
    """A place that is the only one of its category has all the minutes of that category."""
    walks = walks_to_services(shown).set_index(["service_id", "district_id"])
    table = shown.study.services.table
    for place, category in (("A1", "bains_douches"), ("C1", "esi"), ("C2", "esi")):
        alone = table[table["service_id"] == place].reset_index(drop=True)
        services = dataclasses.replace(shown.study.services, table=alone)
        cells = analyse(shown.study.replace(services=services, categories=(category,))).cells
        for district in ("W", "E"):
            minutes = cells.loc[cells["district_id"] == district, f"minutes_{category}"]
            near = minutes <= shown.study.threshold_min + 1e-6
            assert near.any() == ((place, district) in walks.index)
            if near.any():
                row = walks.loc[(place, district)]
                assert row["minutes"] == pytest.approx(minutes.min())
                people = cells.loc[minutes[near].index, "residents"].sum()
                assert row["residents"] == pytest.approx(people)
                assert row["area_ha"] == pytest.approx(near.sum() * 0.0625)


def test_services_inside_come_first_then_those_next_door(dossiers: Dossiers) -> None:
    rows = dossiers.services("E")
    told = [(row.service_id, row.here) for row in rows.counted]
    assert told == [("A1", True), ("C2", True), ("C1", False)]
    assert rows.counted[2].away.endswith("min")
    assert rows.left_out == ["Service B1 (sans rue à portée)", "Service B2 (sans rue à portée)"]
    west = dossiers.services("W")
    assert [row.service_id for row in west.counted if row.here] == []
    assert west.left_out == ["Service A2 (fermé)"]


def test_what_a_source_does_not_say_is_said(toy_study: Study) -> None:
    table = toy_study.services.table.set_index("service_id")
    table.loc["A1", ["opening_hours_text", "access", "audience"]] = [
        "ma 10 h",
        "referral",
        "Femmes",
    ]
    table.loc["C2", ["access", "opening_hours"]] = ["unknown", "off"]
    table.loc["C1", ["admits", "source_date"]] = ["women;young_people", "undated (about 2016)"]
    services = dataclasses.replace(toy_study.services, table=table.fillna("").reset_index())
    dossiers = Dossiers(publishable(analyse(toy_study.replace(services=services))), lang="fr")
    a1, c2, c1 = dossiers.services("E").counted
    assert (a1.hours, a1.welcome) == ("ma 10 h", "sur orientation · Femmes")
    assert (c2.hours, c2.welcome) == ("fermé", "accueil et public non précisés")
    assert (c1.hours, c1.welcome) == (
        "horaires inconnus",
        "accueil inconditionnel · femmes, jeunes",
    )
    told = dossiers.content("E").unknown
    assert any("Horaires inconnus ou incomplets\u00a0: 2 des 3" in line for line in told)
    assert any("2016 à 2026" in line for line in told)
    assert any("n’ont pas été croisées" in line for line in told)
    assert any("Lieux discrets" in line and line.endswith("\u00a0: 1.") for line in told)


def test_a_discreet_place_is_in_no_file(toy_study: Study, tmp_path: Path) -> None:
    table = toy_study.services.table.copy()
    here = table["service_id"] == "B3"
    secrets = ["Maison Mirabelle", "37 impasse Cachée", "ne pas dire", "9 h 37"]
    columns = ["name", "address", "notes", "opening_hours"]
    table.loc[here, columns] = secrets
    services = dataclasses.replace(toy_study.services, table=table)
    coverage = analyse(toy_study.replace(services=services))
    point = table[here].geometry.iloc[0]
    degrees = pyproj.Transformer.from_crs(2154, 4326, always_xy=True).transform(point.x, point.y)
    assert "B3" in set(coverage.services["service_id"])
    for path in write_dossiers(coverage, tmp_path):
        text = html.unescape(path.read_text(encoding="utf-8"))
        for secret in [*secrets, "B3", *(f"{d:.4f}" for d in degrees), f"{point.x:.0f}"]:
            assert secret not in re.sub(r"base64,[^\"]*", "", text)
        assert path.name == INDEX_NAME or "lieu discret" in text


# --- the week ------------------------------------------------------------------------------------


def test_the_week_is_drawn_from_its_table(toy_coverage: Coverage, tmp_path: Path) -> None:
    day = [0.0] * 8 + [30.0] * 4 + [0.0] * 12
    most = [0.0] * 8 + [55.0] * 12 + [0.0] * 4
    nothing, all_day = [0.0] * 168, [70.0] * 168
    shares = {
        (category, place): (nothing, nothing)
        for category in [*toy_coverage.study.categories, "essential_all", "essential_any"]
        for place in ("", "E", "W")
    }
    shares[("bains_douches", "E")] = (day * 7, most * 7)
    shares[("esi", "E")] = (nothing, all_day)
    table = week_table(shares)
    coverage = with_week(publishable(toy_coverage), table)
    week = Dossiers(coverage, lang="fr").week("E")
    assert week is not None
    named = dict(zip(toy_coverage.study.categories, week.rows, strict=False))
    baths, esi = named["bains_douches"], named["esi"]
    assert [run[1] for run in baths.least] == [8, *[4, 20] * 6, 4, 12]
    assert {run[2] for run in baths.most} == {0, level_of(55)}
    assert baths.moments == [(30.0, 55.0), (0.0, 0.0), (30.0, 55.0), (0.0, 0.0)]
    assert (baths.hours_unknown, esi.hours_unknown) == (False, True)
    assert sum(hours for _, hours, _ in esi.most) == 168
    # `publishable` returns what is published already as it is, so the week is kept.
    page = read(write_dossiers(coverage, tmp_path, districts=["E"]))["dossier-E.html"]
    rows = page.rows("week")
    assert [cell.replace("\u202f", " ") for cell in rows[1][2:]] == ["30–55 %", "0 %"] * 2
    (told,) = [row for row in rows if "(ESI)" in row[0]]
    assert "horaires inconnus" in told[0]
    strips = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert "0–30" in (strips[0]["aria-label"] or "")
    assert "n’ont pas été croisées" not in page.text


def test_the_dossier_agrees_with_the_study_of_that_hour(tmp_path: Path) -> None:
    dossiers = Dossiers(publishable(town_week()), lang="fr")
    for district in ("E", "W"):
        week = dossiers.week(district)
        assert week is not None
        assert week.by == "residents"
        for category, row in zip(dossiers.categories, week.rows, strict=True):
            for hour, told in zip(MOMENTS, row.moments, strict=True):
                expected = shares_at(hour, category["id"]).loc[district].to_numpy()
                assert told == pytest.approx(expected)
    (tmp_path / "w").mkdir()
    page = read(write_dossiers(town_week(), tmp_path / "w", districts=["E"]))["dossier-E.html"]
    assert "Semaine du 27 avril 2026 au 3 mai 2026. Férié" in page.text


def test_dossier_and_report_write_an_hour_alike(tmp_path: Path) -> None:
    coverage = town_week()
    page = read(write_dossiers(coverage, tmp_path, districts=["E"]))["dossier-E.html"]
    told = [[cell.removesuffix("\u202f%") for cell in row[2:]] for row in page.rows("week")[1:]]
    text = render_report(
        coverage, format="md", districts=["E"], categories=coverage.study.categories
    )
    tables = text.split("\n### ")[1:]
    days = ("mardi", "dimanche")
    expected = []
    for table in tables[: len(told)]:
        rows = {row.split(" | ")[0]: row.split(" | ")[1:] for row in table.splitlines()}
        expected.append([rows[f"| {day}"][hour] for day in days for hour in (10, 20)])
    assert [[spaces(cell).replace(" %", "") for cell in row] for row in told] == expected
    assert any("–" in cell for row in expected for cell in row)


def test_hours_that_are_missing_are_not_known(shown: Coverage) -> None:
    shares = [50.0] * 34 + [math.nan] + [50.0] * 133
    week = with_week(shown, week_table({("esi", "E"): (shares, shares)})).week
    assert week is not None
    found = week_of(week, "E", [{"id": "esi"}], {"esi": "ESI"}, Words("en"))
    assert found is not None
    assert MOMENTS[0] == 34
    assert [run[2] for run in found.rows[0].most] == [3, -1, 3]
    assert math.isnan(found.rows[0].moments[0][0])


def test_without_a_week_nothing_is_drawn(pages: dict[str, Page]) -> None:
    assert "week" not in pages["dossier-E.html"].tables
    assert "un service proche peut être fermé" in pages["dossier-E.html"].text


# --- pictures ------------------------------------------------------------------------------------


def test_a_picture_shows_the_shares_of_the_district(shown: Coverage) -> None:
    grid = CellGrid(shown)
    for district in shown.study.area.districts.itertuples():
        ground = grid.window(Frame.around(district.geometry), district.district_id)
        for category in shown.study.categories:
            pixels = grid.colours(category, ground)[ground.mine][:, :3]
            row = shown.indicators.query(
                "district_id == @district.district_id and category == @category"
            ).iloc[0]
            clear = row["covered_ha"] - row["borderline_covered_ha"]
            share = np.all(pixels == CLASS_COLOURS["covered"][0], axis=1).mean()
            assert share == pytest.approx(clear / row["area_ha"], abs=0.01)
            striped = np.isin(
                pixels.astype(int) @ (1, 256, 65536),
                np.array(CLASS_COLOURS["uncovered"]) @ (1, 256, 65536),
            ).mean()
            assert striped == pytest.approx(row["uncovered_ha"] / row["area_ha"], abs=0.01)


def test_classes_differ_without_colour(shown: Coverage) -> None:
    """What is not told by its grey is told by the marks on it."""
    grid = CellGrid(shown)
    district = shown.study.area.districts.iloc[0]
    window = grid.window(Frame.around(district.geometry), district["district_id"])
    looks = {}
    grey = np.array([0.299, 0.587, 0.114])
    for name, (ground, mark) in CLASS_COLOURS.items():
        light, dark = np.array(ground) @ grey, np.array(mark) @ grey
        looks[name] = (round(light / 12), round((light - dark) / 40))
    assert len(set(looks.values())) == len(looks)
    assert looks["covered"][1] == looks["off_network"][1] == 0
    assert min(looks["borderline"][1], looks["uncovered"][1]) >= 1
    pixels = grid.colours("bains_douches", window)[..., :3]
    assert (pixels == CLASS_COLOURS["uncovered"][1]).all(axis=2).any()


def test_pictures_are_small_and_numbered(
    shown: Coverage,
    dossiers: Dossiers,
    background: Any,
) -> None:
    maps = MapMaker(shown, background).district("E")
    numbered = {g.gap_id: g.number for g in dossiers.gaps("E") if g.category == "esi"}
    with_numbers = maps.draw("esi", numbered)
    assert maps.draw("esi", {}) != with_numbers
    assert maps.draw("esi", numbered) == with_numbers  # nothing is left over from the one before
    picture = Image.open(io.BytesIO(with_numbers))
    assert picture.size == (560, 520)
    assert len(with_numbers) < 60_000
    colours = {colour for _, colour in picture.convert("RGB").getcolors() or []}
    assert (169, 198, 221) in colours  # water
    assert (28, 36, 48) in colours  # services and limits


def test_a_gap_thinner_than_the_drawing_still_has_its_number(shown: Coverage) -> None:
    gaps = shown.gaps.head(1).copy()
    x, y = toy_town.ORIGIN
    gaps["geometry"] = [shapely.box(x + 1200, y + 500, x + 1201, y + 900)]
    maps = MapMaker(dataclasses.replace(shown, gaps=gaps), None).district("E")
    assert maps.draw("esi", {gaps["gap_id"].iloc[0]: 1}) != maps.draw("esi", {})


# --- paper ---------------------------------------------------------------------------------------


def gap_of(n: int, text: str) -> GapLine:
    return GapLine(
        gap_id=f"g{n}", category="esi", label=text, number=n % 3 + 1, street=text, nearest=text,
        cause="", residents=float(n), area_ha=1.0, minutes_max=20.0,
    )  # fmt: skip


def service_of(n: int, text: str) -> ServiceLine:
    return ServiceLine(
        service_id=f"S{n}", category="esi", label=text, name=text, address=text, here=True,
        away="", hours=text, hours_known=True, status_known=True, access_known=True,
        welcome=text, residents=0.0, weight=0.0, source_date="",
    )  # fmt: skip


@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from(["", "mot", "un texte de quelques mots", "x" * 70]),
    st.integers(0, 8),
)
def test_rows_fit_or_are_counted(gaps: int, services: int, text: str, week: int) -> None:
    rows = [gap_of(n, text) for n in range(gaps)], [service_of(n, text) for n in range(services)]
    room = fit_rows(*rows, week=["Bains-douches"] * week, foot=[text] * 12, notes=[text])
    assert len(room.gaps) <= gaps
    assert room.gaps <= set(range(gaps))
    assert min(3, gaps) <= len(room.gaps)
    assert min(3, services) <= room.services <= services
    more = fit_rows(*rows, week=[], foot=[], notes=[])
    assert len(more.gaps) + more.services >= len(room.gaps) + room.services
    printed = [rows[0][n] for n in room.gaps]
    cut = [rows[0][n] for n in set(range(gaps)) - room.gaps]
    # The first gap of a category goes before any second one, then the one with more residents.
    key = [(row.number > 1, -row.residents) for row in printed]
    assert max(key, default=(False, 0)) <= min(
        ((row.number > 1, -row.residents) for row in cut), default=(True, 0)
    )


def test_what_paper_has_no_room_for_is_counted_there(toy_study: Study, tmp_path: Path) -> None:
    places = [
        (f"S{n:02}", "esi", 1100 + 10 * n, 450, "open", False) for n in range(40)
    ]  # fmt: skip
    study = toy_study.replace(services=toy_town.services_of(places), categories=("esi",))
    page = read(write_dossiers(analyse(study), tmp_path, districts=["Est"]))["dossier-E.html"]
    rows = page.all("tr")
    beyond = [row for row in rows if "beyond" in (row.get("class") or "")]
    assert len(page.rows("services")) == 1 + 40  # on screen all are there
    assert 5 < len(beyond) < 35
    assert f"… et {len(beyond)} autres services" in page.text


def test_pdf_says_what_it_needs(
    toy_coverage: Coverage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(OutputError, match="nothing here to make PDF") as caught:
        write_dossiers(toy_coverage, tmp_path / "new", pdf=True)
    assert "Chromium" in caught.value.hint
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("script", "told"),
    [("echo no display >&2; exit 3", "no display"), ("exit 0", "could not be made")],
)
def test_a_browser_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    browser = tmp_path / "chromium"
    browser.write_text(f"#!/bin/sh\n{script}\n")
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    page = tmp_path / "page.html"
    page.write_text("<p>")
    with pytest.raises(OutputError, match=told):
        PdfMaker().write(page, tmp_path / "page.pdf")
    assert not list(tmp_path.glob("*.pdf"))


# --- pages ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["fr", "en", "nobody"])
def any_pages(
    request: pytest.FixtureRequest, toy_study: Study, toy_coverage: Coverage,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Page]:  # fmt: skip
    folder = tmp_path_factory.mktemp("any")
    if request.param == "nobody":
        study = toy_study.replace(residents=None, categories=("centre_social",))
        return read(write_dossiers(analyse(study), folder))
    return read(write_dossiers(toy_coverage, folder, lang=request.param))


def test_pages_are_built_for_everyone(any_pages: dict[str, Page]) -> None:
    for name, page in any_pages.items():
        assert page.open == []
        assert page.all("html")[0]["lang"] in {"fr", "en"}
        for tag in ("title", "h1", "main", "header"):
            assert len(page.all(tag)) == 1
        assert len(page.all("caption")) == len(page.all("table")) > 0
        assert all(cell.get("scope") for cell in page.all("th"))
        assert all(picture.get("alt") for picture in page.all("img"))
        for drawing in page.all("svg"):
            assert drawing.get("aria-hidden") or drawing.get("aria-label")
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        words = {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a}
        assert words <= set(ids)
        assert {link["href"] for link in page.all("a")} <= set(any_pages)
        assert not re.search(r"\b(nan|inf|None)\b", page.text)
        assert len(page.all("script")) == (name == INDEX_NAME)


def test_pages_need_nothing_from_elsewhere(written: list[Path]) -> None:
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?:src|href)=\"(?!dossier-|index\.html|data:)", text)
        assert not re.search(r"@import|url\(|http", text.replace("http-equiv", ""))
        (policy,) = [m["content"] or "" for m in Page(text).all("meta") if "http-equiv" in m]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert ("script-src" in policy) == (path.name == INDEX_NAME)
        assert " style=" not in text
        assert len(text) < 400_000
        for picture in re.findall(r"base64,([^\"]+)", text):
            assert base64.b64decode(picture).startswith(b"\x89PNG")


def test_pages_say_how_far_they_can_be_trusted(pages: dict[str, Page], shown: Coverage) -> None:
    for page in pages.values():
        for told in (
            "Les habitants ne sont pas les personnes concernées",
            "connus de nous",
            "4,5 km/h",
            "15 minutes",
            "contributeurs d’OpenStreetMap, ODbL",
            "statuts comptés",
            str(shown.manifest["version"]),
        ):
            assert told in page.text
    assert "Aucun service connu de nous ici" in pages["dossier-W.html"].text


def test_english_pages_are_english(toy_coverage: Coverage, tmp_path: Path) -> None:
    pages = read(write_dossiers(toy_coverage, tmp_path, lang="en"))
    assert "No service known to us here" in pages["dossier-W.html"].text
    for page in pages.values():
        assert "\u202f" not in page.text
        assert "Residents are not the people concerned" in page.text
        assert not re.search(r"\b(habitants|aucun|zones)\b", page.text)


def test_hostile_names_stay_text(toy_study: Study, tmp_path: Path) -> None:
    pages = read(write_dossiers(hostile_coverage(toy_study), tmp_path))
    assert len(pages) == 3
    for name, page in pages.items():
        assert page.open == []
        assert len(page.all("script")) == (name == INDEX_NAME)
        assert all((img["src"] or "").startswith("data:image/png") for img in page.all("img"))
        assert not [a for _, a in page.tags if any(key.startswith("on") for key in a)]
        assert "54439" not in re.findall(r"\w+", page.text.replace("{{ 7 * 7777 }}", ""))
        assert "\u202e" not in page.text
        assert not re.search(r"\w{200}", page.text)
    east = pages["dossier-E.html"].text
    for text in HOSTILE[:4]:
        assert text in east
    assert "gnirts desrever" in east


@given(st.text(max_size=120), st.integers(5, 60))
def test_short_texts_are_short_and_printable(text: str, most: int) -> None:
    found = short(text, most)
    assert len(found) <= most
    assert found.replace("\u00a0", " ").isprintable() or found == ""
    assert "\u202e" not in found
