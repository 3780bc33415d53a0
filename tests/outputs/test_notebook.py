"""What a notebook asks in a line: the same from a coverage and from results read back."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from python_calamine import CalamineWorkbook
from shapely import Point

from helpers import hostile, toy_town
from helpers.town_week import town_week
from quart_heure import Coverage, analyse, read_results, write_results
from quart_heure.errors import (
    CategoryError,
    GeometryError,
    InputFileError,
    OutputError,
    StudyFileError,
)
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.results.read import Results

mpl.use("Agg")


def _degrees(x: float, y: float) -> tuple[float, float]:
    at = gpd.GeoSeries([Point(toy_town.ORIGIN[0] + x, toy_town.ORIGIN[1] + y)], crs=toy_town.CRS)
    point = at.to_crs(4326).iloc[0]
    return point.x, point.y


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    source = {"role": "services", "file": "x.csv", "sha256": "0", "attribution": "© Petite Ville"}
    return analyse(toy_town.town_study(provenance=(source,)))


@pytest.fixture(scope="module")
def results(coverage: Coverage, tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("results")
    write_results(coverage, str(folder))
    return read_results(str(folder))


def test_minutes_at_a_place_are_those_of_its_cell(coverage: Coverage, results: Results) -> None:
    cell = coverage.cells[coverage.cells["on_network"]].iloc[7]
    lon, lat = _degrees(*(cell[["x_m", "y_m"]].to_numpy(dtype=float) - toy_town.ORIGIN + 3))
    told = coverage.minutes_at(lon, lat)
    assert list(told.index) == list(toy_town.CATEGORIES)
    for category in toy_town.CATEGORIES:
        assert told.loc[category, "minutes"] == cell[f"minutes_{category}"]
        assert told.loc[category, "status"] == cell[f"status_{category}"]
    read = results.minutes_at(lon, lat)
    assert np.allclose(read["minutes"], told["minutes"], atol=0.01)
    assert list(read["status"]) == list(told["status"])


def test_a_place_elsewhere_has_no_minutes(coverage: Coverage) -> None:
    with pytest.raises(GeometryError, match="outside"):
        coverage.minutes_at(*_degrees(-5000, 0))
    with pytest.raises(GeometryError, match="no place"):
        coverage.minutes_at(float("inf"), 0)


def test_gaps_of_a_district_are_its_parts_of_them(coverage: Coverage, results: Results) -> None:
    for district in coverage.study.area.districts.itertuples():
        parts = coverage.gaps_of(district.label)
        rows = coverage.gap_parts[coverage.gap_parts["district_id"] == district.district_id]
        assert sorted(parts["gap_id"]) == sorted(rows["gap_id"])
        assert parts["residents"].sum() == pytest.approx(rows["residents"].sum())
        assert parts.geometry.within(district.geometry.buffer(0.01)).all()
        assert list(results.gaps_of(district.district_id)["gap_id"]) == list(parts["gap_id"])
    with pytest.raises(InputFileError, match="no district"):
        coverage.gaps_of("elsewhere")


def test_a_comparison_tells_what_a_service_more_changes(
    coverage: Coverage, results: Results
) -> None:
    assert coverage.compare(results).empty
    assert results.compare(coverage).empty
    more = coverage.study.with_service("bains_douches", *_degrees(400, 1500), name="Neuf")
    changed = coverage.compare(analyse(more))
    assert set(changed["category"]) <= {"bains_douches", "essential_all", "essential_any"}
    share = changed[
        (changed["level"] == "city")
        & (changed["category"] == "bains_douches")
        & (changed["measure"] == "covered_pct")
    ].iloc[0]
    assert share["change"] > 0
    assert share["after"] - share["before"] == pytest.approx(share["change"])
    without = analyse(coverage.study.without_service("A1"))
    row = coverage.compare(without).query("measure == 'covered_pct' and level == 'city'")
    assert (row.loc[row["category"] == "bains_douches", "after"] == 0).all()


def test_runs_of_other_districts_are_not_compared(coverage: Coverage) -> None:
    area = coverage.study.area
    fewer = area.districts.iloc[:1]
    smaller = dataclasses.replace(area, districts=fewer, geometry=fewer.geometry.iloc[0])
    other = analyse(coverage.study.replace(area=smaller))
    with pytest.raises(StudyFileError, match="different districts"):
        coverage.compare(other)
    with pytest.raises(TypeError, match="DataFrame"):
        coverage.compare(coverage.cells)  # type: ignore[arg-type]


def test_a_picture_says_share_threshold_and_whose_data(
    coverage: Coverage, results: Results
) -> None:
    for found in (coverage, results):
        axes = found.plot("esi", lang="en")
        assert "within 15 minutes" in axes.get_title()
        assert coverage.manifest["attribution"][0] in axes.texts[0].get_text()
        minutes = np.asarray(axes.images[0].get_array())
        drawn = coverage.cells["minutes_esi"].clip(upper=30)
        assert np.nanmin(minutes) == pytest.approx(drawn.min(), abs=0.01)
        assert np.isfinite(minutes).sum() == np.isfinite(drawn).sum()
        plt.close(axes.figure)
    with pytest.raises(CategoryError, match="no category"):
        coverage.plot("esy")


def test_a_picture_at_an_hour_says_both_ends_and_hatches_what_nobody_knows(
    asked_coverage: Coverage,
) -> None:
    city = asked_coverage.city.set_index("category")
    for category, cells in (("esi", "perhaps_esi"), ("bains_douches", "perhaps_bains_douches")):
        axes = asked_coverage.plot(category, lang="en")
        ends = city.loc[category, ["residents_covered_pct", "residents_covered_at_most_pct"]]
        assert f": {range_words(*ends)} % of residents" in axes.get_title()
        known = not asked_coverage.cells[cells].any()
        assert (axes.get_legend() is None) == known
        plt.close(axes.figure)
    assert asked_coverage.cells["perhaps_esi"].any()


def test_a_week_is_drawn_hour_by_hour(coverage: Coverage, tmp_path: Path) -> None:
    week = town_week()
    write_results(week, tmp_path)
    table = week.week_table
    for found in (week, read_results(tmp_path)):
        axes = found.plot_week("esi", lang="fr")
        rows = table[(table["category"] == "esi") & (table["district_id"] == "")]
        for ax, bound, said in zip(axes, ("least", "most"), ("au moins", "au plus"), strict=True):
            drawn = np.asarray(ax.images[0].get_array())
            assert drawn.shape == (7, 24)
            given = rows.sort_values("hour")[f"residents_at_{bound}_pct"]
            assert drawn.ravel() == pytest.approx(given.to_numpy(), abs=0.01)
            assert ax.get_title().endswith(said)
        assert axes[0].get_yticklabels()[6].get_text() == "dimanche"
        plt.close(axes[0].figure)
    plt.close(week.plot_week("essential_any", district="Est")[0].figure)
    with pytest.raises(InputFileError, match="week=True"):
        coverage.plot_week("esi")


def test_a_map_to_explore_asks_for_nothing_and_runs_no_name() -> None:
    coverage = hostile.hostile_coverage(toy_town.town_study())
    page = coverage.explore("esi").get_root().render()
    assert "cdn." not in page
    assert "<script src" not in page
    assert "<link" not in page
    assert "onerror" in page  # the names are there,
    for name in hostile.HOSTILE:
        assert "<" not in name or name not in page  # and are no markup,
    assert "54439" not in page  # nor a template


def test_figures_are_shown_as_a_table(coverage: Coverage, results: Results) -> None:
    for found in (coverage, results):
        shown = found._repr_html_()
        assert "<table" in shown
        share = found.city.set_index("category").loc["esi", "covered_pct"]
        assert f"<td>{share:.1f}</td>" in shown


def test_results_answer_as_the_coverage_does_or_say_how(
    coverage: Coverage, results: Results
) -> None:
    asked = {n for n in dir(coverage) if n[0] != "_"}
    missing = {name for name in asked if not hasattr(results, name)}
    assert missing == {
        *("study", "map", "week", "answers", "attachment", "basis", "prepared", "cache"),
        "draw_isochrones",
    }
    for name in missing:
        with pytest.raises(AttributeError, match=r"quart_heure\.analyse\(.*\)\." + name):
            getattr(results, name)
    with pytest.raises(AttributeError, match="has no attribute 'plots'"):
        results.plots  # noqa: B018
    assert results.recent == coverage.recent
    assert list(results.districts["district_id"]) == list(coverage.districts["district_id"])
    assert pickle.loads(pickle.dumps(results)).manifest == results.manifest


def test_a_workbook_is_the_same_from_a_coverage_and_from_results(
    coverage: Coverage, results: Results, tmp_path: Path
) -> None:
    paths = [
        coverage.to_xlsx(str(tmp_path / "one.xlsx"), lang="en"),
        results.to_xlsx(tmp_path / "two.xlsx", lang="en"),
    ]
    books = [CalamineWorkbook.from_path(str(path)) for path in paths]
    assert books[0].sheet_names == books[1].sheet_names
    assert len(books[0].sheet_names) > 10
    for name in books[0].sheet_names:
        one, other = (book.get_sheet_by_name(name).to_python() for book in books)
        assert one == other, name
    (told,) = (row for row in books[0].get_sheet_by_name("Coverage").to_python() if "esi" in row
               and "city" in row)  # fmt: skip
    assert results.city.set_index("category").loc["esi", "covered_pct"] in told
    for path, lang in ((tmp_path / "a.csv", "fr"), (tmp_path / "a.xlsx", "de")):
        with pytest.raises(OutputError):
            results.to_xlsx(path, lang=lang)


def test_things_tell_themselves_in_a_few_lines_without_ids(coverage: Coverage) -> None:
    study = coverage.study
    parts = (study, coverage, study.services, study.area, study.network, study.residents)
    for one in parts:
        assert len(repr(one).splitlines()) <= 10
        assert len(repr(one)) < 1000
        assert "B3" not in repr(one)  # a discreet place
    assert "15 minutes" in repr(study)
