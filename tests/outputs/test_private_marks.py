"""Figures that are not to be passed on say so in every form; places without a zone are told."""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from helpers.project import ROOT
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.map.map import render_map
from quart_heure.outputs.report.calls import render_calls
from quart_heure.outputs.report.links import render_links
from quart_heure.outputs.report.report import render_report
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.read import read_results
from quart_heure.outputs.results.write import write_results
from quart_heure.schema import table_columns
from quart_heure.study import Coverage, Study

MARK = "INTERNE, NE PAS DIFFUSER"


def empty(table: str) -> pd.DataFrame:
    columns = [c for c in table_columns(table) if c.files != "layers"]
    kinds = {"text": "str", "integer": "int64", "boolean": "bool"}
    return pd.DataFrame({c.name: pd.Series(dtype=kinds.get(c.dtype, "float64")) for c in columns})


def test_every_row_of_a_csv_is_marked(toy_coverage: Coverage) -> None:
    columns, rows = table_columns("indicators"), toy_coverage.indicators
    plain = csv_text(rows, columns).splitlines()
    marked = csv_text(rows, columns, private=True).splitlines()
    assert marked[0] == f"{plain[0]},internal"
    end = f',"{MARK} / INTERNAL, NOT TO BE PASSED ON"'
    assert marked[1:] == [line + end for line in plain[1:]]
    assert toy_coverage.study.private
    assert render_report(toy_coverage, format="csv").splitlines()[1].endswith(end)


def test_results_are_marked_and_read_back_without(toy_coverage: Coverage, tmp_path: Path) -> None:
    study = dataclasses.replace(toy_coverage.study)
    object.__setattr__(study, "private", False)  # as its places are, they are not moved
    write_results(toy_coverage, tmp_path / "kept")
    write_results(dataclasses.replace(toy_coverage, study=study), tmp_path / "shown")
    names = sorted(path.name for path in (tmp_path / "kept").glob("*.csv"))
    names.remove("data_dictionary.csv")
    assert len(names) > 5
    for name in names:
        kept, shown = (
            (tmp_path / folder / name).read_text("utf-8").splitlines()
            for folder in ("kept", "shown")
        )
        assert kept[0] == f"{shown[0]},internal"
        assert all(MARK in line for line in kept[1:])
        assert not any(MARK in line for line in shown)
    read = read_results(tmp_path / "kept")
    assert "internal" not in read.indicators and "internal" not in read.problems


@pytest.mark.parametrize("private", [True, False])
def test_lists_are_marked(toy_study: Study, private: bool) -> None:
    # It is asked of the study alone, whose places are not moved here.
    study = dataclasses.replace(toy_study, private=True)
    object.__setattr__(study, "private", private)
    links = gpd.GeoDataFrame(empty("links"), geometry=[], crs=study.area.crs)
    for form in ("table", "md", "csv", "json"):
        for text in (
            render_links(links, study, "esi", most_m=20.0, form=form),
            render_calls(empty("calls"), study, form=form),
        ):
            if form == "csv":
                assert text.splitlines()[0].endswith(",internal") is private
            elif form == "json":
                assert json.loads(text)["private"] is private
            else:
                assert ("DOCUMENT INTERNE" in " ".join(text.split())) is private


def test_no_list_forgets_to_say_so() -> None:
    """Each module that writes a CSV or a listing of a study asks whether it is private."""
    for path in (ROOT / "src/coverage/quart_heure/outputs/report").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id == "csv_text":
                assert "private" in {word.arg for word in call.keywords}, path
            if isinstance(call.func, ast.Name) and call.func.id == "Listing":
                text = path.read_text(encoding="utf-8")
                shown = path.name == "terminal.py"  # proposals, which say it themselves
                assert shown or "private_lines(" in text or "_is_private(" in text, path


def test_discreet_places_that_count_nowhere_are_told(toy_coverage: Coverage) -> None:
    shown = publishable(toy_coverage)
    lost = {**shown.manifest["withheld"], "services_without_zone": 1}
    told = dataclasses.replace(shown, manifest={**shown.manifest, "withheld": lost})
    words = "Lieux discrets qui ne comptent nulle part, faute d’une zone assez grande pour les cach"
    for form in ("table", "md", "html"):
        for coverage, said in ((told, True), (shown, False)):
            text = " ".join(render_report(coverage, format=form).split())  # type: ignore[arg-type]
            assert (words in text.replace("&nbsp;", "\u00a0")) is said, form
    assert json.loads(render_report(told, format="json"))["services"]["without_zone"] == 1
    assert words in render_map(told)
    assert words not in render_map(shown)
