"""Options that several commands share, so that one word means one thing everywhere."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = [
    "AllStatuses",
    "Categories",
    "CheckFormat",
    "ForWhom",
    "Format",
    "Lang",
    "Language",
    "NoCache",
    "Profile",
    "Source",
    "StepFree",
    "StudyFile",
    "TableFormat",
    "Threshold",
    "WithoutReferral",
]


class Format(enum.StrEnum):
    """Forms of a report."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MD = "md"
    HTML = "html"


class CheckFormat(enum.StrEnum):
    """Forms of a check."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"


class TableFormat(enum.StrEnum):
    """Forms of a table."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MD = "md"


class Lang(enum.StrEnum):
    """Languages of what people read."""

    FR = "fr"
    EN = "en"


Source = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
    typer.Argument(
        metavar="[SOURCE]",
        help="A study file, a snapshot or a folder of results; the packaged Paris by default.",
    ),
]
StudyFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Argument(metavar="[STUDY]", help="A study file (.toml); the packaged Paris by default."),
]
Profile = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(help="Walker: adult, slow, step_free, or one of the study file."),
]
Threshold = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--threshold", metavar="MINUTES", help="Minutes within which a place is covered."),
]
ForWhom = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--for",
        metavar="PERSON",
        help="Count places that admit woman, woman-with-child, man, man-with-child, family, young,"
        " with-dog, or a person of the study file; may be repeated.",
    ),
]
WithoutReferral = Annotated[
    bool, typer.Option("--without-referral", help="Leave out places that ask for a referral.")
]
StepFree = Annotated[
    bool,
    typer.Option(
        "--step-free",
        help="Leave out places behind steps; the walker is step_free, unless --profile or the study"
        " file names another.",
    ),
]
Categories = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--category", help="Category to analyse or show; may be repeated."),
]
AllStatuses = Annotated[
    bool,
    typer.Option("--all-statuses", help="Count every place, open or not."),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Keep nothing between runs.")]
Language = Annotated[Lang, typer.Option("--lang", help="Language of what people read.")]
