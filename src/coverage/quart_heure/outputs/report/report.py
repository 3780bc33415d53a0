"""Reports: the gaps of each district in words, for people, spreadsheets and programs.

Every format says the same (see `quart_heure.outputs.report.structure`): what is measured and how,
the figures with their denominators, the gaps, the services that count and those that do not, the
rows that were refused, definitions, limits, sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from quart_heure import labels
from quart_heure.errors import OutputError
from quart_heure.files import replacing
from quart_heure.outputs.assets import (
    asset,
    inlined,
    page_environment,
    security_policy,
    stylesheet,
)
from quart_heure.outputs.barrier_words import barrier_words
from quart_heure.outputs.discretion import nearest_name, publishable
from quart_heure.outputs.doubts import doubt_words, ends_words, weakest
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.markdown import escaped
from quart_heure.outputs.proposals.proposal import Proposal
from quart_heure.outputs.report.content import report_content
from quart_heure.outputs.report.structure import Gap, Report
from quart_heure.outputs.report.week import day_runs
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.read import Results
from quart_heure.outputs.results.rows import Row, in_order, people_on_network
from quart_heure.schema import table_columns

if TYPE_CHECKING:
    from quart_heure.outputs.report.watch import Alarm
    from quart_heure.outputs.runs.compare import Run
    from quart_heure.study.coverage import Coverage

__all__ = ["render_report"]

ReportFormat = Literal["table", "csv", "json", "md", "html", "mail"]

REPORT_FORMATS: tuple[str, ...] = get_args(ReportFormat)
"""Formats of a report."""


def render_report(
    source: Coverage | Results,
    *,
    districts: Sequence[str] = (),
    categories: Sequence[str] = (),
    since: Run | None = None,
    alarms: Sequence[Alarm] = (),
    format: ReportFormat = "table",  # noqa: A002 - the word of the command line
    lang: str = "fr",
    width: int = 100,
    colour: bool = False,
    brief: bool = False,
    proposals: Sequence[Proposal] = (),
) -> str:
    """Write a report as text.

    Parameters
    ----------
    source
        A coverage, or a result folder that was read.
    districts
        Those to report on, by id, label or number ("75113", "13e", "13"); all if none is given.
    categories
        Categories and composites to report on; all if none is given.
    since
        An earlier run, for a section on what has changed since; ``csv`` has none.
    alarms
        Conditions that are met, which ``mail`` begins with.
    format
        ``table`` for a terminal, ``csv`` (one row per district and category), ``json`` (see
        `quart_heure.outputs.report.structure`), ``md``, ``html`` (one file without remote parts) or
        ``mail`` (a few lines of plain text).
    lang
        ``fr`` or ``en``; ``csv`` and the keys of ``json`` are the same in both.
    width, colour
        Of the terminal, for ``table``.
    brief
        Whether ``table`` gives the whole area alone.
    proposals
        What `quart_heure.outputs.proposals.folder.read_proposal` read, to show with it; ``csv``
        leaves them out.

    Returns
    -------
    str
        The report, ending with a newline.

    Raises
    ------
    InputFileError
        If there is no such district, or a proposal is of another study.
    CategoryError
        If the study does not have such a category.
    OutputError
        If there is no such format or language.
    """
    if format not in REPORT_FORMATS or lang not in labels.LANGUAGES:
        msg = f"There is no report in format {format!r} and language {lang!r}."
        hint = f"Formats: {', '.join(REPORT_FORMATS)}; languages: {', '.join(labels.LANGUAGES)}."
        raise OutputError(msg, hint=hint)
    source = source if isinstance(source, Results) else publishable(source)
    content = report_content(
        source,
        districts=districts,
        categories=categories,
        since=since,
        lang=lang,
        proposals=proposals,
    )
    if format == "csv":
        return _csv(source, content)
    if format == "json":
        # One line: programs read it, and it is written several times faster.
        return json_text(content, indent=None) + "\n"
    if format == "mail":
        from quart_heure.outputs.report.mail import mail_text  # noqa: PLC0415 - one format alone

        return mail_text(content, alarms)
    if format == "table":
        from quart_heure.outputs.report.terminal import terminal_text  # noqa: PLC0415 - as jinja2

        return terminal_text(content, width=width, colour=colour, brief=brief)
    if format == "md":
        page = page_environment(_words(lang), escape=_markdown).get_template("report.md.j2")
        return page.render(content).strip() + "\n"
    return _html(content, lang)


def write_report(text: str, path: Path) -> None:
    """Write a report to a file, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _csv(source: Coverage | Results, content: Report) -> str:
    """Return the indicators of the districts asked for, and of the whole area if all were."""
    categories = [category["id"] for category in content["categories"]]
    rows = in_order(source.indicators, "indicators", categories)
    shown = rows["category"].isin(categories)
    wanted = rows["district_id"].isin([d["district_id"] for d in content["districts"]])
    if not content["selected"]:
        wanted |= rows["level"] == "city"
    return csv_text(
        rows[shown & wanted],
        table_columns("indicators"),
        private=bool(content["parameters"].get("private")),
    )


