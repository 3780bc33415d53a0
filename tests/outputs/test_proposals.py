"""Proposals: kept and read back, shown with their own study alone, and giving nothing away."""

from __future__ import annotations

import base64
import datetime
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.hostile import HOSTILE, hostile_coverage
from helpers.study_files import write_town
from helpers.town_week import town_with_hours
from quart_heure.cli import main
from quart_heure.errors import InputFileError, OutputError
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier.dossier import write_dossiers
from quart_heure.outputs.map.cells import Grid, upper_minutes
from quart_heure.outputs.map.map import render_map
from quart_heure.outputs.map.proposals import class_limits, proposals_shown
from quart_heure.outputs.proposals.folder import read_proposal, write_proposal
from quart_heure.outputs.proposals.proposal import Proposal, check_fits
from quart_heure.outputs.report.calls import calls_proposal
from quart_heure.outputs.report.facts import first_to_confirm
from quart_heure.outputs.report.links import links_proposal
from quart_heure.outputs.report.report import REPORT_FORMATS, render_report
from quart_heure.outputs.report.siting import siting_proposal
from quart_heure.outputs.results.read import read_results
from quart_heure.outputs.results.write import write_results
from quart_heure.outputs.shapes import Pen
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.calls import calls
from quart_heure.study.links import missing_links
from quart_heure.study.siting import site

CATEGORY = "esi"


def made_of(coverage: Coverage, category: str = CATEGORY) -> list[Proposal]:
    """Make a proposal of each kind."""
    shown = publishable(coverage)
    links = missing_links(shown, category, count=3)
    return [
        siting_proposal(site(shown, category, count=2, mesh_m=100, curve=True)),
        calls_proposal(calls(shown), shown),
        links_proposal(links, shown, category, most_m=300),
    ]


@pytest.fixture(scope="module")
def asked() -> Coverage:
    """A Sunday: some places open, of some nobody knows."""
    return analyse(town_with_hours(at=datetime.datetime(2026, 5, 3, 11, 15)))


@pytest.fixture(scope="module")
def proposals(asked: Coverage) -> list[Proposal]:
    return made_of(asked)


def test_what_is_kept_is_read_back(proposals: list[Proposal], tmp_path: Path) -> None:
    for made in proposals:
        files = write_proposal(made, tmp_path / made.kind)
        assert {path.name for path in files} == {
            path.name for path in (tmp_path / made.kind).iterdir()
        }
        read = read_proposal(tmp_path / made.kind)
        assert (read.kind, read.category) == (made.kind, made.category)
        assert json.loads(json.dumps(made.said)) == read.said
        for name, table in made.tables.items():
            back = read.tables[name]
            assert list(back["category"]) == list(table["category"])
            for column in table.columns:
                if table[column].dtype.kind == "f":
                    np.testing.assert_allclose(back[column], table[column], atol=0.051)
                elif column != "geometry":
                    assert back[column].astype(str).tolist() == table[column].astype(str).tolist()
            if "geometry" in table:
                assert back.geometry.geom_equals(table.geometry).all()
        check_fits([read], made.run)


