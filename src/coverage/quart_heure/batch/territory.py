"""One territory of a batch: what it is called, where it lies, what it is worked out from."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from urllib.parse import quote

NOWHERE = "none"
"""Stands in the folders of a partition for what is not known; a null would have no type."""

TILE_CELLS = 500_000
"""A territory of more cells is cut into tiles of so many by default."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Territory:
    """One territory of a batch.

    Parameters
    ----------
    code
        What it is known by: the INSEE code of its commune, or a name.
    label
        What people call it.
    country, departement
        Where it lies; empty where that is not known.
    study
        Path or URL of its study file; empty for the packaged Paris.
    outline
        Its polygon as WKB, taken in place of the study's own area; empty for that.
    crs
        Of the outline.
    fault
        Why it cannot be run, where its study cannot even be read.
    """

    code: str
    label: str
    country: str
    departement: str
    study: str
    outline: bytes = b""
    crs: str = ""
    fault: str = ""

    @property
    def place(self) -> str:
        """The folder of its results, in the manner of Hive: readers take the values as columns.

        Examples
        --------
        >>> Territory(
        ...     code="75056", label="Paris", country="FR", departement="75", study=""
        ... ).place
        'country=FR/dep=75/insee=75056'
        """
        parts = {"country": self.country, "dep": self.departement, "insee": self.code}
        return "/".join(f"{key}={quote(value, safe='') or NOWHERE}" for key, value in parts.items())

    def shown(self, reason: str) -> str:
        """Return a reason without the folders of the machine: what is written tells no path."""
        study = self.study.removeprefix("file://")
        folders = [f"{Path(study).parent}{os.sep}"] if study and "://" not in study else []
        for folder in folders:
            reason = reason.replace(folder, "")
        for home in {str(Path.home()), os.path.realpath(Path.home())} - {os.sep}:
            reason = reason.replace(home, "~")
        return reason
