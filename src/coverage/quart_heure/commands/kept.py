"""Answers that are kept: who asks the same of the same files gets the same, at once.

The cache keeps what takes long to compute; to read it, put tables together and write a report
still takes ten times as long as to hand out a text. So the text is kept too, with the files that it
was made from: it is handed out again only where each of them, what is asked, the day, and the
program are what they were. Of a study with discreet places nothing is kept.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from quart_heure.cache import Cache
from quart_heure.commands.speech import STEPS, tell
from quart_heure.files import hashes_of, sha256_of
from quart_heure.sources.given import check_name
from quart_heure.stamp import code_digest, creation_time

if TYPE_CHECKING:
    from quart_heure.study.study import Study

_KIND = "answer"
_STEERS = ("GDAL_", "OGR_", "PROJ_", "QUART_HEURE_", "SOURCE_DATE_EPOCH", "TZ")
"""Beginnings of variables of the environment that libraries, or we, read."""

_Marks = list[list[Any]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """What a command is asked, as far as that is known before anything is read.

    Parameters
    ----------
    cache
        Keeps the answer.
    study
        The study file; None for the packaged Paris.
    key
        All that the answer depends on but the files that the study names.
    """

    cache: Cache
    study: Path | None
    key: list[Any]

    @classmethod
    def of(
        cls, source: Path | None, asked: Sequence[Any], *, form: Sequence[Any], cache: Cache
    ) -> Question | None:
        """Put a question; None where its answer cannot be kept.

        Parameters
        ----------
        source
            The study file or the folder of a snapshot; None for the packaged Paris. Folders of
            results are read at once.
        asked, form
            What is asked, and the form that the answer has.
        cache
            Keeps the answer.

        Raises
        ------
        InputFileError
            If no file can have the name of the source.
        """
        study = source
        if source is not None:
            check_name(source)
            study = source / "study.toml" if source.is_dir() else source
        if cache.folder is None or (study is not None and not study.is_file()):
            return None
        steering = [[name, value] for name, value in os.environ.items() if name.startswith(_STEERS)]
        try:
            place = None if study is None else [str(study.absolute()), sha256_of(study)]
        except OSError:
            return None  # whoever reads it says so
        day = creation_time()[:10]
        key = [place, repr(asked), repr(form), day, sorted(steering), code_digest()]
        return cls(cache=cache, study=study, key=key)

    def answer(self) -> str | None:
        """Return the answer that is kept, and tell what was told with it; None if there is none."""
        arrays = self.cache.find(_KIND, self.key)
        if arrays is None:
            return None
        try:
            kept = json.loads(bytes(arrays["answer"]))
            if kept["files"] != _marks_of([Path(name) for name, _ in kept["files"]]):
                return None
            told, text = list(map(str, kept["told"])), str(kept["text"])
        except (OSError, KeyError, TypeError, ValueError):
            return None  # a file is gone: whoever reads it says so
        STEPS.info("the same was asked before")
        for line in told:
            tell(line)
        return text

    def keep(self, text: str, study: Study | None, told: Sequence[str], *, withheld: bool) -> None:
        """Keep an answer, unless it is of discreet places or of files that may change unseen.

        Parameters
        ----------
        text
            The answer.
        study
            What it was worked out from; None for a folder of results.
        told
            What was told while it was worked out.
        withheld
            Whether services are withheld, being discreet.
        """
        files = None if study is None or withheld else _files_of(study)
        if files is None:
            return
        try:
            marks = _marks_of(files)
        except OSError:
            return
        kept = {"files": marks, "told": list(told), "text": text}
        content = np.frombuffer(json.dumps(kept).encode(), dtype=np.uint8)
        self.cache.keep(_KIND, self.key, {"answer": content})


def _files_of(study: Study) -> list[Path] | None:
    """Return the files that a study was read from; None where no answer must be kept of it."""
    from quart_heure.study.inputs import paris_settings
    from quart_heure.study.settings import read_settings

    origin = study.origin
    if origin is None or study.private:
        return None
    if not all(one["sha256"] for one in study.provenance if one["role"] == "services"):
        return None  # the study itself keeps no hash of a list with discreet places
    settings = paris_settings() if origin.path is None else read_settings(origin.path)
    if settings.services.soliguide:
        return None
    files = [file.absolute() for file in settings.files()]
    if not all(file.is_file() for file in files):
        return None  # a folder of tiles
    return [*files, (settings.folder / "manifest.json").absolute()]


def _marks_of(files: Sequence[Path]) -> _Marks:
    """Return what tells files, and those that belong to them, from any others."""
    return [[str(file), hashes_of(file)] for file in files]