def test_an_earlier_proposal_is_replaced_and_results_are_not(
    asked: Coverage, proposals: list[Proposal], tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    write_proposal(proposals[0], folder)
    (folder / "own.txt").write_text("mine", encoding="utf-8")
    written = write_proposal(proposals[1], folder)
    left = {path.name for path in folder.iterdir()}
    assert left == {path.name for path in written} | {"own.txt"}
    results = tmp_path / "results"
    write_results(asked, results)
    before = sorted(path.name for path in results.iterdir())
    with pytest.raises(OutputError, match="holds other results"):
        write_proposal(proposals[0], results)
    assert sorted(path.name for path in results.iterdir()) == before
    with pytest.raises(InputFileError, match="--proposals"):
        read_results(folder)
    with pytest.raises(InputFileError, match="holds no proposal"):
        read_proposal(results)


@pytest.mark.parametrize("name", ["sites.parquet", "site_districts.csv", "said.json"])
def test_a_changed_file_is_refused(proposals: list[Proposal], tmp_path: Path, name: str) -> None:
    write_proposal(proposals[0], tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(InputFileError, match=name):
        read_proposal(tmp_path)
    path.unlink()
    with pytest.raises(InputFileError, match=name):
        read_proposal(tmp_path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"parameters": {"threshold_min": 10.0}}, "threshold_min"),
        ({"parameters": {"area": "Ailleurs"}}, "Ailleurs"),
        ({"parameters": {"counted_status": ["open", "closed"]}}, "counted_status"),
        ({"parameters": {"at": "2026-05-04T11:15"}}, "made with at"),
        ({"parameters": {"categories": ["bagagerie"]}}, CATEGORY),
        ({"version": "0.0.1"}, "version"),
        ({"inputs": [{"role": "services", "sha256": "9"}]}, "services"),
    ],
)
def test_a_proposal_of_another_study_is_refused(
    proposals: list[Proposal], changed: dict[str, Any], said: str
) -> None:
    made = proposals[0]
    check_fits(proposals, made.run)
    other = {**made.run, **changed}
    if "parameters" in changed:
        other["parameters"] = {**made.run["parameters"], **changed["parameters"]}
    with pytest.raises(InputFileError, match=said):
        check_fits([made], other)


def test_a_phone_list_may_be_of_another_hour(proposals: list[Proposal]) -> None:
    made = proposals[1]
    other = {**made.run, "parameters": {**made.run["parameters"], "at": "2026-05-04T09:00"}}
    check_fits([made], other)


def test_every_format_of_a_report_tells_them(
    asked: Coverage, proposals: list[Proposal], tmp_path: Path
) -> None:
    write_results(asked, tmp_path)
    for source in (asked, read_results(tmp_path)):
        for form in REPORT_FORMATS:
            text = render_report(source, format=form, proposals=proposals, width=200)
            plain = render_report(source, format=form, width=200)
            assert (text == plain) == (form in {"csv", "office", "mail"})
        html = render_report(source, format="html", proposals=proposals)
        for words in ("Où ouvrir ensuite", "Qui appeler", "Le lien manquant"):
            assert words in html
        content = json.loads(render_report(source, format="json", proposals=proposals))
        assert [one["kind"] for one in content["next"]] == ["sites", "calls", "links"]
        value = content["next"][0]["answer"]["value"]
        assert value == pytest.approx(proposals[0].tables["sites"]["gain_added"].sum(), abs=0.01)


def test_the_map_covers_what_the_sites_gain(asked: Coverage, proposals: list[Proposal]) -> None:
    shown = publishable(asked)
    grid = Grid(shown)
    found = proposals_shown(proposals, shown, grid, Pen(shown.study.area.crs))
    packed = np.frombuffer(zlib.decompress(base64.b64decode(found[0].minutes)), dtype=np.uint8)
    codes = np.cumsum(packed, dtype=np.uint8)[grid._at]
    upper = upper_minutes(shown.study)
    minutes = np.full(len(codes), np.inf)
    told = (codes > 0) & (codes <= len(upper))
    minutes[told] = upper[codes[told] - 1]
    cells = shown.cells
    today = cells[f"status_{CATEGORY}"].isin(["covered", "borderline_covered"]).to_numpy()
    newly = (minutes <= shown.study.threshold_min) & ~today
    gained = cells.loc[newly, "residents"].sum()
    assert gained == pytest.approx(proposals[0].answer["value"], abs=0.05)
    assert not (today & ~(minutes <= shown.study.threshold_min)).any()
    assert [place.rank for place in found[0].places] == [1, 2]


def test_classes_of_gain_are_of_round_numbers() -> None:
    for most in (0.4, 3.0, 57.0, 999.0, 1000.0, 109117.0, 2e6):
        limits = class_limits(most, 5)
        assert 1 <= len(limits) <= 4
        assert limits == sorted(limits) and limits[-1] < most
        for limit in limits:
            assert float(f"{limit:.2g}") == pytest.approx(limit)


