"""Bad inputs: the files of the toy town, changed by chance."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from helpers import study_files, toy_town
from helpers.assault.trials import Trial

_TEXTS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e300",
        "-1e300",
        "nan",
        "inf",
        "NULL",
        "n/a",
        "é" * 300,
        "\x00",
        "\ufeff",
    ),
    *("x" * 5_000, "48,85", "48.85.1", "1/0", "2026-13-45", "Mo-Fr 08:00-25:00", "24/7 off", "oui"),
    *('"', "'", ";;;", "\n", "\r\n\r\n", "=1+1", "<b>", "../../x", "\u202e", "٣", "0x1F", "1_000"),
)
_VALUES = (
    *(
        "0",
        "-1",
        "1e400",
        "nan",
        "inf",
        "-inf",
        "true",
        '""',
        '"x"',
        "[]",
        "[1, 2]",
        "{}",
        '"é\\u0000"',
    ),
    *(
        "99999999999999999999",
        "[[]]",
        '["a", "a"]',
        "2026-12-06",
        '"EPSG:4326"',
        '"' + "x" * 5_000 + '"',
    ),
)
_KEYS = ("threshold_min", "isochrones_min", "cell_m", "snap_m", "min_gap_ha", "categories", "at")


def bad_inputs(rng: random.Random, folder: Path) -> Iterator[Trial]:
    """Change one file of the toy town at a time, and ask for an analysis or a check."""
    whole = folder / "whole"
    whole.mkdir(parents=True)
    study_files.write_town(whole)
    _write_geojson(whole)
    number = 0
    while True:
        number += 1
        town = folder / f"{number:04d}"
        shutil.copytree(whole, town)
        change = rng.choice((_cells, _cells, _settings, _bytes, _bytes, _lines, _kinds, _geojson))
        told = change(rng, town)
        out = town / "out"
        command = rng.choice((["analyse", "study.toml", "-o", "out"], ["check", "study.toml"]))
        yield Trial(
            name=f"{told}: {command[0]}",
            arguments=[
                command[0],
                str(town / "study.toml"),
                *(["-o", str(out)] if "-o" in command else []),
            ],
            outputs=[out],
            judge=lambda ended, out=out: (
                "a refusal left files" if ended.code and out.is_dir() and any(out.iterdir()) else ""
            ),
        )


def _write_geojson(folder: Path) -> None:
    """Write the districts and services as GeoJSON too."""
    districts = toy_town.town_area().districts.to_crs(4326)
    (folder / "districts.geojson").write_text(districts.to_json(), encoding="utf-8")


def _cells(rng: random.Random, town: Path) -> str:
    path = town / "services.csv"
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    told = []
    for _ in range(rng.choice((1, 1, 3, 30))):
        row, column = rng.randrange(len(rows)), rng.randrange(len(rows[0]))
        rows[row][column] = rng.choice(_TEXTS)
        told.append(f"{row},{column}={rows[row][column][:12]!r}")
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return f"cells of services.csv {told[0]}"


def _settings(rng: random.Random, town: Path) -> str:
    path = town / "study.toml"
    text, value = path.read_text(encoding="utf-8"), rng.choice(_VALUES)
    if rng.random() < 0.5:
        key = rng.choice(_KEYS)
        text += f"\n[analysis]\n{key} = {value}\n"
    else:
        keys = re.findall(r"^(\w+) = ", text, re.MULTILINE)
        key = rng.choice(keys)
        text = re.sub(rf"^{key} = .*$", lambda _: f"{key} = {value}", text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    return f"study.toml {key} = {value[:20]}"


def _bytes(rng: random.Random, town: Path) -> str:
    """Damage a file as disks and transfers do."""
    path = town / rng.choice(("services.csv", "study.toml", "districts.parquet", "network.parquet"))
    content = bytearray(path.read_bytes())
    at = rng.randrange(len(content))
    how = rng.choice(("cut", "empty", "flip", "zeros", "noise", "twice"))
    if how == "cut":
        content = content[:at]
    elif how == "empty":
        content = bytearray()
    elif how == "flip":
        content[at] ^= 1 << rng.randrange(8)
    elif how == "zeros":
        content[at : at + 64] = bytes(64)
    elif how == "noise":
        content[at : at + 16] = rng.randbytes(16)
    else:
        content += content
    path.write_bytes(content)
    return f"{path.name} {how} at {at}"


def _lines(rng: random.Random, town: Path) -> str:
    path = town / rng.choice(("services.csv", "study.toml"))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    how = rng.choice(("shuffled", "doubled", "one gone", "utf-16", "latin-1", "a mark", "cr"))
    if how == "shuffled":
        rng.shuffle(lines)
    elif how == "doubled":
        lines += lines
    elif how == "one gone":
        del lines[rng.randrange(len(lines))]
    text = "".join(lines)
    encoding = {"utf-16": "utf-16", "latin-1": "latin-1", "a mark": "utf-8-sig"}.get(how, "utf-8")
    if how == "cr":
        text = text.replace("\n", "\r")
    path.write_bytes(text.encode(encoding, "replace"))
    return f"{path.name} {how}"


def _kinds(rng: random.Random, town: Path) -> str:
    """Give one file for another, or none."""
    names = ["services.csv", "districts.parquet", "network.parquet", "residents.parquet"]
    name, other = rng.sample(names, 2)
    how = rng.choice(("another", "folder", "gone", "link to itself"))
    (town / name).unlink()
    if how == "another":
        shutil.copy(town / other, town / name)
    elif how == "folder":
        (town / name).mkdir()
    elif how == "link to itself":
        (town / name).symlink_to(name)
    return f"{name} is {other if how == 'another' else how}"


def _geojson(rng: random.Random, town: Path) -> str:
    """Change the shapes of the districts."""
    study_files.swap(town / "study.toml", "districts.parquet", "districts.geojson")
    path = town / "districts.geojson"
    layer = json.loads(path.read_text(encoding="utf-8"))
    feature = rng.choice(layer["features"])
    shape = feature["geometry"]
    how = rng.choice(("null", "point", "flat", "far", "swapped", "nan", "empty", "twice", "deep"))
    ring = shape["coordinates"][0]
    if how == "null":
        feature["geometry"] = None
    elif how == "point":
        feature["geometry"] = {"type": "Point", "coordinates": ring[0]}
    elif how == "flat":
        shape["coordinates"] = [[ring[0]] * 4]
    elif how == "far":
        shape["coordinates"] = [[[x + 1e6, y] for x, y, *_ in ring]]
    elif how == "swapped":
        shape["coordinates"] = [[[y, x] for x, y, *_ in ring]]
    elif how == "nan":
        ring[0] = [None, "x"]
    elif how == "empty":
        layer["features"] = []
    elif how == "twice":
        layer["features"] *= 2
    else:
        shape["coordinates"] = [shape["coordinates"]]
    path.write_text(json.dumps(layer), encoding="utf-8")
    return f"districts.geojson {how}"
