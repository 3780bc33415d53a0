"""Snapshots: dated folders with all that a fetch brought, so that nothing else needs the internet.

A snapshot is written under another name and takes its own when it is whole.
"""

from __future__ import annotations

import dataclasses
import datetime
import gzip
import json
import os
import re
import shutil
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from quart_heure.errors import InputFileError, OutputError
from quart_heure.files import sha256_of
from quart_heure.stamp import creation_time, tool_version

NETWORK = "network.parquet"
DISTRICTS = "districts.geojson"
SERVICES = "services_candidates.geojson"
RAW = "osm_raw.json.gz"
STUDY = "study.toml"
_MANIFEST = "manifest.json"
_KIND = "quart-heure snapshot"
_FORMAT = 1
_OPTIONAL = frozenset({RAW})


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """A snapshot on disk.

    Parameters
    ----------
    folder
        Its folder.
    manifest
        What it holds: ``name``, ``osm_date``, ``territory``, ``queries``, ``counts``, ``dropped``,
        ``files`` and more (see ``docs/fetch.md``).
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the territory."""
        return str(self.manifest["name"])

    @property
    def osm_date(self) -> str:
        """The data's own date, ISO 8601, ``""`` if the server did not say."""
        return str(self.manifest["osm_date"])

    @property
    def territory_key(self) -> str:
        """What two snapshots of one territory have in common."""
        return str(self.manifest["territory"]["key"])

    def file(self, name: str) -> Path:
        """Return the path of one of its files (`NETWORK`, `DISTRICTS`, …)."""
        return self.folder / name

    @property
    def has_raw(self) -> bool:
        """Whether the raw elements were kept."""
        return RAW in self.manifest["files"]

    def raw_elements(self) -> list[dict[str, Any]]:
        """Return the streets as Overpass gave them, each element once.

        Raises
        ------
        InputFileError
            If they were not kept, or cannot be read.
        """
        path = self.file(RAW)
        if not self.has_raw:
            msg = f"{self.folder}: the raw elements were not kept."
            raise InputFileError(msg, hint="Fetch again without --no-raw.")
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                elements: list[dict[str, Any]] = json.load(file)["elements"]
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
            msg = f"{path}: cannot be read ({error})."
            raise InputFileError(msg, hint="Fetch again.") from error
        return elements


def slug(name: str) -> str:
    """Return a name as part of a file name: ``Saint-Étienne, France`` is ``saint-etienne``."""
    plain = unicodedata.normalize("NFKD", name.partition(",")[0]).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60] or "territory"


