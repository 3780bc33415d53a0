"""Reports: the same figures in every format, readable by people, programs and screen readers."""

from __future__ import annotations

import collections.abc
import csv
import dataclasses
import html
import io
import itertools
import json
import re
import shutil
import typing
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import toy_town
from helpers.project import fewer
from helpers.town_week import town_week
from quart_heure import labels
from quart_heure.errors import CategoryError, InputFileError, OutputError
from quart_heure.labels import (
    category_label,
    format_minutes,
    format_number,
    format_pct,
    format_plain,
)
from quart_heure.outputs.assets import security_policy
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.report.content import report_content, resolve_districts
from quart_heure.outputs.report.report import REPORT_FORMATS, render_report, write_report
from quart_heure.outputs.report.structure import Report
from quart_heure.outputs.results.read import read_results
from quart_heure.outputs.results.write import write_results
from quart_heure.sources.problems import problem_table
from quart_heure.study import Coverage, Study, analyse

NARROW = "\u202f"
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "a|b | `code` *bold* [link](javascript:alert(1))",
    "[bold red]rich[/bold red] \x1b[31mansi",
    "\u202egnirts desrever",
    "{{ 7 * 7777 }} {% raw %}",
    "x" * 500,
)
VOID = frozenset({"meta", "link", "col", "br", "img"})


@pytest.fixture(scope="module")
def hostile(toy_study: Study) -> Coverage:
    """A town whose places, streets, districts and problems are named by somebody unkind."""
    table = toy_study.services.table.copy()
    rows = pd.concat([table.iloc[[0]]] * len(HOSTILE), ignore_index=True)
    rows["service_id"] = [f"H{n}" for n in range(len(HOSTILE))]
    rows["name"] = rows["address"] = rows["source"] = list(HOSTILE)
    problems = problem_table(
        {"file": text, "row": 1, "field": "f", "value": text, "reason": text, "action": "left out"}
        for text in HOSTILE
    )
    services = dataclasses.replace(
        toy_study.services, table=pd.concat([table, rows], ignore_index=True), problems=problems
    )
    districts = toy_study.area.districts.assign(label=list(HOSTILE[:2]))
    area = dataclasses.replace(toy_study.area, districts=districts, name=HOSTILE[0])
    coverage = analyse(toy_study.replace(services=services, area=area))
    gaps = coverage.gaps.copy()
    gaps["street"] = [HOSTILE[n % len(HOSTILE)] for n in range(len(gaps))]
    parts = coverage.gap_parts.copy()
    parts["street"] = [HOSTILE[n % len(HOSTILE)] for n in range(len(parts))]
    return dataclasses.replace(coverage, gaps=gaps, gap_parts=parts)


class Page(HTMLParser):
    """The structure of a page: tags with their attributes, text, and whether they are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "script"}:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def json_report(coverage: Coverage, **options: Any) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(render_report(coverage, format="json", **options))
    return report


def misfits(value: object, kind: Any, path: str = "") -> list[str]:
    """List where a value is not of a declared kind: keys, and values as deep as they go."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return []
    if typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind)
        keys = set(value) if isinstance(value, dict) else set()
        extras = typing.get_type_hints(kind, include_extras=True)
        optional = {k for k, v in extras.items() if typing.get_origin(v) is typing.NotRequired}
        needed = hints.keys() - optional if kind.__total__ else set()
        wrong = [f"{path}.{key} is missing" for key in needed - keys]
        wrong += [f"{path}.{key} is not declared" for key in keys - hints.keys()]
        parts = [(value[key], hints[key], f"{path}.{key}") for key in keys & hints.keys()]  # type: ignore[index]
    elif origin in (list, collections.abc.Sequence):
        wrong = [] if isinstance(value, list) else [f"{path} is no list"]
        parts = [(one, inner[0], f"{path}[]") for one in value]  # type: ignore[attr-defined]
    elif origin is dict:
        wrong = [] if isinstance(value, dict) else [f"{path} is no dict"]
        parts = [(one, inner[1], f"{path}[{key}]") for key, one in value.items()]  # type: ignore[attr-defined]
    elif origin is typing.Literal:
        return [] if value in inner else [f"{path} is {value!r}"]
    elif inner:  # one of several
        found = [misfits(value, each, path) for each in inner]
        return [] if [] in found else found[0]
    else:
        plain = type(value) is kind or (kind is float and type(value) is int)
        plain |= kind is type(None) and value is None
        return [] if plain else [f"{path} is {type(value).__name__}, not {kind.__name__}"]
    return wrong + [each for part in parts for each in misfits(*part)]


