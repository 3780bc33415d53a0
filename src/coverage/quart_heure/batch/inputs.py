"""Inputs of a territory: brought to where it is worked out, and told from what they were before."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import hmac
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from quart_heure.batch.storage import Store, is_remote
from quart_heure.cache import Cache
from quart_heure.errors import InputFileError
from quart_heure.files import replacing
from quart_heure.study.inputs import input_roles, paris_settings
from quart_heure.study.settings import StudySettings, read_settings, study_path

if TYPE_CHECKING:
    from quart_heure.batch.territory import Territory

_SECRET = "batch.secret"
_SECRET_BYTES = 32

Marks = list[tuple[str, str]]
"""Role of each input, and what tells its content from any other."""


@contextlib.contextmanager
def opened(study: str) -> Iterator[Path | None]:
    """Give the study file of a path, or of a URL with what it names; None for the packaged Paris.

    Raises
    ------
    InputFileError
        If it is not there.
    """
    if not study:
        yield None
    elif is_remote(study):
        with tempfile.TemporaryDirectory(prefix="quart-heure-") as made:
            yield _brought(study, Path(made))
    else:
        yield study_path(Path(study.removeprefix("file://")))


def settings_of(file: Path | None) -> StudySettings:
    """Return the settings of a study file; of the packaged Paris for None."""
    return paris_settings() if file is None else read_settings(file)


def _brought(study: str, folder: Path) -> Path:
    """Bring a study file and the files that it names from a store."""
    address, _, name = study.rpartition("/")
    store, file = Store(address), folder / name
    if not store.fetch(name, file):
        msg = f"{study}: there is no such study file."
        raise InputFileError(msg, hint="Give the URL of the study file itself.")
    settings = read_settings(file)
    names = [each.relative_to(folder) for each in _inside(settings, study)]
    for each in (*names, Path("manifest.json")):  # the last says where the others are from
        store.fetch(each.as_posix(), folder / each)
    return file


def _inside(settings: StudySettings, study: str) -> list[Path]:
    for each in settings.files():
        inside = PurePosixPath(os.path.normpath(each))
        if not inside.is_relative_to(os.path.normpath(settings.folder)):
            msg = f"{study}: names {each.name!r} outside its folder."
            raise InputFileError(msg, hint="Put the files of a study in a store beside it.")
    return settings.files()


# --- what was changed ----------------------------------------------------------------------------


def marks_of(territory: Territory, known: dict[str, Marks]) -> Marks:
    """Return what the inputs of a territory are told from others by, in a fixed order.

    Parameters
    ----------
    territory
        Whose inputs.
    known
        Those of studies that were looked at before: many territories share one. It is filled.

    Raises
    ------
    InputFileError, StudyFileError
        If the study or a file that it names cannot be read.
    """
    if territory.study not in known:
        known[territory.study] = _marks_of_study(territory.study)
    marks = list(known[territory.study])
    if territory.outline:
        # In place of the study's own: a territory more in its districts moves no other.
        marks = [mark for mark in marks if mark[0] != "districts"]
        outline = territory.crs.encode() + b"\0" + territory.outline
        marks.append(("outline", hashlib.sha256(outline).hexdigest()))
    return marks


def _marks_of_study(study: str) -> Marks:
    if is_remote(study):
        address, _, name = study.rpartition("/")
        with tempfile.TemporaryDirectory(prefix="quart-heure-") as made:
            file = Path(made) / name
            if not Store(address).fetch(name, file):
                msg = f"{study}: there is no such study file."
                raise InputFileError(msg, hint="Give the URL of the study file itself.")
            return _marks(read_settings(file), Store(address), name)
    if not study:
        settings = paris_settings()
        return _marks(settings, Store(str(settings.folder)), "")
    file = study_path(Path(study.removeprefix("file://")))
    return _marks(read_settings(file), Store(str(file.parent)), file.name)


def _marks(settings: StudySettings, store: Store, name: str) -> Marks:
    if settings.services.soliguide:
        msg = f"{settings.where}: asks Soliguide for places live, which a batch does not."
        raise InputFileError(msg, hint="Leave soliguide out of [services].")
    named = [("study", name)] if name else []
    named += input_roles(settings)
    if settings.map.background is not None:  # it tells where water is
        named.append(("background", settings.map.background))
    return [(role, store.mark_of(each)) for role, each in named]


def kept_marks(marks: Marks, *, discreet: bool, secret: bytes) -> list[list[str]]:
    """Return marks as a manifest may keep them.

    The hash of a file of services that holds discreet places would confirm a guess at them to whom
    all else in it is known: it is kept under a secret, which no file of the batch holds.
    """
    return [
        [role, sealed(mark, secret) if discreet and role == "services" else mark]
        for role, mark in marks
    ]


def are_same(kept: Sequence[Sequence[str]], marks: Marks, secret: bytes) -> bool:
    """Tell whether the inputs are those whose marks a manifest keeps."""
    if len(kept) != len(marks):
        return False
    return all(
        [role, mark] == list(before)
        or (bool(secret) and role == "services" and [role, sealed(mark, secret)] == list(before))
        for before, (role, mark) in zip(kept, marks, strict=True)
    )


def sealed(mark: str, secret: bytes) -> str:
    """Return a mark that only who has the secret can make; without one, a word that fits none."""
    return hmac.new(secret, mark.encode(), hashlib.sha256).hexdigest() if secret else "not kept"


def secret_of(cache: Cache) -> bytes:
    """Return the secret of this user, made when it is first asked for; empty without a cache.

    Without it, territories with discreet places are worked out again when a batch is taken up.
    """
    if cache.folder is None:
        return b""
    path = cache.folder / _SECRET
    with contextlib.suppress(OSError):
        kept = path.read_bytes()
        if len(kept) == _SECRET_BYTES:
            return kept
    made = os.urandom(_SECRET_BYTES)
    with contextlib.suppress(OSError):
        with replacing(path) as temporary:
            temporary.write_bytes(made)
        path.chmod(0o600)
        return made
    return b""


# --- the study of a territory --------------------------------------------------------------------


class _Brought:
    """A study in a folder that goes when nobody holds it any more."""

    def __init__(self, study: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="quart-heure-")
        self.file = _brought(study, Path(self._folder.name))


@functools.lru_cache(maxsize=1)
def _last_brought(study: str, marks: tuple[tuple[str, str], ...]) -> _Brought:  # noqa: ARG001 - the key
    """Keep the study that was brought last: the next territory is most often of the same."""
    return _Brought(study)


@contextlib.contextmanager
def settings_for(territory: Territory, marks: Marks) -> Iterator[StudySettings]:
    """Give the settings of the study of a territory, its outline in place of the study's area.

    Raises
    ------
    InputFileError, StudyFileError
        If they cannot be read.
    """
    if is_remote(territory.study):
        shared = tuple(mark for mark in marks if mark[0] != "outline")
        settings = read_settings(_last_brought(territory.study, shared).file)
    else:
        with opened(territory.study) as file:
            settings = settings_of(file)
    if not territory.outline:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="quart-heure-") as made:
        districts = Path(made) / "districts.parquet"
        _write_outline(territory, districts)
        area = dataclasses.replace(
            settings.area,
            districts=str(districts),
            name=territory.label,
            id_column="district_id",
            label_column="label",
            layer="",
            subdistricts=None,
            level="districts",
        )
        yield dataclasses.replace(settings, area=area)


def _write_outline(territory: Territory, path: Path) -> None:
    import geopandas as gpd  # noqa: PLC0415 - only where a territory has an outline of its own

    columns: Mapping[str, list[str]] = {
        "district_id": [territory.code],
        "label": [territory.label],
    }
    shape = gpd.GeoSeries.from_wkb([territory.outline], crs=territory.crs)
    gpd.GeoDataFrame(columns, geometry=shape).to_parquet(path)