def _html(content: Report, lang: str) -> str:
    style = stylesheet("report") + _share_rules(week=bool(content["week"]))
    script = asset("report/report.js")
    page = page_environment(_words(lang)).get_template("report.html.j2")
    text = page.render(
        content,
        css=inlined(style),
        script=inlined(script),
        policy=security_policy(styles=[style], scripts=[script]),
    )
    return text.strip() + "\n"


def _share_rules(*, week: bool) -> str:
    """Return a rule for each whole per cent: how far the cell of its class is filled.

    The policy of the page lets no style stand in the cells themselves.
    """
    names = ("share", "least", "most") if week else ("share",)
    rules = [f".{name}-{pct}{{--{name}:{pct}%}}" for name in names for pct in range(101)]
    return "\n".join(rules) + "\n"


def _words(lang: str) -> dict[str, Any]:
    """Return what templates write words and figures with."""
    return {
        "heading": lambda key: labels.heading(key, lang),
        "phrase": lambda key, **values: labels.phrase(key, lang, **values),
        "word": lambda key: labels.word(key, lang),
        "problem": lambda text: labels.problem_words(text, lang),
        "plain": lambda value: labels.format_plain(value, lang),
        "number": lambda value, decimals=0: labels.format_number(value, lang, decimals),
        "pct": lambda value: labels.format_pct(value, lang),
        "minutes": lambda value: labels.format_minutes(value, lang),
        "people_on_network": people_on_network,
        "date": lambda value: labels.format_date(value, lang),
        "district_name": lambda label: labels.district_label(label, lang),
        "labels_of": lambda ids, names: ", ".join(names.get(each, each) for each in ids),
        "figures": lambda row, name: _range(row, name, lang),
        "cause": lambda gap: _cause(gap, lang),
        "range_words": range_words,
        "ends": lambda ends: ends_words(ends, lang),
        "weakest": weakest,
        "doubt_words": lambda line: doubt_words(line, lang),
        "service_name": lambda row: nearest_name(row, lang),
        "day_runs": day_runs,
        "run_word": lambda key: labels.text(f"runs.{key}", lang),
        "signed": lambda value: labels.format_signed(value, lang, 1),
    }


def _range(row: Row, name: str, lang: str) -> str:
    """Write a share, as a range where hours leave one."""
    least = labels.format_number(row[name], lang, 1)
    most = labels.format_number(row.get(_AT_MOST[name], row[name]), lang, 1)
    return least if most == least else f"{least} – {most}"


_AT_MOST = {
    "covered_pct": "covered_at_most_pct",
    "residents_covered_pct": "residents_covered_at_most_pct",
}


def _cause(gap: Gap, lang: str) -> str:
    """Write the cause of a gap, and when it ends where that is a matter of hours."""
    words = barrier_words(gap["barrier"], lang) or labels.word(gap["cause"], lang)
    if not gap.get("next_opening"):
        return words
    when = labels.format_moment(gap["next_opening"], lang)
    return f"{words} ({labels.phrase('opens', lang, when=when)})"


def _markdown(value: Any) -> Any:
    """Escape what Markdown, or the HTML it may hold, would read as more than text."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return escaped(value)