# --- the figures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", fewer(labels.LANGUAGES, 1))
def test_a_report_has_the_structure_that_is_declared(
    toy_coverage: Coverage, toy_study: Study, asked_coverage: Coverage, tmp_path: Path, lang: str
) -> None:
    bare = toy_study.replace(residents=None, categories=("centre_social",))
    coverages = [toy_coverage, asked_coverage, town_week(), analyse(bare)]
    for at, coverage in enumerate(coverages):
        write_results(coverage, tmp_path / str(at))
        for source in (coverage, read_results(tmp_path / str(at))):
            for districts in ((), ("Est",)):
                report = report_content(source, districts=districts, lang=lang)
                assert misfits(report, Report) == []
    told = {**report, "area": 1, "more": 2, "limits": [None]}
    del told["city"]
    assert sorted(misfits(told, Report)) == [
        ".area is int, not str",
        ".city is missing",
        ".limits[] is NoneType, not str",
        ".more is not declared",
    ]


def test_csv_is_the_table_of_indicators(toy_coverage: Coverage) -> None:
    rows = list(csv.DictReader(io.StringIO(render_report(toy_coverage, format="csv"))))
    assert len(rows) == len(toy_coverage.indicators)
    keys = ["district_id", "category"]
    expected = toy_coverage.indicators.set_index(keys)
    for row in rows:
        source = expected.loc[(row["district_id"], row["category"])]
        assert float(row["covered_pct"]) == pytest.approx(source["covered_pct"], abs=0.005)
        assert float(row["covered_ha"]) == pytest.approx(source["covered_ha"], abs=0.00005)
        assert int(row["gaps"]) == source["gaps"]


def test_json_has_every_district_category_and_gap(toy_coverage: Coverage) -> None:
    report = json_report(toy_coverage)
    assert report["format"] == "quart-heure-report/1"
    ids = [category["id"] for category in report["categories"]]
    assert ids == [*toy_coverage.study.categories, "essential_all", "essential_any"]
    gaps: Counter[str] = Counter()
    for district in report["districts"]:
        assert [row["category"] for row in district["indicators"]] == ids
        for row in district["indicators"]:
            mine = [gap for gap in district["gaps"] if gap["category"] == row["category"]]
            assert len(mine) == row["gaps_touching"]
            parts = ("covered_pct", "borderline_uncovered_pct", "uncovered_pct")
            assert sum(row[part] for part in parts) == pytest.approx(100, abs=0.02)
        gaps.update(gap["gap_id"] for gap in district["gaps"])
    assert set(gaps) == set(toy_coverage.gaps["gap_id"])
    for gap in toy_coverage.gaps.itertuples():
        assert gaps[gap.gap_id] == len(gap.districts.split(";"))
        parts = [
            listed["here"]
            for district in report["districts"]
            for listed in district["gaps"]
            if listed["gap_id"] == gap.gap_id
        ]
        assert sum(part["area_ha"] for part in parts) == pytest.approx(gap.area_ha)
        people = sum(part["residents"] for part in parts)
        assert people == pytest.approx(gap.residents, abs=0.1)


def test_no_service_is_lost(toy_coverage: Coverage) -> None:
    services = json_report(toy_coverage)["services"]
    for row in services["by_category"]:
        here = toy_coverage.services["category"] == row["category"]
        assert row["known"] == here.sum()
        assert row["counted"] == (here & toy_coverage.services["counted"]).sum()
        assert row["known"] == row["counted"] + row["left_out"]
        assert sum(row["reasons"].values()) == row["left_out"]
    assert len(services["list"]) + services["withheld"] == len(toy_coverage.services)
    assert all(row["counted"] or row["left_out_reason"] for row in services["list"])


