"""Where the packaged sample of Paris lies."""

from __future__ import annotations

import functools
from pathlib import Path

from quart_heure.errors import InputFileError

__all__ = ["paris_dir"]

_PACKAGE = Path(__file__).resolve().parents[1]


@functools.cache
def paris_dir() -> Path:
    """Return the folder of the packaged Paris.

    It lies inside the package once that is installed from a wheel, and in ``data/paris`` of the
    project in a checkout.

    Raises
    ------
    InputFileError
        If there is no sample in either place.
    """
    # parents: quart_heure, coverage, src, the project.
    places = (_PACKAGE / "data" / "paris", _PACKAGE.parents[2] / "data" / "paris")
    for place in places:
        if (place / "manifest.json").is_file():
            return place
    msg = "The packaged sample of Paris is missing: data/paris/manifest.json was not found."
    raise InputFileError(msg, hint="Install quart-heure again, from its wheel or a full checkout.")
