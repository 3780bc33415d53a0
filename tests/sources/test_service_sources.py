"""Services in a study: several files with settings of their own, dates of validity, the check."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import toy_town
from helpers.study_files import add, services_table, swap, write_town
from quart_heure import errors
from quart_heure.cli import main
from quart_heure.outputs.report.check import render_check
from quart_heure.outputs.report.report import render_report
from quart_heure.sources.services.settings import ServiceSource
from quart_heure.study import analyse
from quart_heure.study.check import check_study
from quart_heure.study.file import read_study

DAY = datetime.date(2026, 3, 1)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_town(tmp_path)


def change(study: Path, changes: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    path = study.parent / "services.csv"
    changes(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


# --- sources -------------------------------------------------------------------------------------


def test_each_file_with_settings_of_its_own(study: Path) -> None:
    folder = study.parent
    table = services_table(toy_town.town_services().table)
    metres = toy_town.town_services().table.geometry
    table[:3].drop(columns="category").to_csv(folder / "bains.csv", index=False)
    lambert = table.drop(columns=["longitude", "latitude", "name"])
    lambert = lambert.assign(e=metres.x, n=metres.y, lieu=table["name"])[3:]
    lambert.to_csv(folder / "lambert.csv", index=False)
    swap(
        study,
        '[services]\nfiles = ["services.csv"]\n',
        '[services]\ncategory = "bains_douches"\nfiles = ["bains.csv"]\n'
        '[[services.sources]]\nfile = "lambert.csv"\ncrs = "EPSG:2154"\n'
        'columns = { longitude = "e", latitude = "n", name = "lieu" }\n',
    )
    found = read_study(study)
    assert list(found.services.table["service_id"]) == sorted(table["service_id"])
    by_id = found.services.table.set_index("service_id")
    first = list(table["service_id"][:3])
    assert set(by_id.loc[first, "category"]) == {"bains_douches"}
    rest = table[3:].set_index("service_id")
    assert list(by_id.loc[rest.index, "category"]) == list(rest["category"])
    assert list(by_id.loc[rest.index, "name"]) == list(rest["name"])
    expected = toy_town.town_services().table.set_index("service_id").geometry
    # A discreet place does not stand where it is.
    shown = expected.index[~table["discreet"].to_numpy(dtype=bool)]
    assert (by_id.geometry.distance(expected)[shown] < 0.01).all()
    assert found.services.anchored == set(expected.index) - set(shown) == {"B3"}
    roles = [(each["role"], each["file"]) for each in found.provenance]
    assert roles[1:3] == [("services", "bains.csv"), ("services", "lambert.csv")]


def test_sources_alone_are_enough(study: Path) -> None:
    swap(study, 'files = ["services.csv"]', 'sources = [{ file = "services.csv" }]')
    assert len(read_study(study).services.table) == len(toy_town.SERVICES)


def test_shared_settings_and_own_ones(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swap(
        study,
        'files = ["services.csv"]',
        'category = "esi"\ncrs = "EPSG:2154"\nfiles = ["a.csv"]\n'
        'sources = [{ file = "b.csv", category = "bagagerie", rules = { esi = "x" } }]',
    )
    for name in ("a.csv", "b.csv"):
        (study.parent / name).write_text("name\n", encoding="utf-8")
    asked: list[ServiceSource] = []

    def stop(sources: Sequence[ServiceSource], *_: object, **__: object) -> None:
        asked.extend(sources)
        raise InterruptedError

    monkeypatch.setattr("quart_heure.study.inputs.read_services", stop)
    with pytest.raises(InterruptedError):
        read_study(study)
    assert asked == [
        ServiceSource(file=study.parent / "a.csv", category="esi", crs="EPSG:2154"),
        ServiceSource(
            file=study.parent / "b.csv",
            category="bagagerie",
            crs="EPSG:2154",
            rules={"esi": "x"},
        ),
    ]


MERGED = """[services]
sources = [{ file = "a.csv" }, { file = "b.csv" }]
merge = { on = true, trust = ["b.csv"] }
"""


def test_merged_files_list_every_row_that_is_no_service(study: Path) -> None:
    """Files that name no source, one source in two files, and names that differ at one place."""
    table = pd.read_csv(study.parent / "services.csv", dtype=str, keep_default_na=False)
    bath, other = table[table["category"] == "bains_douches"].to_dict("records")[:2]
    hours = "opening_hours"
    first = [
        {**bath, "name": "Bains du Port", hours: "Mo-Fr 09:00-12:00", "source": ""},
        {**other, "name": "Bains du Pont", "source": "ville"},
    ]
    second = [
        {**bath, "name": "BAINS DU PORT", hours: "Mo-Fr 09:00-13:00", "source": ""},
        {**other, "name": "Bains du Pont", "source": "ville"},
        {**bath, "name": "Laverie", "source": "osm"},
    ]
    for name, rows in (("a.csv", first), ("b.csv", second)):
        pd.DataFrame(rows).assign(service_id="").to_csv(study.parent / name, index=False)
    swap(study, '[services]\nfiles = ["services.csv"]\n', MERGED)
    services = read_study(study).services
    assert dict(services.table[["name", "source"]].itertuples(index=False)) == {
        "BAINS DU PORT": "b.csv",
        "Bains du Pont": "ville",
        "Laverie": "osm",
    }
    assert services.table.set_index("name").loc["BAINS DU PORT", "other_sources"] == "a.csv"
    told = {(p.file, p.row, p.field, p.action): p.value for p in services.problems.itertuples()}
    assert told == {
        ("b.csv", 2, "duplicate", "left out"): "Bains du Pont",
        ("a.csv", 1, "service_id", "merged"): (
            "BAINS DU PORT – bains_douches-a.csv-1, a.csv → b.csv"
        ),
        ("a.csv", 1, hours, "the kept source holds"): (
            "BAINS DU PORT – Mo-Fr 09:00-13:00 / Mo-Fr 09:00-12:00"
        ),
        ("b.csv", 3, "duplicate", "kept, to be checked"): "Laverie – b.csv",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('sources = [{ category = "esi" }]', "there is no 'file' in [[services.sources]] 1."),
        ("sources = [1]", "[[services.sources]] 1: is 1"),
        ('sources = [{ fiel = "a" }]', "no key 'fiel'. Did you mean 'file'"),
        ("sources = [{ file = 1 }]", "file is 1. It must be text"),
        ('columns = { nmae = "x" }', "no key 'nmae'. Did you mean 'name'"),
        ("columns = { name = 1 }", "columns: name is 1. It must be a heading"),
        ("columns = 1", "columns is 1. It must be pairs in braces"),
        ("rules = { esi = 1 }", "rules: esi is 1. It must be a regular expression"),
        ("rules = { esi = [] }", "rules: esi is []"),
        ('rules = { esi = "(" }', "the rule of 'esi' is no regular expression"),
        ("crs = 2154", "crs is 2154. It must be text in quotes"),
    ],
)
def test_wrong_settings_end_clearly(study: Path, text: str, words: str) -> None:
    swap(study, "[services]", f"[services]\n{text}")
    with pytest.raises(errors.StudyFileError) as caught:
        read_study(study)
    assert words in str(caught.value)


# --- validity ------------------------------------------------------------------------------------


def dated(table: pd.DataFrame) -> pd.DataFrame:
    """A1 ended a year ago, B3 begins next year, C1 ends on the day itself."""
    ends = {"A1": "2025-03-01", "C1": "2026-03-01"}
    return table.assign(
        valid_to=table["service_id"].map(ends).fillna(""),
        valid_from=np.where(table["service_id"] == "B3", "2027-01-01", ""),
    )


def test_what_is_not_valid_on_the_day_is_closed(study: Path) -> None:
    change(study, dated)
    coverage = analyse(read_study(study, date=DAY))
    rows = coverage.services.set_index("service_id")
    before = analyse(read_study(study)).services.set_index("service_id")
    assert rows.loc["A1", "left_out_reason"] == "validity ended"
    assert rows.loc["B3", "left_out_reason"] == "validity not begun"
    others = [key for key in rows.index if key not in {"A1", "B3"}]
    # The last day is a day of validity; without a day nothing is judged.
    assert list(rows.loc[others, "counted"]) == list(before.loc[others, "counted"])
    assert not set(before["left_out_reason"]) & {"validity ended", "validity not begun"}
    dropped = coverage.manifest["dropped"]["services"]
    assert (dropped["validity ended"], dropped["validity not begun"]) == (1, 1)
    assert coverage.manifest["parameters"]["date"] == "2026-03-01"
    assert "validité terminée" in render_report(coverage)
    # Whoever counts the closed ones counts these.
    every = analyse(read_study(study, date=DAY, counted_status=("open", "closed")))
    assert every.services.set_index("service_id").loc["A1", "left_out_reason"] == ""


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ('date = "2025-01-01"', datetime.date(2025, 1, 1)),
        ("date = 2025-01-01", datetime.date(2025, 1, 1)),
        ('date = "01/02/2025"', datetime.date(2025, 2, 1)),
        ('date = ""', DAY),
        ("", DAY),
    ],
)
def test_the_day_of_the_file_prevails_over_today(
    study: Path, text: str, day: datetime.date
) -> None:
    add(study, f"[analysis]\n{text}")
    assert read_study(study, today=DAY).date == day
    assert read_study(study, today=DAY, date=datetime.date(2020, 1, 1)).date.year == 2020


def test_a_day_that_is_none(study: Path) -> None:
    add(study, '[analysis]\ndate = "demain"')
    with pytest.raises(errors.StudyFileError, match="date is 'demain'"):
        read_study(study)


def test_the_command_judges_by_today(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(study, dated)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1772323200")  # 2026-03-01
    assert main(["report", str(study), "--format", "json", "--no-cache"]) == 0
    report = json.loads(capsys.readouterr().out)
    reasons = [row["reasons"] for row in report["services"]["by_category"]]
    assert sum(each.get("validity ended", 0) for each in reasons) == 1


# --- the check -----------------------------------------------------------------------------------


def test_the_check_shows_what_was_refused(study: Path) -> None:
    def far(table: pd.DataFrame) -> pd.DataFrame:
        lost = pd.concat([table.iloc[[1]]] * 13).assign(category="perdu", service_id="")
        moved = table.assign(
            longitude=np.where(table["service_id"] == "A1", "5.0", table["longitude"])
        )
        return pd.concat([moved, lost])

    change(study, far)
    check = check_study(read_study(study), today=DAY)
    told = check.problems["reason"].value_counts()
    assert told["unknown category"] == 13
    assert told["more than 1500 m outside the area"] == 1
    text = render_check(check, form="table")
    assert text.count("unknown category") == 11
    assert "… and 3 more: unknown category, left out." in text
    # The town has long stairs and no heights, which is told of its network.
    fields = [row["field"] for row in json.loads(render_check(check, form="json"))["problems"]]
    assert (fields.count("network"), len(fields)) == (1, 15)