def test_the_headline_counts_people(toy_coverage: Coverage) -> None:
    summary = json_report(toy_coverage)["summary"]
    city = toy_coverage.composite.query("level == 'city'").set_index("essentials_within")
    assert summary["by"] == "residents"
    assert summary["none"] == pytest.approx(city.loc[0, "residents"], abs=0.05)
    assert summary["all"] == pytest.approx(city.loc[3, "residents"], abs=0.05)
    assert summary["total"] == pytest.approx(city["residents"].sum(), abs=0.05)
    assert summary["sentence"].startswith(
        f"{format_pct(summary['none_pct'], 'fr')} des habitants ({NARROW.join(['1', '059'])} sur"
    )


@pytest.mark.parametrize("format_", REPORT_FORMATS)
@pytest.mark.parametrize("lang", fewer(["fr", "en"], 1))
def test_a_result_folder_tells_what_its_coverage_told(
    toy_coverage: Coverage, tmp_path: Path, format_: Any, lang: str
) -> None:
    write_results(toy_coverage, tmp_path)
    told = render_report(toy_coverage, format=format_, lang=lang)
    assert render_report(read_results(tmp_path), format=format_, lang=lang) == told


def test_nobody_lives_there_and_nothing_is_known(toy_study: Study) -> None:
    study = toy_study.replace(residents=None, categories=("centre_social",))
    coverage = analyse(study)
    report = json_report(coverage)
    assert report["summary"] == {}
    assert report["city"][0]["residents"] is None
    assert report["city"][0]["minutes_median"] is None
    for format_ in REPORT_FORMATS:
        text = render_report(coverage, format=format_)
        assert "nan" not in re.findall(r"\w+", text)
        assert "inf" not in re.findall(r"\w+", text)
        assert "hors d’atteinte" not in text  # where there is none, nobody knows
    assert "Non jugé, faute d’un seul lieu connu de nous\u00a0: Centres sociaux." in (
        render_report(coverage, format="md")
    )
    # That its places do not count is known: nobody reaches one.
    none_counts = analyse(study.replace(judged=("centre_social",)))
    assert json_report(none_counts)["city"][0]["minutes_median"] is None
    assert "hors d’atteinte" in render_report(none_counts, format="md")
    for told in (coverage, none_counts):
        assert "Aucun service connu de nous ici\u00a0: Centres sociaux." in (
            render_report(told, districts=["Est"], width=120)
        )


# --- what is asked for ---------------------------------------------------------------------------


def test_no_district_is_said_to_lack_what_is_hidden(tmp_path: Path) -> None:
    # The town has one bagagerie, a discreet place in the west; its public point is there too.
    coverage = analyse(toy_town.town_study(private=False))
    report = json_report(coverage)
    assert report["anchored"] == ["bagagerie"]
    counts = {}
    for district in report["districts"]:
        rows = {row["category"]: row["services_inside"] for row in district["indicators"]}
        counts[district["district_id"]] = rows["bagagerie"]
        assert "bagagerie" not in district["none_known"]
    assert counts == {"E": 0, "W": 1}
    hidden = {row["category"]: row["not_shown"] for row in report["services"]["by_category"]}
    assert (hidden["bagagerie"], hidden["esi"]) == (1, 0)
    write_results(coverage, tmp_path)
    assert report_content(read_results(tmp_path))["anchored"] == ["bagagerie"]
    said = "Bagageries\u00a0: les lieux discrets comptent depuis un point public de leur zone"
    for form in ("html", "md"):
        assert render_report(coverage, format=form).count(said) == 1
        assert "NE PAS DIFFUSER" not in render_report(coverage, format=form)
    terminal = " ".join(render_report(coverage, districts=["Ouest"]).split())
    assert said.replace("\u00a0", " ") in terminal


