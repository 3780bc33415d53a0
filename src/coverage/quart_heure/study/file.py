"""Study files: from what is written down to a study."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from quart_heure.cache import Cache
from quart_heure.files import AnyPath
from quart_heure.study.asked import Asked
from quart_heure.study.settings import read_settings
from quart_heure.study.study import Study

if TYPE_CHECKING:
    from quart_heure.sources.online.soliguide import SoliguideAccess

__all__ = ["read_study"]


def read_study(
    path: AnyPath,
    *,
    cache: Cache | None = None,
    soliguide: SoliguideAccess | None = None,
    today: datetime.date | None = None,
    walks_m: float = 0.0,
    **asked: Unpack[Asked],
) -> Study:
    """Read a study from a TOML file.

    Parameters
    ----------
    path
        The study file, or the folder of a snapshot that holds one; the paths in it are relative
        to it. See `quart_heure.study.settings.template`.
    cache
        Keeps the network for the next run.
    soliguide
        Adds Soliguide's places live; a study file may ask for it too, with the key that the
        environment holds.
    today
        The day on which services must be valid, where the file has no date.
    walks_m
        Length of the longest walk that will be asked of it, where that is longer than its own.
    asked
        What is asked, as fields of `Study` name it; it prevails over the file.

    Raises
    ------
    InputFileError
        If a file is missing or unreadable.
    StudyFileError
        If a key is unknown (the right one is suggested) or a value is of the wrong kind.
    """
    path = Path(path)
    settings = read_settings(path)
    if settings.services.soliguide and soliguide is None:
        from quart_heure.sources.online.soliguide import soliguide_access  # noqa: PLC0415 - online only

        soliguide = soliguide_access()
    study = Study.from_settings(settings, cache=cache, today=today, walks_m=walks_m, **asked)
    # What is wrong with it is told now, not once all is computed and the map is drawn.
    study.background()
    return study if soliguide is None else _with_soliguide(study, soliguide)


def _with_soliguide(study: Study, access: SoliguideAccess) -> Study:
    from quart_heure.sources.online.soliguide import with_soliguide  # noqa: PLC0415 - online only

    services, about = with_soliguide(
        study.services,
        study.area,
        access=access,
        catalogue=study.catalogue,
        categories=study.categories,
        reach_m=study.margin_m,
        day=study.at.date() if study.at is not None else study.date,
    )
    return study.replace(services=services, provenance=(*study.provenance, about))
