"""A category without any known place: not judged in any table or page, and said so."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.town_week import STARTS, town_week
from quart_heure.analysis.audience import PERSONS
from quart_heure.categories import with_essentials
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier.dossier import write_dossiers
from quart_heure.outputs.publication.publish import write_publication
from quart_heure.outputs.report.content import report_content
from quart_heure.outputs.report.report import REPORT_FORMATS, render_report
from quart_heure.outputs.results.read import read_results
from quart_heure.outputs.results.write import write_results
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.scenario import Add, Scenario
from quart_heure.study.what_if import what_if

UNKNOWN = "restaurant_solidaire"
"""Essential, and the toy town knows none."""


@pytest.fixture(scope="module")
def lacking(toy_study: Study) -> Coverage:
    return analyse(toy_study.replace(categories=(UNKNOWN, *toy_study.categories)))


def test_it_has_no_figures_and_no_gaps(lacking: Coverage, toy_coverage: Coverage) -> None:
    assert lacking.study.unjudged == (UNKNOWN,)
    rows = lacking.indicators[lacking.indicators["category"] == UNKNOWN]
    assert len(rows) == 3
    assert (
        rows[["covered_pct", "residents_covered", "minutes_median", "gaps"]].isna().all(axis=None)
    )
    assert rows["services_inside"].eq(0).all()
    assert UNKNOWN not in set(lacking.gaps["category"])
    for table in (lacking.accuracy, lacking.freshness, lacking.fragility):
        mine = table[table["category"] == UNKNOWN]
        shares = [name for name in mine.columns if name.endswith("_pct")]
        assert mine[shares].isna().all(axis=None)
    # The others, and what is of all essentials, are as if it had not been asked about.
    others = lacking.indicators[lacking.indicators["category"] != UNKNOWN]
    pd.testing.assert_frame_equal(
        others.reset_index(drop=True), toy_coverage.indicators, check_dtype=False
    )
    pd.testing.assert_frame_equal(lacking.composite, toy_coverage.composite)


def test_an_hour_of_it_is_not_known_either(toy_study: Study) -> None:
    study = town_week().study
    week = analyse(study.replace(categories=(*study.categories, UNKNOWN))).week
    assert week is not None
    shares = week.table.loc[week.table["category"] == UNKNOWN, "residents_at_most_pct"]
    assert len(shares) > 0
    assert shares.isna().all()


def test_files_and_pages_say_so(lacking: Coverage, tmp_path: Path) -> None:
    coverage = publishable(lacking)
    write_results(coverage, tmp_path / "results")
    read = read_results(tmp_path / "results")
    for source in (coverage, read):
        content = report_content(source, lang="fr")
        assert any("Restaurants solidaires" in limit for limit in content["limits"])
        html = render_report(source, format="html", lang="fr")
        assert "Non jugé, faute d’un seul lieu connu de nous" in html
    pages = write_dossiers(coverage, tmp_path / "dossiers")
    pages += [p for p in write_publication(coverage, tmp_path / "site") if p.suffix == ".html"]
    for page in pages:
        if page.name == "map.html":
            continue  # its scripts have words of their own
        assert not re.search(r"\bnan\b|\bNone\b", page.read_text(encoding="utf-8"))


def test_places_that_close_or_open_in_a_scenario(toy_study: Study, lacking: Coverage) -> None:
    # The only baths close: that nobody has any is known.
    shut = what_if(lacking, [Scenario(name="shut", close=("Service A1", "Service A2"))])[0]
    changes = shut.changes.query("category == 'bains_douches' and level == 'city'").iloc[0]
    assert changes["residents_covered_after"] == 0
    assert "bains_douches" in shut.study.essentials
    # The first restaurant opens: it is judged, and composites are still of the same.
    add = Add(category=UNKNOWN, lon=2.329, lat=48.84)
    opened = what_if(lacking, [Scenario(name="first", add=(add,))])[0]
    changes = opened.changes.query("category == @UNKNOWN and level == 'city'").iloc[0]
    assert changes["residents_gained"] > 0
    assert opened.study.unjudged == ()
    assert opened.study.essentials == lacking.study.essentials
    known = opened.coverage.city.set_index("category").at[UNKNOWN, "residents_covered"]
    assert known == pytest.approx(changes["residents_gained"])


def test_essentials_are_those_that_the_study_names(toy_study: Study) -> None:
    named = with_essentials(toy_study.catalogue, ["esi"])
    study = toy_study.replace(catalogue=named)
    assert study.essentials == ("esi",)
    assert not np.any([one.essential for name, one in named.items() if name != "esi"])
    assert dataclasses.replace(study).essentials == ("esi",)


def test_who_has_none_is_not_known_where_nothing_is_judged(
    toy_study: Study, tmp_path: Path
) -> None:
    coverage = publishable(analyse(toy_study.replace(categories=(UNKNOWN,))))
    assert coverage.study.essentials == ()
    assert set(coverage.composite["essentials_within"]) == {0}
    figures = coverage.composite[["area_ha", "area_pct", "residents", "residents_pct"]]
    assert figures.isna().all(axis=None)
    write_results(coverage, tmp_path / "results")
    said = {"fr": "Aucun service essentiel n’est jugé", "en": "No essential service is judged"}
    for source in (coverage, read_results(tmp_path / "results")):
        for lang, sentence in said.items():
            content = report_content(source, lang=lang)
            assert content["composite"] == []
            assert all(district["composite"] == [] for district in content["districts"])
            assert content["summary"]["sentence"].startswith(sentence)
            for form in REPORT_FORMATS:
                text = render_report(source, format=form, lang=lang)
                if form not in {"csv", "office", "json"}:
                    assert sentence in " ".join(text.split()), form
    pages = write_dossiers(coverage, tmp_path / "dossiers")
    pages += [p for p in write_publication(coverage, tmp_path / "site") if p.suffix == ".html"]
    index = (tmp_path / "dossiers" / "index.html").read_text(encoding="utf-8")
    assert said["fr"] in index
    for page in pages:
        if page.name != "map.html":  # its scripts have words of their own
            assert not re.search(r"\bnan\b|\bNone\b", page.read_text(encoding="utf-8")), page


def test_one_essential_service_is_told_in_the_singular(toy_study: Study, tmp_path: Path) -> None:
    one = with_essentials(toy_study.catalogue, ["esi"])
    study = toy_study.replace(catalogue=one)
    timed = town_week().study.replace(catalogue=one, at=STARTS[10])
    person = study.replace(person=PERSONS["woman_with_child"])
    for asked in (study, study.replace(residents=None), timed, person):
        coverage = publishable(analyse(asked))
        for lang, plural in (("fr", "services essentiels"), ("en", "essential services")):
            content = report_content(coverage, lang=lang)
            told = [content["summary"]["sentence"], *map(str, content["facts"].values())]
            assert not [text for text in told if f"1 {plural}" in text]
            only = {"fr": "l’unique service essentiel jugé", "en": "the one essential service"}
            assert only[lang] in told[0]
    coverage = publishable(analyse(study))
    pages = write_dossiers(coverage, tmp_path / "dossiers")
    pages += [p for p in write_publication(coverage, tmp_path / "site") if p.suffix == ".html"]
    texts = {page.name: page.read_text(encoding="utf-8") for page in pages}
    wrong = re.compile(r"\b1 (services|essentiels|sites|fenêtres|autres)\b|[Ll]es 1\b|des 1\b")
    for name, text in texts.items():
        if name != "map.html":
            assert not wrong.search(text.replace("\u00a0", " ").replace("\u202f", " ")), name
    assert any("unique service essentiel jugé" in text for text in texts.values())
