"""Where a study is written down: what its results keep of it, so that they can be recomputed."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from quart_heure.files import sha256_of
from quart_heure.study.settings import StudySettings

PLACE_KEY = "study_place"
"""Of a manifest: the study file, relative to the folder of the results."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Origin:
    """The study file of a study.

    Parameters
    ----------
    path
        The file; None for the packaged Paris.
    sha256
        Its hash when it was read; empty for the packaged Paris.
    background
        What maps draw under the figures, and where water is: its name and hash, empty without.
    """

    path: Path | None
    sha256: str
    background: tuple[str, str] = ("", "")

    @classmethod
    def of(cls, settings: StudySettings) -> Origin | None:
        """Return where settings are written down; None where a program made them."""
        if settings.file is None and not settings.packaged:
            return None
        return cls(
            path=settings.file,
            sha256="" if settings.file is None else sha256_of(settings.file),
            background=background_of(settings),
        )

    def told(self) -> dict[str, Any]:
        """Return what a manifest keeps: names and hashes, no folder of this machine."""
        name, sha256 = self.background
        return {
            "packaged": self.path is None,
            "file": "" if self.path is None else self.path.name,
            "sha256": self.sha256,
            "background": {"file": name, "sha256": sha256} if name else None,
        }


def background_of(settings: StudySettings) -> tuple[str, str]:
    """Return name and hash of the background of a study; empty where there is none."""
    if settings.map.background is None:
        return "", ""
    file = settings.folder / settings.map.background
    return file.name, sha256_of(file) if file.exists() else ""


def place_of_study(origin: Origin | None, directory: Path) -> str:
    """Return the study file as seen from a folder of results; empty where that tells too much.

    Both must lie in one folder below the home of a user: no path of a machine, nor the name of
    whoever works on it, goes into a manifest.
    """
    if origin is None or origin.path is None:
        return ""
    file, folder = origin.path.resolve(), directory.resolve()
    try:
        shared = Path(os.path.commonpath([file.parent, folder]))
    except ValueError:  # on two drives
        return ""
    homes = {Path.home().resolve().parent, *Path.home().resolve().parents}
    if shared == Path(shared.anchor) or shared in homes:
        return ""
    return Path(os.path.relpath(file, folder)).as_posix()
