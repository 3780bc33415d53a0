"""Options that several commands share, so that one word means one thing everywhere."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Optional

import typer


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
    typer.Argument(
        metavar="[STUDY]", help="A study file or a snapshot; the packaged Paris by default."
    ),
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
        help="Leave out places behind steps; the walker is step_free, unless --profile names"
        " another or that of the study file takes no steps.",
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
At = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--at",
        metavar="MOMENT",
        help='Moment of arrival, such as "2026-12-06 18:00": services closed then do not count.',
    ),
]
On = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--on", metavar="DAY", help="The same for a day: dimanche, sunday or a date."),
]
Between = Annotated[
    Optional[tuple[str, str]],  # noqa: UP045
    typer.Option("--between", metavar="FROM TO", help="A part of that day, such as 18:00 22:00."),
]
Stay = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--stay", metavar="MINUTES", help="For how long a service must stay open (15 by default)."
    ),
]
Week = Annotated[bool, typer.Option("--week", help="Judge each of the 168 hours of a week.")]
WeekOf = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--week-of", metavar="DATE", help="Judge each hour of the week of this day."),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Keep nothing between runs.")]
Language = Annotated[Lang, typer.Option("--lang", help="Language of what people read.")]
