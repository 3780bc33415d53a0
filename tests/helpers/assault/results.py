"""Results edited by hand, and caches damaged or forged."""

from __future__ import annotations

import copy
import io
import json
import random
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from helpers import study_files
from helpers.assault.trials import Ended, Trial

_VALUES: tuple[Any, ...] = (
    None,
    "",
    "x",
    [],
    {},
    7,
    -1.5,
    True,
    [None],
    [{}],
    {"a": None},
    "\0",
    "9" * 40,
)
_READERS = (
    ("info",),
    ("info", "--json"),
    ("report",),
    ("report", "--format", "html"),
    ("report", "--format", "json"),
    ("compare", "KEPT"),
)


def edited_results(rng: random.Random, folder: Path) -> Iterator[Trial]:
    """Edit a manifest or a table, and read the folder."""
    folder.mkdir(parents=True)
    study = study_files.write_town(folder)
    kept, edited = folder / "kept", folder / "edited"
    yield Trial(
        name="an analysis", arguments=["analyse", str(study), "-o", str(kept)], codes=frozenset({0})
    )
    while True:
        shutil.rmtree(edited, ignore_errors=True)
        shutil.copytree(kept, edited)
        told = rng.choice((_edit_manifest, _edit_manifest, _edit_table, _damage))(rng, edited)
        reader = [str(kept) if word == "KEPT" else word for word in rng.choice(_READERS)]
        yield Trial(
            name=f"{told}: {' '.join(reader[:1])}",
            arguments=[*reader, str(edited)],
            codes=frozenset({0, 3}),
        )


def _edit_manifest(rng: random.Random, folder: Path) -> str:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    places = list(_places(manifest))
    place = rng.choice(places)
    value = rng.choice(_VALUES)
    at = manifest
    for key in place[:-1]:
        at = at[key]
    how = rng.choice(("set", "set", "gone", "another"))
    if how == "gone":
        del at[place[-1]]
    elif how == "set":
        at[place[-1]] = copy.deepcopy(value)
    else:
        other = rng.choice(places)
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        for key in other:
            found = found[key]
        at[place[-1]] = found
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return f"manifest {'.'.join(map(str, place))} {how} {str(value)[:12]!r}"


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to every value, of long lists to the first alone."""
    if place:
        yield place
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*place, key))
    elif isinstance(value, list) and value:
        yield from _places(value[0], (*place, 0))


def _edit_table(rng: random.Random, folder: Path) -> str:
    """Edit a cell of a table, and its hash in the manifest too."""
    path = folder / rng.choice(
        ("indicators.csv", "gaps.csv", "composite.csv", "problems.csv", "freshness.csv")
    )
    lines = path.read_text(encoding="utf-8").splitlines()
    how = rng.choice(("cell", "row gone", "row twice", "rows gone", "column gone"))
    row = rng.randrange(1, len(lines)) if len(lines) > 1 else 0
    if how == "cell":
        cells = lines[row].split(",")
        cells[rng.randrange(len(cells))] = rng.choice(("", "x", "-1", "1e300", "nan", "99999"))
        lines[row] = ",".join(cells)
    elif how == "row gone":
        del lines[row]
    elif how == "row twice":
        lines.append(lines[row])
    elif how == "rows gone":
        del lines[1:]
    else:
        lines = [line.partition(",")[2] for line in lines]
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(content)
    manifest = folder / "manifest.json"
    told = json.loads(manifest.read_text(encoding="utf-8"))
    told["files"][path.name] = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
    manifest.write_text(json.dumps(told), encoding="utf-8")
    return f"{path.name} {how}, its hash too"


def _damage(rng: random.Random, folder: Path) -> str:
    path = rng.choice(sorted(folder.iterdir()))
    how = rng.choice(("gone", "cut", "flip", "folder"))
    content = bytearray(path.read_bytes())
    path.unlink()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "flip" and content:
        content[rng.randrange(len(content))] ^= 4
        path.write_bytes(content)
    elif how == "folder":
        path.mkdir()
    return f"{path.name} {how}"


def caches(rng: random.Random, folder: Path) -> Iterator[Trial]:
    """Damage or forge an entry of the cache: the report is the same, to the byte."""
    folder.mkdir(parents=True)
    study, cache = study_files.write_town(folder), folder / "cache"
    whole: list[bytes] = []

    def same(ended: Ended) -> str:
        whole.append(ended.out)
        return "" if ended.out == whole[0] else "another report"

    def report(name: str) -> Trial:
        return Trial(
            name=name,
            arguments=["report", str(study), "--format", "json"],
            environment={"QUART_HEURE_CACHE": str(cache), "SOURCE_DATE_EPOCH": "1800000000"},
            codes=frozenset({0}),
            judge=same,
        )

    yield report("an empty cache")
    yield report("a full cache")
    kept = {path: path.read_bytes() for path in sorted(cache.glob("*.npz"))}
    while True:
        path = rng.choice(list(kept))
        how = rng.choice(
            ("empty", "cut", "noise", "flip", "other", "folder", "link", *["forged"] * 5)
        )
        content = bytearray(kept[path])
        path.unlink()
        if how == "cut":
            content = content[: len(content) // 2]
        elif how == "noise":
            content = bytearray(rng.randbytes(500))
        elif how == "flip":
            content[rng.randrange(len(content))] ^= 1
        elif how == "other":
            content = bytearray(kept[rng.choice(list(kept))])
        elif how == "forged":
            content = bytearray(_forged(rng, kept[path]))
        if how == "folder":
            path.mkdir()
        elif how == "link":
            path.symlink_to("nothing")
        else:
            path.write_bytes(b"" if how == "empty" else content)
        yield report(f"{path.name.partition('-')[0]} {how}")
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        for one, was in kept.items():
            if one.is_symlink():
                one.unlink()
            one.write_bytes(was)


def _forged(rng: random.Random, content: bytes) -> bytes:
    """Make an entry with the right key and other arrays, as other code would have stored."""
    with np.load(io.BytesIO(content)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    name = rng.choice([name for name in arrays if name != "_key"])
    how = rng.choice(("shorter", "words", "gone", "flat", "more", "far"))
    values = arrays[name]
    if how == "shorter":
        arrays[name] = values[:-1]
    elif how == "words":
        arrays[name] = np.full(values.shape, "x")
    elif how == "gone":
        del arrays[name]
    elif how == "flat":
        arrays[name] = np.array(7)
    elif how == "more":
        arrays["more"] = np.arange(3)
    elif name in {"place", "edge", "nearest", "indices", "indptr", "offsets", "ends"}:
        arrays[name] = values + np.array(10_000_000, dtype=values.dtype)
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()
