"""Options that several commands share, so that one word means one thing everywhere.

A group of options is a dataclass. A command that takes one, under `with_options`, has its fields
as options of its own: all of them, or those that an `Only` beside the annotation names.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quart_heure.commands.completion import categories, districts, persons, studies, walkers

if TYPE_CHECKING:
    from quart_heure.study.asked import Asked


class Format(enum.StrEnum):
    """Forms of a report."""

    TABLE = "table"
    CSV = "csv"
    OFFICE = "office"
    JSON = "json"
    MD = "md"
    HTML = "html"
    MAIL = "mail"


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
    Path | None,
    typer.Argument(
        metavar="[SOURCE]",
        help="A study file, a snapshot or a folder of results; the packaged Paris by default.",
        autocompletion=studies,
    ),
]
OfResults = Annotated[
    Path | None,
    typer.Option(
        "--study", metavar="FILE", help="Study file of a folder of results, if it was moved."
    ),
]
StudyFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="[STUDY]",
        help="A study file or a snapshot; the packaged Paris by default.",
        autocompletion=studies,
    ),
]
Categories = Annotated[
    list[str] | None,
    typer.Option(
        "--category",
        help="Category to analyse or show; may be repeated.",
        autocompletion=categories,
    ),
]
Districts = Annotated[
    list[str] | None,
    typer.Option(
        "--arrondissement",
        help="District: 13, 13e or 75113; may be repeated.",
        autocompletion=districts,
    ),
]
Proposals = Annotated[
    list[Path] | None,
    typer.Option(
        "--proposals",
        metavar="FOLDER",
        help="What 'site', 'ask' or 'links' wrote into a folder, to show with it; repeatable.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Keep nothing between runs.")]
Since = Annotated[
    Path | None,
    typer.Option("--since", metavar="RUN", help="Earlier folder of results to compare with."),
]
WhatIf = Annotated[
    bool,
    typer.Option(
        "--what-if/--no-what-if",
        help="Let readers of the map open, close and move services; half as large again.",
    ),
]
Language = Annotated[Lang, typer.Option("--lang", help="Language of what people read.")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """What is asked of an analysis; each prevails over the study file."""

    profile: Annotated[
        str | None,
        typer.Option(
            help="Walker: adult, slow, step_free (adulte, lent, sans-marches), or one of the study"
            " file.",
            autocompletion=walkers,
        ),
    ] = None
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", metavar="MINUTES", help="Minutes within which a place is covered."
        ),
    ] = None
    category: Categories = None
    all_statuses: Annotated[
        bool, typer.Option("--all-statuses", help="Count every place, open or not.")
    ] = False
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="MOMENT",
            help='Moment of arrival, such as "2026-12-06 18:00": services closed then do not'
            " count.",
        ),
    ] = None
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DAY", help="The same for a day: dimanche, sunday or a date."),
    ] = None
    between: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--between", metavar="FROM TO", help="A part of that day, such as 18:00 22:00."
        ),
    ] = None
    stay: Annotated[
        float | None,
        typer.Option(
            "--stay",
            metavar="MINUTES",
            help="For how long a service must stay open (15 by default).",
        ),
    ] = None
    week: Annotated[bool, typer.Option("--week", help="Judge each of the 168 hours of a week.")] = (
        False
    )
    week_of: Annotated[
        str | None,
        typer.Option("--week-of", metavar="DATE", help="Judge each hour of the week of this day."),
    ] = None
    for_whom: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="PERSON",
            help="Count places that admit woman, woman-with-child, man, man-with-child, family,"
            " young, with-dog (or femme, homme, famille, jeune …), or a person of the study file;"
            " may be repeated.",
            autocompletion=persons,
        ),
    ] = None
    without_referral: Annotated[
        bool, typer.Option("--without-referral", help="Leave out places that ask for a referral.")
    ] = False
    step_free: Annotated[
        bool,
        typer.Option(
            "--step-free",
            help="Leave out places behind steps; the walker is step_free, unless --profile names"
            " another or that of the study file takes no steps.",
        ),
    ] = False

    private: Annotated[
        bool,
        typer.Option(
            "--private",
            help="Compute from the exact address of discreet places. What is written is internal:"
            " the address can be found from it.",
        ),
    ] = False

    def given(self) -> list[str]:
        """Return the flags that are given, as they are written."""
        names = [
            field.name
            for field in dataclasses.fields(self)
            if getattr(self, field.name) not in (field.default, [])
        ]
        return [f"--{_WRITTEN.get(name, name).replace('_', '-')}" for name in names]

    def asked(self) -> Asked:
        """Return what they ask of a study, in its words."""
        from quart_heure.sources.services.services import STATUSES

        asked: Asked = {"private": True} if self.private else {}
        if self.profile is not None:
            asked["profile"] = self.profile
        if self.threshold is not None:
            asked["threshold_min"] = self.threshold
        if self.category:
            asked["categories"] = self.category
        if self.all_statuses:
            asked["counted_status"] = STATUSES
        if self.at or self.on:
            # A flag asks another question than the file: none of the file's is left.
            asked["at"] = asked["on"] = asked["between"] = None
        if self.at is not None:
            asked["at"] = self.at
        if self.on is not None:
            asked["on"] = self.on
        if self.between is not None:
            asked["between"] = self.between
        if self.stay is not None:
            asked["stay_min"] = self.stay
        if self.week:
            asked["week"] = True
        if self.week_of is not None:
            asked["week_of"] = self.week_of
        flags = {"without_referral": self.without_referral, "wheelchair": self.step_free}
        person = [*(self.for_whom or ()), *(name for name, given in flags.items() if given)]
        if person:
            asked["person"] = person
        return asked


_WRITTEN = {"for_whom": "for"}
"""Flags that are called otherwise than their field."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableOptions:
    """In which form a table goes where."""

    form: Annotated[TableFormat, typer.Option("--format", help="Form of the table.")] = (
        TableFormat.TABLE
    )
    as_json: AsJson = False
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of stdout.")
    ] = None

    @property
    def shape(self) -> str:
        """The form, by its name."""
        return "json" if self.as_json else self.form.value


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProposalOptions(TableOptions):
    """The same of what a command proposes, which may be kept in a folder."""

    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write instead of stdout; or a folder (a name without an ending, and no"
            " --format) that --proposals of report, map and dossier takes.",
        ),
    ] = None

    @property
    def folder(self) -> Path | None:
        """The folder to write, None where it is a file or stdout."""
        named = self.output is not None and not self.output.suffix and self.shape == "table"
        return self.output if self.output is not None and (self.output.is_dir() or named) else None