def test_private_figures_are_marked_in_every_form(toy_coverage: Coverage, tmp_path: Path) -> None:
    write_results(toy_coverage, tmp_path)
    for source in (toy_coverage, read_results(tmp_path)):
        assert report_content(source)["anchored"] == []
        for lang, words in (("fr", "NE PAS DIFFUSER"), ("en", "NOT TO BE PASSED ON")):
            for form in ("html", "md", "table"):
                assert words in render_report(source, format=form, lang=lang), form
    assert json_report(toy_coverage)["parameters"]["private"] is True


def test_nothing_is_said_of_discreet_places_where_there_are_none(toy_study: Study) -> None:
    table = toy_study.services.table.assign(discreet=False)
    coverage = analyse(
        toy_study.replace(services=dataclasses.replace(toy_study.services, table=table))
    )
    report = json_report(coverage)
    assert report["anchored"] == []
    text = render_report(coverage, format="html")
    assert "point public" not in text.partition("</h2>")[0]


def test_places_on_which_nobody_depends_are_not_the_most_needed(
    toy_coverage: Coverage, tmp_path: Path
) -> None:
    write_results(toy_coverage, tmp_path)
    results = read_results(tmp_path)
    template = results.dependence.iloc[0]
    figures = {  # hectares and residents without any other place, by name
        "many": (2.0, 300.0),
        "nobody lives there": (9.0, 0.0),
        "nothing there": (0.0, 0.0),
        "few": (40.0, 20.0),
    }
    rows = [
        {**template, "service_id": f"S{at}", "name": name, "ha_only_here": ha,
         "residents_only_here": residents}
        for at, (name, (ha, residents)) in enumerate(figures.items())
    ]  # fmt: skip
    table = pd.DataFrame(rows).assign(rank=range(1, len(rows) + 1))
    for counted, names in (
        (table, ["many", "few", "nobody lives there"]),
        (table.assign(residents_only_here=np.nan), ["few", "nobody lives there", "many"]),
    ):
        source = dataclasses.replace(results, dependence=counted)
        told = report_content(source)["fragility"]["services"]
        assert [row["name"] for row in told] == names
        for format_ in ("md", "html"):
            text = render_report(source, format=format_)
            assert "few" in text
            assert "nothing there" not in text


def test_a_closed_place_is_a_place_that_is_known(toy_coverage: Coverage) -> None:
    services = toy_coverage.services
    left_out = services[services["inside"] & ~services["counted"]]
    assert len(left_out) > 0
    for district in json_report(toy_coverage)["districts"]:
        here = left_out[left_out["district_id"] == district["district_id"]]
        assert not set(here["category"]) & set(district["none_known"])


def test_capacities_are_those_of_the_districts_asked_for(toy_coverage: Coverage) -> None:
    rows = pd.DataFrame(
        {
            "level": ["district", "district", "city"],
            "district_id": ["E", "W", ""],
            "label": ["Est", "Ouest", "Petite Ville"],
            **{"category": "esi", "capacity_unit": "places", "decay": "none"},
            "per_1000": [1.25, 2.5, 3.75],
            **{"capacity": 10.0, "services_known": 1, "services_unknown": 0, "unknown_pct": 0.0},
        }
    )
    coverage = dataclasses.replace(publishable(toy_coverage))
    coverage.__dict__["capacity"] = rows
    assert [row["label"] for row in json_report(coverage)["capacity"]] == ["Petite Ville"]
    asked = json_report(coverage, districts=["Ouest"])["capacity"]
    assert [(row["label"], row["per_1000"]) for row in asked] == [("Ouest", 2.5)]
    both = render_report(coverage, format="md", districts=["Ouest", "Est"])
    told = [line.split(" | ")[0] for line in both.splitlines() if "| places |" in line]
    assert told == ["| Ouest", "| Est"]
    html_text = render_report(coverage, format="html", districts=["Est"])
    assert re.search(r'<th scope="row" dir="auto">Est</th>\s*<td[^>]*>[^<]*ESI', html_text)
    assert "3,75" not in html_text
    assert "1,25" in render_report(coverage, districts=["Est"])


