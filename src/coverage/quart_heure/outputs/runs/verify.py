"""Is it still true: a folder of results against its hashes, and against a new computation."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio
import pyogrio.errors
from pyarrow import ArrowException, parquet

from quart_heure.cache import Cache
from quart_heure.files import AnyPath, sha256_of
from quart_heure.outputs.results.manifest import read_manifest
from quart_heure.outputs.results.write import write_results
from quart_heure.outputs.runs.rerun import InputState, inputs_at_hand, recomputed
from quart_heure.sources.vector_formats import vector_sources
from quart_heure.stamp import tool_version
from quart_heure.study.definition_changes import changes_between, definitions_date

__all__ = ["Verification", "verify_run"]

_SHOWN = 5
_DESCRIBING = frozenset({"manifest"})
"""Layers that tell of the run, not of the place."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """Cells of a table that are another than those recomputed.

    Parameters
    ----------
    table
        File, and layer in it.
    column
        Where they are; empty where rows or columns are missing.
    cells
        How many.
    examples
        A few: row, and both values.
    """

    table: str
    column: str
    cells: int
    examples: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verification:
    """What became of a run.

    Parameters
    ----------
    directory, manifest
        The run.
    changed_files
        Files of the folder that are missing or no longer what was written.
    inputs
        Each input and what became of it.
    study_changed
        Whether the study file is another than then.
    missing
        Why the study was not found; empty if it was.
    recomputed
        Whether everything was computed anew; else hashes alone were looked at.
    tables
        How many tables and layers were compared.
    differences
        Where they differ.
    program
        Versions then and now, and changes of definitions between, where they differ.
    """

    directory: Path
    manifest: Mapping[str, Any]
    changed_files: list[str]
    inputs: tuple[InputState, ...]
    study_changed: bool
    missing: str
    recomputed: bool
    tables: int
    differences: tuple[Difference, ...]
    program: tuple[str, str] | None
    definitions: list[dict[str, str]]

    @property
    def lost(self) -> list[InputState]:
        """Inputs that are not the same any more."""
        return [one for one in self.inputs if one.state not in ("same", "untold")]

    @property
    def verified(self) -> bool:
        """Whether all that was looked at is the same."""
        return not (self.changed_files or self.lost or self.missing or self.differences)


def verify_run(
    directory: AnyPath,
    *,
    study: AnyPath | None = None,
    quick: bool = False,
    cache: Cache | None = None,
    progress: Callable[[str], None] | None = None,
) -> Verification:
    """Verify a folder of results: its files, its inputs, and every figure recomputed.

    Parameters
    ----------
    directory
        The folder.
    study
        Its study file, where it is no longer where the manifest says.
    quick
        Whether hashes alone are looked at.
    cache, progress
        As in `quart_heure.study.line.analyse`; by default nothing is kept, nor taken from before.

    Raises
    ------
    InputFileError
        If the folder is not a result, or its manifest does not tell what was asked.
    """
    study = None if study is None else Path(study)
    directory = Path(directory)
    manifest = read_manifest(directory)
    changed = [
        name
        for name, about in manifest["files"].items()
        if not (directory / name).is_file() or sha256_of(directory / name) != about["sha256"]
    ]
    at_hand = inputs_at_hand(manifest, directory, study)
    tables, found = 0, tuple[Difference, ...]()
    again = at_hand.whole and not quick
    if again:
        store = cache or Cache(None)
        coverage = recomputed(at_hand.study(store), manifest, cache=store, progress=progress)
        with tempfile.TemporaryDirectory(prefix="quart-heure-") as folder:
            write_results(coverage, Path(folder))
            tables, found = compare_folders(directory, Path(folder), list(manifest["files"]))
    today = {"definitions_date": definitions_date(), "parameters": {"entries_within_m": 1}}
    then = str(manifest.get("version", ""))
    definitions = changes_between(manifest, today)
    return Verification(
        directory=directory,
        manifest=manifest,
        changed_files=changed,
        inputs=at_hand.inputs,
        study_changed=at_hand.study_changed,
        missing=at_hand.missing,
        recomputed=again,
        tables=tables,
        differences=found,
        program=(then, tool_version()) if then != tool_version() or definitions else None,
        definitions=definitions,
    )


def compare_folders(
    stored: Path, again: Path, names: list[str]
) -> tuple[int, tuple[Difference, ...]]:
    """Compare tables and layers of two folders, cell by cell.

    Returns
    -------
    tuple
        How many tables were compared, and where they differ.
    """
    tables, found = 0, list[Difference]()
    for name in names:
        if not (stored / name).is_file():
            found.append(Difference(name, "", 0, ("the file is missing",)))
            continue
        if not (again / name).is_file():
            found.append(Difference(name, "", 0, ("this version does not write it",)))
            continue
        try:
            before, after = _tables(stored / name), _tables(again / name)
        except (OSError, ValueError, ArrowException, pyogrio.errors.DataSourceError) as error:
            found.append(Difference(name, "", 0, (f"cannot be read ({error})",)))
            continue
        for layer in dict.fromkeys([*before, *after]):
            tables += 1
            label = f"{name}, {layer}" if layer else name
            if layer not in before or layer not in after:
                where = "is new" if layer not in before else "is missing"
                found.append(Difference(label, "", 0, (f"the layer {where}",)))
            else:
                found += _differences(label, before[layer], after[layer])
    return tables, tuple(found)


def _tables(path: Path) -> dict[str, pd.DataFrame]:
    """Read a file as it is, each layer a table of plain values; shapes are their bytes."""
    if path.suffix == ".csv":
        return {"": pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")}
    if path.suffix == ".parquet":
        return {"": parquet.read_table(path).to_pandas()}
    vector_sources(path)  # no file that leads to another
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    return {
        layer: pyogrio.raw.read_arrow(path, layer=layer)[1].to_pandas()
        for layer in layers
        if layer not in _DESCRIBING
    }


def _differences(label: str, before: pd.DataFrame, after: pd.DataFrame) -> list[Difference]:
    found = []
    for name in [*before.columns.difference(after.columns, sort=False)]:
        found.append(
            Difference(label, str(name), len(before), ("this version has no such column",))
        )
    for name in [*after.columns.difference(before.columns, sort=False)]:
        found.append(Difference(label, str(name), len(after), ("the column is not in the file",)))
    if len(before) != len(after):
        words = f"{len(before)} rows in the file, {len(after)} recomputed"
        return [*found, Difference(label, "", abs(len(before) - len(after)), (words,))]
    for name in before.columns.intersection(after.columns, sort=False):
        one, other = before[name].astype(object), after[name].astype(object)
        differs = ((one != other) & ~(one.isna() & other.isna())).to_numpy()
        if differs.any():
            at = differs.nonzero()[0]
            examples = tuple(
                f"row {row + 1}: {_shown(one.iloc[row])} in the file, "
                f"{_shown(other.iloc[row])} recomputed"
                for row in at[:_SHOWN]
            )
            found.append(Difference(label, str(name), len(at), examples))
    return found


def _shown(value: Any) -> str:
    return f"a shape of {len(value)} bytes" if isinstance(value, bytes) else repr(value)
