"""Watched figures, since last time, the mail: conditions by hand, the same figures everywhere."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.project import fewer
from helpers.runs import town_run
from quart_heure.errors import CategoryError, InputFileError
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier.dossier import write_dossiers
from quart_heure.outputs.report.report import render_report
from quart_heure.outputs.report.since import since_content
from quart_heure.outputs.report.watch import Alarm, alarms, read_condition
from quart_heure.outputs.results.read import Results, read_results
from quart_heure.outputs.runs.compare import Run
from quart_heure.study import Coverage, analyse


def indicators(**changes: float) -> pd.DataFrame:
    """Figures of a town by hand: two districts and the whole, one category."""
    values = {"": 40.0, "W": 30.0, "E": 50.0} | changes
    return pd.DataFrame(
        {
            "level": ["city", "district", "district"],
            "district_id": ["", "W", "E"],
            "label": ["Ville", "Ouest", "Est"],
            "category": "esi",
            "residents_covered_pct": [values[key] for key in ("", "W", "E")],
            "gaps": [3, 1, 2],
        }
    )


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("residents_covered_pct[esi] < 40", []),
        ("residents_covered_pct[esi] <= 40", ["Ville"]),
        ("covered_residents_pct[esi] < 40.01", ["Ville"]),
        ("residents_covered_pct[esi] < 40,01 %", ["Ville"]),
        ("residents_covered_pct[esi] > 40", []),
        ("residents_covered_pct [ esi ]>=40", ["Ville"]),
        ("residents_covered_pct[esi, W] < 31", ["Ouest"]),
        ("residents_covered_pct[esi, ouest] < 31", ["Ouest"]),
        ("residents_covered_pct[esi, *] < 60", ["Ouest", "Est"]),
        ("residents_covered_pct[esi,*] < 35", ["Ouest"]),
        ("gaps[esi] > 2", ["Ville"]),
    ],
)
def test_conditions_on_figures(text: str, places: list[str]) -> None:
    raised = alarms(indicators(), [read_condition(text)])
    assert [one.place for one in raised] == places


@pytest.mark.parametrize(
    ("text", "now", "met"),
    [
        ("residents_covered_pct[esi] fell by 1", 39.0, True),
        ("residents_covered_pct[esi] fell by 1", 39.01, False),
        ("residents_covered_pct[esi] fell by 1", 42.0, False),
        ("residents_covered_pct[esi] fell by 0", 40.0, False),
        ("residents_covered_pct[esi] fell by 0", 39.99, True),
        ("residents_covered_pct[esi] rose by 2", 42.0, True),
        ("residents_covered_pct[esi] rose by 2", 38.0, False),
        ("residents_covered_pct[esi] changed by 2", 38.0, True),
        ("residents_covered_pct[esi] changed by 2", 42.5, True),
        ("residents_covered_pct[esi] changed by 2", 41.0, False),
        ("residents_covered_pct[esi] fell by 1", math.nan, True),
        ("residents_covered_pct[esi] < 10", math.nan, True),
    ],
)
def test_conditions_against_an_earlier_run(text: str, now: float, met: bool) -> None:
    frame = indicators(**{"": now})
    assert bool(alarms(frame, [read_condition(text)], earlier=indicators())) is met


def test_an_alarm_says_both_figures() -> None:
    (one,) = alarms(
        indicators(E=44.5),
        [read_condition("residents_covered_pct[esi, E] fell by 5")],
        earlier=indicators(),
    )
    assert one == Alarm("residents_covered_pct[esi, E] fell by 5", "Est", 50.0, 44.5)
    assert str(one).endswith("(Est: 50 before, 44.5 now)")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("residents_covered_pct < 40", "not a condition"),
        ("residents_covered_pct[esi]", "not a condition"),
        ("residents_covered_pct[esi] fell 1", "not a condition"),
        ("residents_covered_pct[esi] < much", "not a condition"),
        ("residents_coverd_pct[esi] < 40", "residents_covered_pct"),
        ("label[esi] < 40", "no figure 'label'"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, match: str) -> None:
    with pytest.raises(InputFileError, match=match):
        read_condition(text)


def test_unknown_categories_districts_and_earlier_runs_are_refused() -> None:
    with pytest.raises(CategoryError, match="no category 'ESI'"):
        alarms(indicators(), [read_condition("gaps[ESI] > 1")])
    with pytest.raises(InputFileError, match="no district"):
        alarms(indicators(), [read_condition("gaps[esi, Nord] > 1")])
    with pytest.raises(InputFileError, match="--since"):
        alarms(indicators(), [read_condition("gaps[esi] rose by 1")])


# --- since last time -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return town_run(folder / "one"), town_run(folder / "two", ["services", "streets", "parameters"])


@pytest.fixture(scope="module")
def later(runs: tuple[Path, Path]) -> Results:
    return read_results(runs[1])


def test_since_last_time_has_the_figures_of_both_runs(
    runs: tuple[Path, Path], later: Results
) -> None:
    earlier = read_results(runs[0])
    categories = ["esi", "essential_all"]
    found = since_content(later, Run.read(runs[0]), categories=categories, lang="en")
    assert len(found["rows"]) == 3 * len(categories)
    for row in found["rows"]:
        for source, key in ((earlier, "before"), (later, "after")):
            table = source.indicators
            mine = (table["district_id"] == row["district_id"]) & (
                table["category"] == row["category"]
            )
            (figures,) = table[mine].to_dict("records")
            assert row[f"{key}_pct"] == figures["residents_covered_pct"]
            assert row[f"gaps_{key}"] == figures["gaps"]
        assert row["change_points"] == pytest.approx(row["after_pct"] - row["before_pct"])
    assert {one["name"] for one in found["services"]} == {"Service C2"}
    assert found["differs"] == ["Services", "Streets", "Settings"]


@pytest.mark.parametrize("lang", fewer(["fr", "en"], 1))
@pytest.mark.parametrize("form", ["table", "md", "html", "mail"])
def test_every_form_of_the_report_tells_what_has_changed(
    runs: tuple[Path, Path], later: Results, form: str, lang: str
) -> None:
    text = render_report(later, since=Run.read(runs[0]), format=form, lang=lang, width=140)
    plain = re.sub(r"\s+", " ", text)
    assert ("Depuis le" if lang == "fr" else "Since") in plain
    without = render_report(later, format=form, lang=lang, width=140)
    assert ("Depuis le" if lang == "fr" else "Since ") not in re.sub(r"\s+", " ", without)
    content = json.loads(render_report(later, since=Run.read(runs[0]), format="json", lang=lang))
    assert content["since"]["sentence"].split()[-1] in plain
    assert json.loads(render_report(later, format="json"))["since"] is None


def test_each_dossier_says_what_moved_most(
    runs: tuple[Path, Path], toy_coverage: Coverage, tmp_path: Path
) -> None:
    # What is published: with a private one, a run of another kind would not be compared.
    toy_coverage = analyse(toy_coverage.study.replace(private=False))
    pages = write_dossiers(toy_coverage, tmp_path, since=Run.read(runs[1]), lang="fr")
    told = [path.read_text(encoding="utf-8") for path in pages if "dossier-" in path.name]
    assert len(told) == 2
    earlier = read_results(runs[1]).indicators.set_index(["district_id", "category"])
    now = publishable(toy_coverage).indicators.set_index(["district_id", "category"])
    for district, page in zip(("E", "W"), told, strict=True):
        moved = now["residents_covered_pct"] - earlier["residents_covered_pct"]
        here = moved.loc[district].abs().sort_values()
        assert "part des habitants à portée" in page
        before = earlier.loc[(district, here.index[-1]), "residents_covered_pct"]
        assert f"de {before:.1f}".replace(".", ",") in page
    plain = write_dossiers(toy_coverage, tmp_path / "plain", lang="fr")
    assert "part des habitants à portée" not in plain[1].read_text(encoding="utf-8")


def test_a_mail_is_short_plain_and_begins_with_the_alarm(
    runs: tuple[Path, Path], later: Results
) -> None:
    raised = alarms(later.indicators, [read_condition("residents_covered_pct[esi] < 100")])
    text = render_report(later, alarms=raised, format="mail", lang="fr")
    first, *lines = text.splitlines()
    assert first.startswith("ALERTE (1)")
    assert all(len(line) <= 72 for line in lines)
    assert len(lines) < 40
    assert "<" not in text.replace("[esi] < 100", "")
    city = later.indicators.query("level == 'city' and category == 'esi'").iloc[0]
    assert f"{city['residents_covered_pct']:.1f}".replace(".", ",") in text
    calm = render_report(later, format="mail", lang="en").splitlines()
    assert not calm[0].startswith("ALERT")