def test_one_district_is_reported_alone(toy_coverage: Coverage) -> None:
    report = json_report(toy_coverage, districts=["ouest"])
    assert [district["district_id"] for district in report["districts"]] == ["W"]
    assert all(row["district_id"] == "W" for row in report["services"]["list"])
    rows = csv.DictReader(io.StringIO(render_report(toy_coverage, districts=["W"], format="csv")))
    assert {row["district_id"] for row in rows} == {"W"}
    office = render_report(toy_coverage, districts=["W"], format="office")
    assert office.startswith("\ufefflevel;district_id;")
    assert len(office.splitlines()) == len(
        render_report(toy_coverage, districts=["W"], format="csv").splitlines()
    )
    for format_ in REPORT_FORMATS:
        assert render_report(toy_coverage, districts=["W"], format=format_)


@pytest.fixture
def arrondissements() -> pd.DataFrame:
    numbers = range(1, 21)
    return pd.DataFrame(
        {
            "level": "district",
            "district_id": [f"751{n:02}" for n in numbers],
            "label": ["1er" if n == 1 else f"{n}e" for n in numbers],
        }
    )


@pytest.mark.parametrize(
    "name", ["13", "13e", "13E", " 13ème ", "13eme", "75113", "Paris 13", "13e arrondissement"]
)
def test_an_arrondissement_has_many_names(arrondissements: pd.DataFrame, name: str) -> None:
    assert resolve_districts(arrondissements, [name]) == ["75113"]


def test_the_first_and_all_and_twice_the_same(arrondissements: pd.DataFrame) -> None:
    assert resolve_districts(arrondissements, ["1", "1er", "01", "75101"]) == ["75101"]
    assert len(resolve_districts(arrondissements, [])) == 20


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        *(("21", "Districts are 1er, 2e, "), ("75121", "Districts are 1er, 2e, ")),
        *(("Lyon", "1er, 2e"), ("ler", "Did you mean '1er'?"), ("", "Districts")),
    ],
)
def test_an_unknown_district_is_said(arrondissements: pd.DataFrame, name: str, hint: str) -> None:
    with pytest.raises(InputFileError, match="There is no district") as caught:
        resolve_districts(arrondissements, [name])
    assert hint in caught.value.hint


def test_an_unknown_category_is_said(toy_coverage: Coverage) -> None:
    with pytest.raises(CategoryError, match="bagagerie"):
        render_report(toy_coverage, categories=["bagageries"])


def test_categories_and_composites_can_be_chosen(toy_coverage: Coverage) -> None:
    report = json_report(toy_coverage, categories=["esi", "essential_all"])
    assert [category["id"] for category in report["categories"]] == ["esi", "essential_all"]
    assert {gap["category"] for d in report["districts"] for gap in d["gaps"]} == {
        "esi",
        "essential_all",
    }
    for format_ in REPORT_FORMATS:
        assert "Bagageries" not in render_report(toy_coverage, categories=["esi"], format=format_)


@pytest.mark.parametrize("options", [{"format": "pdf"}, {"lang": "de"}])
def test_unknown_formats_and_languages_are_said(
    toy_coverage: Coverage, options: dict[str, Any]
) -> None:
    with pytest.raises(OutputError, match="There is no report"):
        render_report(toy_coverage, **options)


def test_a_report_is_written_whole_or_not_at_all(toy_coverage: Coverage, tmp_path: Path) -> None:
    path = tmp_path / "new" / "rapport.md"
    write_report(render_report(toy_coverage, format="md"), path)
    assert path.read_text(encoding="utf-8").startswith("# Petite Ville")
    with pytest.raises(OutputError, match="cannot be written"):
        write_report("", path / "below.md")
    assert [each.name for each in path.parent.iterdir()] == ["rapport.md"]


# --- for people ----------------------------------------------------------------------------------


