"""A short report in plain text, to be sent by mail."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from quart_heure.labels import format_date, format_number, format_pct, format_plain, phrase, text
from quart_heure.outputs.report.structure import Report, SinceRow
from quart_heure.outputs.report.watch import Alarm
from quart_heure.steering import harmless

_COLUMNS = 72
_DISTRICTS = 5


def mail_text(content: Report, alarms: Sequence[Alarm] = ()) -> str:
    """Write a report in a few lines of plain text, none longer than 72 signs where words allow.

    The first line serves as the subject.
    """
    lines: list[str] = []
    for paragraph in _paragraphs(content, alarms):
        hang = "  " if paragraph.startswith("- ") else ""
        wrapped = textwrap.wrap(
            paragraph,
            _COLUMNS,
            subsequent_indent=hang,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += wrapped or [""]
    return harmless("\n".join(lines)).strip() + "\n"


def _paragraphs(content: Report, alarms: Sequence[Alarm]) -> Iterator[str]:
    lang = content["lang"]
    threshold = format_plain(content["parameters"].get("threshold_min"), lang)
    title = phrase("title", lang, area=content["area"], threshold=threshold)
    yield text("runs.mail_alarm", lang, title=title, n=len(alarms)) if alarms else title
    yield ""
    for alarm in alarms:
        value, before = (format_number(n, lang, 1) for n in (alarm.value, alarm.before))
        key = "mail_alarm_line" if alarm.before != alarm.before else "mail_alarm_moved"
        yield "- " + text(
            f"runs.{key}",
            lang,
            condition=alarm.condition,
            place=alarm.place,
            before=before,
            value=value,
        )
    if alarms:
        yield ""
    if content["summary"]:
        yield content["summary"]["sentence"]
        yield ""
    if content["hours"]:
        yield content["hours"]["sentence"]
        yield ""
    labels = {category["id"]: category["label"] for category in content["categories"]}
    by = "residents_covered_pct"
    if all(row[by] is None or row[by] != row[by] for row in content["city"]):
        by = "covered_pct"
    yield text(f"runs.mail_{by}", lang, threshold=threshold)
    for row in content["city"]:
        yield (
            f"- {labels[row['category']]} : {format_pct(row[by], lang)}"
            if lang == "fr"
            else (f"- {labels[row['category']]}: {format_pct(row[by], lang)}")
        )
    if content["since"]:
        yield ""
        yield f"{content['since']['title']}. {content['since']['sentence']}"
        for moved in _most_moved(content["since"]["rows"]):
            place = content["district_labels"].get(moved["district_id"], content["area"])
            yield "- " + text(
                "runs.mail_moved",
                lang,
                place=place,
                category=labels[moved["category"]],
                before=format_pct(moved["before_pct"], lang),
                after=format_pct(moved["after_pct"], lang),
            )
    yield ""
    run = content["run"]
    osm = content["osm_date"]
    yield text(
        "runs.mail_foot",
        lang,
        date=format_date(str(run["created"])[:10], lang),
        version=run["version"],
        osm=format_date(osm, lang) if osm else phrase("undated", lang),
    )
    yield from content["attribution"]


def _most_moved(rows: Sequence[SinceRow]) -> list[SinceRow]:
    moved = [row for row in rows if abs(row["change_points"]) >= 0.05]
    return sorted(moved, key=lambda row: -abs(row["change_points"]))[:_DISTRICTS]