def test_hostile_names_stay_text(toy_study: Study, tmp_path: Path) -> None:
    coverage = hostile_coverage(toy_study)
    made = made_of(coverage)
    kept = []
    for one in made:
        write_proposal(one, tmp_path / one.kind)
        kept.append(read_proposal(tmp_path / one.kind))
    pages = [
        render_report(coverage, format="html", proposals=kept),
        render_map(coverage, proposals=kept),
    ]
    write_dossiers(coverage, tmp_path / "dossiers", proposals=kept)
    pages += [path.read_text("utf-8") for path in (tmp_path / "dossiers").glob("*.html")]
    for page in pages:
        for text in HOSTILE[:2]:
            assert text not in page


def test_nothing_tells_a_discreet_place(toy_study: Study, tmp_path: Path) -> None:
    """The toy town has one discreet place, B3: it is in no file and on no page."""
    coverage = analyse(toy_study)
    place = toy_study.services.table.set_index("service_id").loc["B3"]
    assert place["discreet"]
    for category in ("bagagerie", CATEGORY):
        made = made_of(coverage, category)
        kept = []
        for one in made:
            write_proposal(one, tmp_path / category / one.kind)
            kept.append(read_proposal(tmp_path / category / one.kind))
        found = [str(part) for one in kept for part in (one.said, one.answer, one.run)]
        for one in kept:
            for table in one.tables.values():
                plain = pd.DataFrame(table).drop(columns="geometry", errors="ignore")
                assert "B3" not in plain.to_numpy().astype(str).ravel().tolist()
                if "geometry" in table:
                    assert (table.geometry.distance(place.geometry) > 0.5).all()
        found.append(render_report(coverage, format="html", proposals=kept))
        found.append(render_map(coverage, proposals=kept))
        for text in found:
            assert f">{place['name']}<" not in text and "'B3'" not in text


def test_what_to_confirm_first_follows_the_phone_list() -> None:
    services = pd.DataFrame(
        {"service_id": ["a", "b", "c", "d"], "source_date": "2010-01-01", "status": "open"}
    )
    dependence = [
        {"service_id": name, "residents_only_here": people, "ha_only_here": ha}
        for name, people, ha in (("a", 9.0, 1.0), ("b", 5.0, 1.0), ("c", 0.0, 0.0), ("d", 0.0, 0.0))
    ]
    manifest = {"created": "2026-11-29T00:00:00Z"}

    def order(called: dict[str, int] | None) -> list[str]:
        found = first_to_confirm(dependence, services, manifest, since="2024-11-29", called=called)
        return [row["service_id"] for row in found]

    assert order(None) == ["a", "b"]
    assert order({"c": 1, "b": 2}) == ["c", "b", "a"]


def test_the_command_line_keeps_and_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = str(write_town(tmp_path))
    kept = str(tmp_path / "ou-ouvrir")
    asked = ["site", study, "--category", CATEGORY, "--count", "1", "--mesh", "100"]
    assert main([*asked, "-o", kept]) == 0
    assert "manifest.json" in capsys.readouterr().out
    assert main(["report", study, "--proposals", kept, "--format", "md"]) == 0
    assert "Où ouvrir ensuite" in capsys.readouterr().out
    target = str(tmp_path / "carte.html")
    assert main(["map", study, "--proposals", kept, "-o", target]) == 0
    assert main(["report", study, "--proposals", kept, "--threshold", "5"]) == 3
    error = capsys.readouterr().err
    assert "threshold_min" in error and "quart-heure site" in error
    # With a form, a name without an ending is a file as before.
    assert main([*asked, "--format", "json", "-o", str(tmp_path / "plain")]) == 0
    assert json.loads((tmp_path / "plain").read_text("utf-8"))["category"] == CATEGORY
