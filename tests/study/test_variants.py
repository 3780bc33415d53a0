"""Paces and sensitivity: each variant is the analysis it says it is."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import toy_town
from helpers.study_files import add, write_town
from quart_heure.analysis.audience import PERSONS
from quart_heure.cache import Cache
from quart_heure.cli import main
from quart_heure.errors import StudyFileError
from quart_heure.outputs.report.variants import render_paces, render_sensitivity
from quart_heure.profiles import ADULT, SLOW, STEP_FREE, WalkProfile
from quart_heure.schema import check_columns, table_columns
from quart_heure.study import Study, analyse, inputs
from quart_heure.study.variants import _most_rows, paces, sensitivity, variants_of

FIGURES = ["covered_pct", "residents_covered", "residents_covered_pct"]


@pytest.fixture(scope="module")
def small() -> Study:
    return toy_town.random_town(11, n_services=6).study()


@pytest.fixture(scope="module")
def varied(small: Study) -> pd.DataFrame:
    return sensitivity(small)


def test_each_pace_is_an_analysis(small: Study) -> None:
    own = WalkProfile(name="own", speed_kmh=2.0, steps_factor=2.0)
    table = paces(small, [ADULT, STEP_FREE, own], [4.0, 6.0])
    check_columns(table, "paces")
    assert len(table) == 3 * 2 * 4
    for (name, threshold), rows in table.groupby(["profile", "threshold_min"]):
        profile = {p.name: p for p in (ADULT, STEP_FREE, own)}[name]
        wanted = analyse(small.replace(profile=profile, threshold_min=threshold)).city
        assert rows["category"].tolist() == wanted["category"].tolist()
        for figure in FIGURES:
            assert rows[figure].tolist() == pytest.approx(wanted[figure].tolist(), nan_ok=True)
    adult = table[table["profile"] == "adult"].set_index(["threshold_min", "category"])
    slow = table[table["profile"] == "own"].set_index(["threshold_min", "category"])
    assert (slow["covered_pct"] <= adult["covered_pct"] + 1e-9).all()
    with pytest.raises(StudyFileError, match="no walker or no threshold"):
        paces(small, [], [4.0])


def test_the_first_rows_are_the_study_itself(small: Study, varied: pd.DataFrame) -> None:
    check_columns(varied, "sensitivity")
    base = varied[varied["setting"] == "base"]
    wanted = analyse(small).city
    for figure in FIGURES:
        assert base[figure].tolist() == wanted[figure].tolist()
        assert (base[f"{figure}_change"] == 0).all()


def test_each_variant_is_an_analysis(small: Study, varied: pd.DataFrame) -> None:
    base = varied[varied["setting"] == "base"].set_index("category")
    changed = {
        ("speed_kmh", "4.05"): small.replace(profile=dataclasses.replace(ADULT, speed_kmh=4.05)),
        ("threshold_min", "7"): small.replace(threshold_min=7.0),
        ("snap_m", "50"): small.replace(snap_m=50.0),
        ("useful_share", "0.05"): small.replace(useful_share=0.05),
        ("cell_m", "25"): small.replace(cell_m=25.0),
        ("unknown_status", "out"): small.replace(counted_status=("open",)),
    }
    asked = {(setting, value) for setting, value, _ in variants_of(small)}
    assert asked >= set(changed)
    assert len(asked) == 2 + 2 + 2 + 2 + 1 + 1
    for (setting, value), study in changed.items():
        here = (varied["setting"] == setting) & (varied["value"] == value)
        rows = varied[here].set_index("category")
        wanted = analyse(study).city.set_index("category")
        for figure in FIGURES:
            assert rows[figure].tolist() == pytest.approx(wanted[figure].tolist(), nan_ok=True)
            change = wanted[figure] - base[figure]
            assert rows[f"{figure}_change"].tolist() == pytest.approx(
                change.tolist(), abs=1e-5, nan_ok=True
            )


def test_services_elsewhere_are_an_analysis_for_each_district(
    small: Study, varied: pd.DataFrame
) -> None:
    base = analyse(small).indicators.set_index(["level", "district_id", "category"])
    table = small.services.table
    sides = {"east": (15, 0), "north": (0, 15), "west": (-15, 0), "south": (0, -15)}
    for side, (dx, dy) in sides.items():
        moved = dataclasses.replace(
            small.services, table=table.assign(geometry=table.geometry.translate(dx, dy))
        )
        wanted = analyse(small.replace(services=moved)).indicators
        wanted = wanted.set_index(["level", "district_id", "category"])
        rows = varied[(varied["setting"] == "elsewhere") & (varied["value"] == side)]
        rows = rows.set_index(["level", "district_id", "category"])
        assert set(rows.index) == set(wanted.index)
        for figure in FIGURES:
            here = wanted.loc[rows.index, figure]
            assert rows[figure].tolist() == pytest.approx(here.tolist(), nan_ok=True)
            change = here - base.loc[rows.index, figure]
            assert rows[f"{figure}_change"].tolist() == pytest.approx(
                change.tolist(), abs=1e-4, nan_ok=True
            )


def test_faster_and_longer_never_lose(varied: pd.DataFrame) -> None:
    for setting, less, more in (("speed_kmh", "4.05", "4.95"), ("threshold_min", "5", "7")):
        rows = varied[varied["setting"] == setting]
        assert (rows.loc[rows["value"] == less, "covered_pct_change"] <= 0).all()
        assert (rows.loc[rows["value"] == more, "covered_pct_change"] >= 0).all()


def test_a_useful_part_is_as_large_as_the_study_says(small: Study) -> None:
    one, all_ = small.replace(useful_share=0.0), small.replace(useful_share=1.0)
    covered = [analyse(study).city["on_network_ha"].iloc[0] for study in (one, small)]
    assert covered[0] >= covered[1]
    assert all_.useful_share == 1.0
    parameters = analyse(one).manifest["parameters"]
    assert parameters["useful_component_pct"] == 0


def test_the_sure_and_the_unsure_are_told_apart(small: Study) -> None:
    table = small.services.table.copy()
    table["admits"] = ["women", "unknown"] * 3
    services = dataclasses.replace(small.services, table=table)
    study = small.replace(services=services, person=PERSONS["woman"])
    found = sensitivity(study)
    rows = found[found["setting"] == "unknown_admission"].set_index("category")
    base = found[found["setting"] == "base"].set_index("category")
    sure = dataclasses.replace(services, table=table[table["admits"] == "women"])
    for figures, some in ((base, sure), (rows, services)):
        wanted = analyse(small.replace(services=some)).city.set_index("category")
        assert figures["covered_pct"].tolist() == pytest.approx(wanted["covered_pct"].tolist())
    only_open = small.replace(counted_status=("open",))
    asked = {(setting, value) for setting, value, _ in variants_of(only_open)}
    assert ("unknown_status", "in") in asked
    assert ("unknown_status", "out") not in asked


def test_hours_nobody_knows_are_a_variant_where_hours_are_asked(small: Study) -> None:
    base = analyse(small).city
    assert _most_rows(base, "unknown_hours") == []
    most = base.assign(
        covered_at_most_pct=base["covered_pct"] + 5,
        residents_covered_at_most=base["residents_covered"] + 10,
    )
    rows = _most_rows(most, "unknown_hours")[0]
    assert set(zip(rows["setting"], rows["value"], strict=True)) == {("unknown_hours", "in")}
    assert rows["covered_pct_change"].tolist() == pytest.approx([5] * len(rows))
    assert rows["residents_covered_change"].tolist() == pytest.approx([10] * len(rows))
    assert (rows["residents_covered_pct_change"] > 0).all()
    told = pd.concat([sensitivity(small).head(len(rows)), rows], ignore_index=True)
    assert "With unknown hours" in render_sensitivity(told, small, form="md", lang="en")


def test_the_hour_and_the_person_are_said(small: Study) -> None:
    asked = small.replace(at=dt.datetime(2026, 12, 6, 10), person=PERSONS["woman"])
    found = sensitivity(asked)
    assert "in" in set(found.loc[found["setting"] == "unknown_hours", "value"])
    for form in ("table", "md"):
        said = " ".join(render_sensitivity(found, asked, form=form).split())
        assert "Pour une personne qui arrive le dimanche 6 décembre 2026 à 10 h" in said
        assert "Pour : une femme." in said
    # A private study says that it is one, besides the hour and the person.
    assert len(json.loads(render_sensitivity(found, asked, form="json"))["asked"]) == 3
    assert len(json.loads(render_sensitivity(found, small, form="json"))["asked"]) == 1


def test_nothing_is_left_behind(
    small: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    without = paces(small, [ADULT], [6.0])
    assert list(tmp_path.iterdir()) == []
    kept = paces(small, [ADULT], [6.0], cache=Cache(tmp_path / "own"))
    assert kept.equals(without)
    assert list(tmp_path.iterdir()) == [tmp_path / "own"]


def test_short_thresholds_stay_above_zero(small: Study) -> None:
    short = small.replace(threshold_min=0.5, isochrones_min=(0.5,))
    values = [value for setting, value, _ in variants_of(short) if setting == "threshold_min"]
    assert values == ["1.5"]


# --- in words ------------------------------------------------------------------------------------


def test_every_form_says_the_same(small: Study, varied: pd.DataFrame) -> None:
    rows = list(csv.DictReader(io.StringIO(render_sensitivity(varied, small, form="csv"))))
    assert list(rows[0]) == [
        *(column.name for column in table_columns("sensitivity")),
        "internal",  # the study is private
    ]
    content = json.loads(render_sensitivity(varied, small, form="json"))
    assert len(content["sensitivity"]) == len(rows) == len(varied)
    for told, row in zip(content["sensitivity"], rows, strict=True):
        assert told["covered_pct"] == pytest.approx(float(row["covered_pct"]))
    text = render_sensitivity(varied, small, form="md", lang="en")
    for words in ("This study", "Speed: 4.05 km/h", "Threshold: 7 min", "Cells of 25 m"):
        assert f"| {words} |" in text
    assert "Useful component: 0.1% of nodes" in text
    assert "Without places not verified" in text
    narrow = render_sensitivity(varied, small, form="table", lang="fr")
    assert "A Bains-douches" in narrow
    assert max(map(len, narrow.splitlines())) <= 100
    wide = render_sensitivity(varied, small, form="table", lang="fr", width=140)
    assert "A Bains-douches" not in wide


def test_an_area_without_residents_has_one_table(small: Study) -> None:
    nobody = small.replace(residents=None)
    table = paces(nobody, [ADULT, SLOW], [6.0])
    text = render_paces(table, nobody, form="md", lang="en")
    assert text.count("## ") == 1
    assert "| slow (3 km/h), 6 min |" in text


@pytest.mark.parametrize("command", ["paces", "sensitivity"])
def test_a_study_is_read_once_however_often_it_is_asked(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = write_town(tmp_path)
    reads: Counter[str] = Counter()

    def count(name: str) -> None:
        real = getattr(inputs, name)

        def counted(*given: Any, **named: Any) -> Any:
            reads[name] += 1
            return real(*given, **named)

        monkeypatch.setattr(inputs, name, counted)

    for name in ("read_services", "stored_network", "stored_area"):
        count(name)
    assert main([command, str(study), "--category", "esi", "--no-cache"]) == 0
    assert reads == {"read_services": 1, "stored_network": 1, "stored_area": 1}


def test_streets_are_taken_as_far_as_the_longest_of_the_walks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raw streets are cut around the area: where the slowest walks first, the fastest counts."""
    study = add(write_town(tmp_path), "[profiles.runner]\nspeed_kmh = 9")
    asked = []

    def stop(*_: Any, reach: Any, **__: Any) -> None:
        asked.append(reach)
        raise StudyFileError("read", hint="enough")

    monkeypatch.setattr(inputs, "stored_network", stop)
    far = ["--profile", "runner", "--threshold", "60"]
    main(["report", str(study), *far])
    main(["paces", str(study), "--profile", "slow", "--threshold", "10", *far])
    main(["report", str(study)])
    alone, compared, usual = asked
    assert compared.covers(alone)
    assert not usual.covers(alone)


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = str(add(write_town(tmp_path), "[profiles.own]\nspeed_kmh = 2.5"))
    flags = ["--profile", "adult", "--profile", "own", "--threshold", "10", "--threshold", "12"]
    log = ["--log-file", str(tmp_path / "log")]
    assert main(["paces", study, *flags, "--json", "--no-cache", *log]) == 0
    said = capsys.readouterr()
    rows = json.loads(said.out)["paces"]
    assert {(row["profile"], row["threshold_min"]) for row in rows} == {
        (profile, minutes) for profile in ("adult", "own") for minutes in (10, 12)
    }
    assert "INFO own, 12 min\n" in (tmp_path / "log").read_text(encoding="utf-8")
    assert main(["paces", study, "--profile", "fast"]) == StudyFileError.exit_code
    assert "there is no walker 'fast'" in capsys.readouterr().err
    target = tmp_path / "sensitivity.csv"
    flags = ["--format", "csv", "-o", str(target), "--category", "esi", "--no-cache"]
    assert main(["sensitivity", study, *flags]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    found = pd.read_csv(target)
    assert set(found["setting"]) >= {"base", "speed_kmh", "snap_m", "unknown_status"}
    assert "esi" in set(found["category"])