def write_snapshot(
    parent: Path,
    *,
    name: str,
    osm_date: str,
    writers: Mapping[str, Callable[[Path], None]],
    manifest: Mapping[str, Any],
    origin: Mapping[str, str],
    origins: Mapping[str, Mapping[str, str]] | None = None,
) -> Snapshot:
    """Write a snapshot into a new dated folder, whole or not at all.

    Parameters
    ----------
    parent
        Folder to write it in; made if it does not exist.
    name
        Name of the territory.
    osm_date
        The data's own date, ISO 8601; "" where it is not known.
    writers
        For each file, what writes it.
    manifest
        What to say besides name, date, version and files.
    origin
        ``source``, ``licence`` and ``attribution`` of the files.
    origins
        The same, and ``date``, of files that come from elsewhere.

    Returns
    -------
    Snapshot
        Its folder is called after name and date (``undated`` without one), with a number if that
        name was taken.

    Raises
    ------
    OutputError
        If it cannot be written. Nothing is left behind then.
    """
    created = creation_time()
    day = osm_date[:10] if _is_day(osm_date[:10]) else "undated"
    base = f"{slug(name)}-{day}"
    temporary = parent / f".{base}-{os.getpid()}.partial"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for file, write in writers.items():
            write(temporary / file)
        whole = {
            "kind": _KIND,
            "format": _FORMAT,
            "tool": "quart-heure",
            "version": tool_version(),
            "created": created,
            "name": name,
            "osm_date": osm_date,
            **manifest,
            **origin,
            "files": {
                file: {
                    "sha256": sha256_of(temporary / file),
                    "bytes": (temporary / file).stat().st_size,
                    "date": osm_date,
                    **origin,
                    **(origins or {}).get(file, {}),
                }
                for file in sorted(writers)
            },
        }
        text = json.dumps(whole, ensure_ascii=False, indent=2) + "\n"
        (temporary / _MANIFEST).write_text(text, encoding="utf-8")
        folder = _move(temporary, parent, base)
    except OSError as error:
        # Our own errors of writing are OSError too, and say where already.
        if isinstance(error, OutputError):
            raise
        msg = f"{parent / base}: cannot be written ({error.strerror or error})."
        raise OutputError(msg, hint="Choose a folder you may write to, with room left.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Snapshot(folder=folder, manifest=whole)


def _is_day(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _move(temporary: Path, parent: Path, base: str) -> Path:
    """Give a folder its name, or the first free one with a number: nothing is written over."""
    number = 1
    while True:
        folder = parent / (base if number == 1 else f"{base}-{number}")
        if not folder.exists():
            return temporary.rename(folder)
        number += 1


def read_snapshot(folder: Path, *, check: bool = True) -> Snapshot:
    """Read a snapshot.

    Parameters
    ----------
    folder
        Its folder.
    check
        Whether to compare the files with their hashes. The study file is yours to change and is
        not compared.

    Raises
    ------
    InputFileError
        If it is no snapshot, or a file is missing or not what was fetched.
    """
    path = folder / _MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["kind"] != _KIND:
            raise KeyError(manifest["kind"])
        names = {name: str(about["sha256"]) for name, about in manifest["files"].items()}
        wanted = {key: manifest[key] for key in ("name", "osm_date", "territory", "counts")}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        msg = f"{folder}: this is no snapshot ({type(error).__name__}: {error})."
        raise InputFileError(msg, hint="Give a folder that 'quart-heure fetch' wrote.") from error
    if manifest.get("format") != _FORMAT or not isinstance(wanted["territory"], dict):
        msg = f"{folder}: a snapshot of another version of quart-heure."
        raise InputFileError(msg, hint="Fetch it again.")
    for name, digest in names.items() if check else ():
        file = folder / name
        if not file.is_file() and name not in _OPTIONAL:
            msg = f"{file}: missing from the snapshot."
            raise InputFileError(msg, hint="Fetch it again.")
        if name != STUDY and file.is_file() and sha256_of(file) != digest:
            msg = f"{file}: not what was fetched (its hash is another)."
            raise InputFileError(msg, hint="Keep your own changes in another folder; fetch again.")
    return Snapshot(folder=folder, manifest=manifest)


def find_snapshots(parent: Path, *, territory_key: str) -> list[Snapshot]:
    """Return the snapshots of a territory in a folder, the oldest first; files are not checked."""
    found = []
    for path in sorted(parent.glob(f"[!.]*/{_MANIFEST}")):
        try:
            snapshot = read_snapshot(path.parent, check=False)
        except InputFileError:
            continue  # a folder of results has a manifest too
        if snapshot.manifest["territory"].get("key") == territory_key:
            found.append(snapshot)

    def age(snapshot: Snapshot) -> tuple[str, str, str]:
        created = str(snapshot.manifest.get("created", ""))
        return snapshot.osm_date or created, created, snapshot.folder.name

    return sorted(found, key=age)


def write_features(path: Path, features: Iterable[Mapping[str, Any]]) -> None:
    """Write GeoJSON features, one per line, the same bytes for the same features."""
    lines = [json.dumps(feature, ensure_ascii=False) for feature in features]
    head = '{"type": "FeatureCollection", "features": [\n'
    path.write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


def write_elements(
    path: Path, elements: Sequence[Mapping[str, Any]], *, osm_date: str, attribution: str
) -> None:
    """Write raw elements in the form of an Overpass answer, each once, packed, the same bytes."""
    order = {"node": 0, "way": 1, "relation": 2}
    once = {(order[e["type"]], int(e["id"])): e for e in reversed(elements)}
    lines = ",\n".join(json.dumps(once[key], ensure_ascii=False) for key in sorted(once))
    head = {"version": 0.6, "osm3s": {"timestamp_osm_base": osm_date, "copyright": attribution}}
    text = json.dumps(head, ensure_ascii=False)[:-1] + ', "elements": [\n' + lines + "\n]}\n"
    with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        packed.write(text.encode())
