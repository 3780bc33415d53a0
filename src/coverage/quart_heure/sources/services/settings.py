"""Sources of services: files, and how each is to be read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceSource:
    """One file of services.

    Parameters
    ----------
    file
        CSV, workbook, JSON of a portal, Parquet, or a layer (see
        `quart_heure.sources.vector_formats.KNOWN_FORMATS`).
    part
        The sheet or the layer of it that is read; all by default.
    category
        Category of its rows, but for those of which a column ``category`` says otherwise.
    columns
        Our names and this file's headings, for those that are not found.
    crs
        CRS of the columns x and y, or of the texts, where they are not degrees.
    rules
        Categories and what the names of their places look like: a regular expression or a list of
        words. The first that fits decides.
    """

    file: Path
    part: str = ""
    category: str = ""
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    crs: str = ""
    rules: Mapping[str, str | Sequence[str]] = dataclasses.field(default_factory=dict)
