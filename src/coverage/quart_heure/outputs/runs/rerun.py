"""A run again: the study of a folder of results, where its inputs are still at hand.

The manifest tells which study file, which inputs by their hashes, and every parameter; the place
of the study file stands beside it, relative to the folder, where both lie in one folder.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from quart_heure.cache import Cache
from quart_heure.errors import InputFileError, QuartHeureError
from quart_heure.files import sha256_of
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.write import text_tables
from quart_heure.profiles import WalkProfile
from quart_heure.study.asked import Asked
from quart_heure.study.coverage import Coverage
from quart_heure.study.inputs import input_roles, paris_settings
from quart_heure.study.line import analyse
from quart_heure.study.origin import PLACE_KEY, background_of
from quart_heure.study.settings import StudySettings, read_settings, study_path
from quart_heure.study.study import Study

if TYPE_CHECKING:
    from quart_heure.outputs.results.read import Results

State = Literal["same", "untold", "changed", "gone", "live", "new"]

_AT_HAND: tuple[State, ...] = ("same", "untold")


@dataclasses.dataclass(frozen=True)
class InputState:
    """One input of a run: whether the file is still what the figures were made from.

    ``live`` was asked of a server and kept nowhere; ``new`` is named by the study today alone. Of
    services with discreet places no hash is kept, which would confirm a guess: they are ``untold``,
    and the figures recomputed from them say whether they are the same.
    """

    role: str
    file: str
    state: State


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class AtHand:
    """What is left of the inputs of a run.

    Parameters
    ----------
    manifest
        Of the run.
    settings
        Its study; None where it was not found, and ``missing`` says why.
    inputs
        The state of each.
    study_changed
        Whether the study file is another than then; parameters are taken from the manifest.
    """

    manifest: Mapping[str, Any]
    settings: StudySettings | None
    inputs: tuple[InputState, ...]
    study_changed: bool = False
    missing: str = ""

    @property
    def whole(self) -> bool:
        """Whether every file is there, the same as then."""
        return self.settings is not None and all(one.state in _AT_HAND for one in self.inputs)

    @property
    def lost(self) -> list[str]:
        """What is not, in words of the command line."""
        if self.settings is None:
            return [self.missing]
        return [
            f"{one.role} {one.file}: {one.state}"
            for one in self.inputs
            if one.state not in _AT_HAND
        ]

    def study(self, cache: Cache, *, walks_m: float = 0.0) -> Study:
        """Read the study, with the parameters of the run.

        Raises
        ------
        QuartHeureError
            If it cannot be read, or the manifest does not hold what it needs.
        """
        assert self.settings is not None  # callers ask `whole` first
        # What the study file asks today is not what was asked then.
        bare = dataclasses.replace(
            self.settings,
            analysis={},
            services=dataclasses.replace(self.settings.services, counted_status=None),
        )
        return Study.from_settings(bare, cache=cache, walks_m=walks_m, **asked_of(self.manifest))


def inputs_at_hand(
    manifest: Mapping[str, Any], directory: Path, study: Path | None = None
) -> AtHand:
    """Look for the inputs of a run.

    Parameters
    ----------
    manifest
        Of the run.
    directory
        Folder of its results.
    study
        Its study file, or the folder that holds it; by default what the manifest says.
    """
    try:
        settings, missing = _settings(manifest, directory, study)
    except QuartHeureError as error:
        settings, missing = None, str(error)
    if settings is None:
        kept = [
            InputState(str(one.get("role", "")), str(one.get("file", "")), "gone")
            for one in manifest.get("inputs", [])
        ]
        return AtHand(manifest=manifest, settings=None, inputs=tuple(kept), missing=missing)
    told = manifest.get("study") or {}
    return AtHand(
        manifest=manifest,
        settings=settings,
        inputs=tuple(_states(manifest, settings)),
        study_changed=settings.file is not None
        and bool(told.get("sha256"))
        and sha256_of(settings.file) != told["sha256"],
    )


def recomputed(
    study: Study,
    manifest: Mapping[str, Any],
    *,
    cache: Cache,
    progress: Callable[[str], None] | None = None,
) -> Coverage:
    """Analyse a study as on the day of a run, and take out what must not be shown."""
    coverage = analyse(study, cache=cache, progress=progress)
    # How old facts are is counted from the day of the run.
    made = {**coverage.manifest, "created": manifest.get("created", coverage.manifest["created"])}
    return publishable(dataclasses.replace(coverage, manifest=made))


_FIGURES = ("indicators", "composite", "gaps", "gap_parts")
"""Tables that hold all that pages say of places."""


def run_again(
    results: Results,
    *,
    study: Path | None = None,
    cache: Cache,
    progress: Callable[[str], None] | None = None,
) -> Coverage:
    """Return the coverage that a folder of results was written from.

    Tables hold the figures, not the streets, the walks and the hours that maps and dossiers draw.
    These come from the inputs, which must be what they were, and the figures must be the same.

    Parameters
    ----------
    results
        The folder, read.
    study
        Its study file, where it is no longer where the manifest says.
    cache, progress
        As in `quart_heure.study.line.analyse`.

    Raises
    ------
    InputFileError
        If an input is gone or changed, or the figures are no longer those of the folder.
    """
    manifest, folder = results.manifest, results.directory
    at_hand = inputs_at_hand(manifest, folder, study)
    if not at_hand.whole:
        msg = (
            f"{folder} holds figures, not the streets and walks that are drawn, and what they were"
            f" made from is not at hand: {'; '.join(at_hand.lost)}."
        )
        hint = (
            f"'quart-heure report {folder}' needs the figures alone, {folder / 'map.html'} is the"
            " map that was written with them; or give a study file."
        )
        raise InputFileError(msg, hint=hint)
    coverage = recomputed(at_hand.study(cache), manifest, cache=cache, progress=progress)
    tables = text_tables(coverage)
    private = coverage.study.private
    texts = {f"{name}.csv": csv_text(*tables[name], private=private) for name in _FIGURES}
    other = [
        name
        for name, text in texts.items()
        if hashlib.sha256(text.encode()).hexdigest()
        != manifest["files"].get(name, {}).get("sha256")
    ]
    if other:
        msg = f"{folder}: {', '.join(other)} would be another today, from the same inputs."
        hint = f"'quart-heure verify {folder}' says why; 'analyse' makes new results."
        raise InputFileError(msg, hint=hint)
    return coverage


def asked_of(manifest: Mapping[str, Any]) -> Asked:
    """Return what a run asked of its study, read from the parameters of its manifest.

    Raises
    ------
    InputFileError
        If a parameter that is needed is not there, or is not what it should be.
    """
    told = manifest["parameters"]
    try:
        asked: Asked = {
            "categories": tuple(told["categories"]),
            "threshold_min": told["threshold_min"],
            "isochrones_min": tuple(told["isochrones_min"]),
            "cell_m": told["cell_m"],
            "snap_m": told["snap_m"],
            "min_gap_ha": told["min_gap_ha"],
            "useful_share": float(told["useful_component_pct"]) / 100,
            "counted_status": tuple(told["counted_status"]),
            "date": str(told.get("date", "")),
            "person": str(told.get("person", "")).split("+") if told.get("person") else None,
            "profile": WalkProfile(
                name=str(told["profile"]),
                speed_kmh=told["speed_kmh"],
                steps_factor=told["steps_factor"],
                steps_allowed=bool(told["steps_allowed"]),
                demanding_allowed=bool(told.get("demanding_allowed", True)),
            ),
            "private": bool(told.get("private", False)),
            **_hours_asked(told),
        }
        if "essentials" in told:
            asked["essentials"] = tuple(told["essentials"])
    except (KeyError, TypeError, ValueError) as error:
        msg = f"The manifest does not tell what was asked ({error!r})."
        hint = f"Written by version {manifest.get('version')}: run the analysis again."
        raise InputFileError(msg, hint=hint) from error
    return asked


def _hours_asked(told: Mapping[str, Any]) -> Asked:
    """Return what was asked about hours; a window is its day and two times of the clock."""
    hours: Asked = {}
    if "stay_min" in told:
        hours["stay_min"] = told["stay_min"]
    if told.get("country"):
        hours["country"] = str(told["country"])
    if "at" in told:
        start = datetime.datetime.fromisoformat(told["at"])
        if "until" in told:
            end = datetime.datetime.fromisoformat(told["until"])
            hours["on"], hours["between"] = start.date(), (start.time(), end.time())
        else:
            hours["at"] = start
    if "week_of" in told:
        hours["week"] = True
        if not told.get("week_is_newest"):
            hours["week_of"] = str(told["week_of"])
    return hours


def _settings(
    manifest: Mapping[str, Any], directory: Path, study: Path | None
) -> tuple[StudySettings | None, str]:
    """Return the study of a run, or why there is none."""
    if study is not None:
        return read_settings(study_path(study)), ""
    told = manifest.get("study")
    if told is None:
        paris = paris_settings()
        if all(one.state == "same" for one in _states(manifest, paris)):
            return paris, ""
        return None, "the manifest names no study file: give it with --study"
    if told.get("packaged"):
        return paris_settings(), ""
    place = str(manifest.get(PLACE_KEY, ""))
    file = directory / place
    if not place or not file.is_file():
        name = told.get("file", "study.toml")
        return None, f"the study file {name} is not where it was: give it with --study"
    return read_settings(file), ""


def _states(manifest: Mapping[str, Any], settings: StudySettings) -> list[InputState]:
    """Tell of each input of a manifest, in its order, what became of it."""
    left = [(role, settings.folder / name) for role, name in input_roles(settings)]
    states = []
    for one in manifest.get("inputs", []):
        role, name, sha256 = (str(one.get(key, "")) for key in ("role", "file", "sha256"))
        match = next((each for each in left if (each[0], each[1].name) == (role, name)), None)
        if not sha256 and match is None:
            states.append(InputState(role, name, "live"))
            continue
        if match is None or not match[1].exists():
            states.append(InputState(role, name, "gone"))
        elif not sha256:
            states.append(InputState(role, name, "untold"))
        else:
            same = sha256_of(match[1]) == sha256
            states.append(InputState(role, name, "same" if same else "changed"))
        if match is not None:
            left.remove(match)
    states += [InputState(role, path.name, "new") for role, path in left]
    told = (manifest.get("study") or {}).get("background")
    if told:
        name, sha256 = background_of(settings)
        state: State = "same" if sha256 == told.get("sha256") else "changed" if sha256 else "gone"
        states.append(InputState("background", str(told.get("file", name)), state))
    return states