class Only:
    """Names the fields of a group that a command has, in place of all."""

    def __init__(self, *names: str) -> None:
        self.names = names


def all_but(*names: str) -> Only:
    """Name all analysis options but some."""
    fields = [field.name for field in dataclasses.fields(AnalysisOptions)]
    return Only(*(name for name in fields if name not in names))


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the fields of the groups that it takes, as options of its own."""
    hints = typing.get_type_hints(command, include_extras=True)
    groups: dict[str, tuple[Any, list[str]]] = {}
    options: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        kind, *beside = _unannotated(hints[name])
        if not dataclasses.is_dataclass(kind):
            options.append(_option(name, hints[name], parameter.default))
            continue
        chosen = [each.names for each in beside if isinstance(each, Only)]
        own = typing.get_type_hints(kind, include_extras=True)
        fields = [f for f in dataclasses.fields(kind) if not chosen or f.name in chosen[0]]
        groups[name] = kind, [field.name for field in fields]
        options += [_option(f.name, own[f.name], f.default) for f in fields]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for name, (kind, fields) in groups.items():
            given[name] = kind(**{field: given.pop(field) for field in fields})
        command(**given)

    del run.__wrapped__  # typer would look at the command itself
    run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    run.__annotations__ = {option.name: option.annotation for option in options}
    return run


def _unannotated(hint: Any) -> tuple[Any, ...]:
    """Return a type and what is said beside it."""
    return typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)


def _option(name: str, hint: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=default)