def test_a_report_says_how_far_it_can_be_trusted(toy_coverage: Coverage) -> None:
    study = toy_coverage.study
    source = {
        "role": "services",
        "file": "lieux.csv",
        "sha256": "0" * 64,
        "date": "2026-01-02",
        "source": "Ville de Paris",
        "licence": "ODbL",
    }
    manifest = {
        **toy_coverage.manifest,
        "inputs": [source],
        "osm_date": "2021-08-06",
        "attribution": ["© les contributeurs d’OpenStreetMap (ODbL)"],
    }
    coverage = dataclasses.replace(toy_coverage, manifest=manifest)
    for format_, unescape in (("md", str), ("html", html.unescape)):
        text = unescape(render_report(coverage, format=format_))
        for told in (
            "6 août 2021",
            "4,5 km/h",
            "15 minutes",
            "connus de nous",
            "2 janvier 2026",
            "Ville de Paris",
            "© les contributeurs d’OpenStreetMap (ODbL)",
            "Zone blanche",
            f"à {format_plain(study.snap_m, 'fr')} m au plus",
            "Les habitants ne sont pas les personnes concernées",
            toy_coverage.manifest["version"],
        ):
            assert told in text, (format_, told)


def test_the_page_is_built_for_everyone(toy_coverage: Coverage) -> None:
    for lang in ("fr", "en"):
        page = Page(render_report(toy_coverage, format="html", lang=lang))
        assert page.open == []
        assert page.all("html") == [{"lang": lang}]
        assert len(page.all("title")) == len(page.all("h1")) == len(page.all("main")) == 1
        assert len(page.all("caption")) == len(page.all("table")) > 0
        assert all(cell.get("scope") for cell in page.all("th"))
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        links = [link["href"] or "" for link in page.all("a")]
        assert links
        assert {link.removeprefix("#") for link in links} <= set(ids)


def test_the_page_needs_nothing_from_elsewhere(toy_coverage: Coverage) -> None:
    text = render_report(toy_coverage, format="html")
    page = Page(text)
    assert page.all("script") == [{}]  # its own: the policy lets no other run
    code = text.partition("<script>")[2].partition("</script>")[0]
    style = text.partition("<style>")[2].partition("</style>")[0]
    policy = security_policy(styles=[style], scripts=[code])
    assert policy in [meta.get("content") for meta in page.all("meta")]
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", text)
    assert not re.search(r"@import|url\(", text)
    assert len(text) < 100_000


def test_english_numbers_and_words(toy_coverage: Coverage) -> None:
    text = render_report(toy_coverage, format="md", lang="en")
    assert "1,059" in text
    assert "Public baths" in text
    assert "discreet place" in text
    assert NARROW not in text
    french = render_report(toy_coverage, format="md", lang="fr")
    assert f"1{NARROW}059" in french
    assert "lieu discret" in french


# --- a terminal ----------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 100, 132, 200])
@pytest.mark.parametrize("districts", [(), ("W",)])
def test_lines_fit_the_terminal(
    toy_coverage: Coverage, width: int, districts: tuple[str, ...]
) -> None:
    text = render_report(toy_coverage, width=width, districts=districts)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
    if width >= 80:
        for told in ("Bains-douches", "Bagageries", "66,4" if not districts else "58,8"):
            assert told in text
        assert "…" not in text


def test_colours_are_asked_for(toy_coverage: Coverage) -> None:
    assert "\x1b[1m" in render_report(toy_coverage, colour=True)


# --- hostile text --------------------------------------------------------------------------------


def test_hostile_names_stay_text_in_the_page(hostile: Coverage) -> None:
    text = render_report(hostile, format="html")
    page = Page(text)
    assert page.open == []
    assert page.all("script") == [{}]
    assert not page.all("img")
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]
    for name in HOSTILE[:3]:
        assert name in page.text
    assert "54439" not in re.findall(r"\w+", page.text.replace("{{ 7 * 7777 }}", ""))
    assert "{{ 7 * 7777 }}" in page.text
    assert "\u202e" not in text


def test_hostile_names_stay_in_their_cell(hostile: Coverage) -> None:
    text = render_report(hostile, format="md")
    assert "<img" not in text
    assert "\x1b" not in text
    assert not re.search(r"(?<!\\)\]\(javascript", text)
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
        bars = [len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()]
        assert len(set(bars)) == 1


