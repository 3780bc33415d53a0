"""Tables of people: which column counts them, which square they are in, what a number is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from quart_heure.sources.areas.areas import area_from_districts
from quart_heure.sources.residents.files import read_people
from quart_heure.sources.residents.residents import ResidentZones
from quart_heure.sources.residents.tables import read_counts
from quart_heure.sources.residents.weights import read_weights

X, Y = 652_000, 6_862_000
AREA = area_from_districts(
    gpd.GeoDataFrame(
        {"code": ["A", "B"], "nom": ["Est", "Ouest"]},
        geometry=[box(X, Y, X + 500, Y + 500), box(X + 500, Y, X + 1000, Y + 500)],
        crs=2154,
    ),
    name="x",
)


def read(path: Path, **options: Any) -> ResidentZones:
    found = read_people(path, AREA, **options)
    assert isinstance(found, ResidentZones)
    return found


def write(folder: Path, rows: dict[str, Any], sep: str = ";") -> Path:
    path = folder / "p.csv"
    pd.DataFrame(rows).to_csv(path, index=False, sep=sep)
    return path


@pytest.mark.parametrize(
    ("columns", "best", "choices"),
    [
        ({"PMUN": [1, 2], "PCAP": [3, 4], "PTOT": [4, 6]}, [1, 2], ["several columns of people"]),
        ({"PTOT": [4, 6], "PMUN": [1, 2]}, [1, 2], ["several columns of people"]),
        ({"PTOT2022": [4, 6], "PMUN2022": [1, 2]}, [1, 2], ["several columns of people"]),
        ({"Population totale": [4, 6], "Population municipale": [1, 2]}, [1, 2], 1),
        ({"PMUN19": [9, 9], "PMUN22": [1, 2]}, [1, 2], ["several columns of people"]),
        ({"P16_POP": [9, 9], "P22_POP": [1, 2], "C22_POP15P": [1, 1]}, [1, 2], 1),
        ({"P22_POP": [1, 2], "C22_POP15P": [1, 1]}, [1, 2], 0),
        ({"PTOT": [4, 6]}, [4, 6], ["counts some people in two places"]),
        ({"C22_POP15P": [4, 6]}, [4, 6], ["counts people of 15 years and more"]),
        ({"population": [1, 2]}, [1, 2], 0),
    ],
)
def test_people_are_counted_once_and_the_choice_is_told(
    tmp_path: Path, columns: dict[str, list[int]], best: list[int], choices: Any
) -> None:
    found = read(write(tmp_path, {"code": ["A", "B"], **columns}))
    assert found.residents.tolist() == best
    told = [row["reason"] for row in found.problems]
    assert told == choices if isinstance(choices, list) else len(told) == choices
    # Named, there is no choice.
    other = list(columns)[-1]
    named = read(write(tmp_path, {"code": ["A", "B"], **columns}), column=other)
    assert named.residents.tolist() == columns[other]
    assert not named.problems


def square_names() -> tuple[str, str]:
    [corner] = gpd.GeoSeries([box(X + 100, Y + 100, X + 101, Y + 101)], crs=2154).to_crs(3035)
    east, north = corner.centroid.x, corner.centroid.y
    return tuple(  # type: ignore[return-value]
        f"CRS3035RES{side}mN{int(north // side * side)}E{int(east // side * side)}"
        for side in (1000, 200)
    )


@pytest.mark.parametrize("first", ["idcar_1km", "idcar_200m"])
def test_people_are_in_the_smallest_square_wherever_its_column_stands(
    tmp_path: Path, first: str
) -> None:
    wide, small = square_names()
    columns = {"idcar_1km": [wide, wide], "idcar_200m": [small, small.replace("N28", "N29")]}
    ordered = {first: columns[first], **columns}
    found = read(write(tmp_path, {**ordered, "ind": [100, 5]}))
    assert found.residents.tolist() == [100]
    [shape] = found.shapes
    assert shape.area == pytest.approx(40_000, rel=0.01)
    [told] = found.problems
    assert (told["field"], told["value"]) == ("idcar_200m", "idcar_1km (1000 m)")


@pytest.mark.parametrize("ending", ["parquet", "json"])
def test_tables_in_other_formats(tmp_path: Path, ending: str) -> None:
    table = pd.DataFrame({"code": ["A", "B"], "population": [8.125, 1.5]})
    path = tmp_path / f"p.{ending}"
    if ending == "parquet":
        table.to_parquet(path)
    else:
        path.write_text(json.dumps(table.to_dict("records")), encoding="utf-8")
    found = read(path)
    # What is a number in the file has no thousands.
    assert found.residents.tolist() == [8.125, 1.5]
    assert not found.problems


@pytest.mark.parametrize(
    ("texts", "numbers", "sign"),
    [
        (["1.012.345", "8.100"], [1012345, 8100], "point"),
        (["8.100", "950"], [8100, 950], "point"),
        (["8.100,5", "950"], [8100.5, 950], "point"),
        (["8.100", "12.5"], [8.1, 12.5], ""),
        (["8.100", "0.250"], [8.1, 0.25], ""),
        (["8,100", "950"], [8100, 950], "comma"),
        (["8,100", "12,5"], [8.1, 12.5], ""),
        (["8,100", "9.125"], [8100, 9.125], "comma"),
        (["8 100", "12\u202f345"], [8100, 12345], ""),
        (["8'100", "12’345"], [8100, 12345], ""),
        (["-8.100"], [-8100], "point"),
    ],
)
def test_thousands(texts: list[str], numbers: list[float], sign: str) -> None:
    counts = read_counts(texts)
    assert counts.numbers.tolist() == numbers
    assert (counts.sign if counts.thousands else "") == sign


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=9))
def test_numbers_of_people_are_read_as_they_were_written(numbers: list[int]) -> None:
    for sign in (".", ",", "\u202f", "'"):
        texts = [f"{number:,}".replace(",", sign) for number in numbers]
        assert read_counts(texts).numbers.tolist() == numbers


@given(st.lists(st.floats(0, 1e6).map(lambda n: round(n, 2)), min_size=1, max_size=9))
def test_decimals_are_never_taken_for_thousands(numbers: list[float]) -> None:
    for sign in ".,":
        texts = [f"{number:.2f}".replace(".", sign) for number in numbers]
        assert np.allclose(read_counts(texts).numbers, numbers, rtol=0, atol=1e-9)


def test_thousands_are_told(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"code": ["A", "B"], "population": ["8.100", "12.345"]}))
    assert found.residents.tolist() == [8100, 12345]
    [told] = found.problems
    assert (told["row"], told["reason"]) == (1, "point between thousands, or decimals")
    path = tmp_path / "w.csv"
    path.write_text("code;value\nA;1.200\nB;950\n", encoding="utf-8")
    weights = read_weights(path, AREA)
    assert dict(weights.values) == {"A": 1200, "B": 950}
    assert weights.problems[0]["action"] == "chosen: thousands"