def test_hostile_names_do_not_colour_the_terminal(hostile: Coverage) -> None:
    for options in ({}, {"districts": [HOSTILE[1]]}):
        text = render_report(hostile, width=120, **options)  # type: ignore[arg-type]
        assert "\x1b" not in text
        assert max(map(len, text.splitlines())) <= 120


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["fr", "en"]))
def test_any_number_is_written(value: float, lang: str) -> None:
    for write in (format_number, format_pct, format_minutes):
        text = write(value, lang)
        assert text
        assert "nan" not in text
        assert text != "-0"
        if np.isfinite(value) and abs(value) < 1e15:
            bare = text.replace("%", "").replace(NARROW, "")
            bare = bare.replace(",", "." if lang == "fr" else "")
            assert float(bare) == pytest.approx(value, abs=0.5)


def test_labels_of_categories(toy_coverage: Coverage) -> None:
    catalogue = toy_coverage.study.catalogue
    assert category_label("esi", "en", catalogue) == "Day centres of the city (ESI)"
    assert category_label("essential_all", "fr", catalogue) == "Tous les essentiels"
    assert category_label("of_my_own", "fr", catalogue) == "of_my_own"


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium on this system")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", fewer([390, 1440], 1))
def test_the_page_in_a_browser(
    hostile: Coverage, toy_coverage: Coverage, browser: Any, tmp_path: Path, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - browser tests only

    path = tmp_path / "report.html"
    for coverage in (toy_coverage, hostile):
        path.write_text(render_report(coverage, format="html"), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900}, bypass_csp=True)
        heard = listen(page)
        page.goto(path.as_uri())
        assert heard == [path.as_uri()]
        # Tables scroll in their frames, the page itself does not.
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert not [v["id"] for v in found if v["impact"] in {"serious", "critical"}]
        page.close()


@pytest.mark.browser
def test_districts_fold_and_open_when_they_are_asked_for(
    toy_coverage: Coverage, browser: Any, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(render_report(toy_coverage, format="html"), encoding="utf-8")
    folds = "[...document.querySelectorAll('.district > details')].map((fold) => fold.open)"
    page = browser.new_page()
    heard = listen(page)
    page.goto(path.as_uri())
    assert page.evaluate(folds) == [True, False]
    page.locator(".district > details > summary").nth(1).press("Enter")
    assert page.evaluate(folds) == [True, True]
    page.locator(".district > details > summary").nth(1).press("Enter")
    link = page.locator('nav a[href="#d-W"]')
    for _ in range(2):  # the second time the address stays the same
        link.click()
        assert page.evaluate(folds) == [True, True]
        assert page.evaluate("scrollY") > 0
        page.evaluate("document.querySelectorAll('.district > details')[1].open = false")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(folds) == [True, True]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(folds) == [True, False]
    gap = page.locator("tr[id^='g-W-']").first.get_attribute("id")
    page.goto(f"{path.as_uri()}#{gap}")
    assert page.evaluate(folds) == [True, True]
    assert heard == [path.as_uri()]
    page.close()
    silent = browser.new_page(java_script_enabled=False)
    silent.goto(path.as_uri())
    assert silent.locator("#d-W table").first.is_visible()
    silent.close()


def listen(page: Any) -> list[str]:
    """Collect what a page says, breaks and asks for."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url))
    return heard


@pytest.mark.parametrize(
    ("text", "french"),
    [
        ("not understood: Sa 'sur RDV'", "non compris\u00a0: Sa 'sur RDV'"),
        ("the same place as row 3 of a b.csv", "même lieu que la ligne 3 de a b.csv"),
        ("less than 30 m from row 3 of {x}.csv", "à moins de 30 m de la ligne 3 de {x}.csv"),
        ("more than 1238 m outside the area", "à plus de 1238 m hors du périmètre"),
        ("renamed esi-2", "renommé esi-2"),
        ("an hour without its end", "une heure sans sa fin"),
        ("mended", "réparé"),
        ("what nobody foresaw", "what nobody foresaw"),
    ],
)
def test_problems_are_told_in_french_with_their_values(text: str, french: str) -> None:
    assert labels.problem_words(text, "fr") == french
    assert labels.problem_words(text, "en") == text
