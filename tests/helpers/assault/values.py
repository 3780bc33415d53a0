"""Hostile values: names and texts that try to be more than text, in every output."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from helpers import study_files
from helpers.assault.trials import Ended, Trial

_MARK = "pwned"
_PAYLOADS = (
    f"<script>{_MARK}()</script>",
    f'"><img src=x onerror={_MARK}()>',
    f"<x-{_MARK}>",
    f"</title><x-{_MARK}>",
    f"</script><x-{_MARK}>",
    f"<!--<script><x-{_MARK}>",
    f"' onmouseover='{_MARK}()",
    f"{{{{ {_MARK} }}}}",
    f"{{% raw %}}{_MARK}",
    f"[a](javascript:{_MARK}())",
    f"![a](http://127.0.0.1:9/{_MARK})",
    f"`|{_MARK}|`",
    f"=cmd|'/c {_MARK}'!A1",
    *(f"{sign}{_MARK}" for sign in ("+", "-", "@", "\t=", "＝", "%s%n{0}", "../../", "\u2028")),
    *(f"{sign}{_MARK}" for sign in ("\x1b[31m", "\x1b]0;\x07", "\x9b31m", "\u202e", "\u2066")),
    f"&lt;{_MARK}&gt;",
    _MARK * 900,
)

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FORMULA = re.compile(r"^[\s]*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"^\s*[-+]?\d")

_COMMANDS = (
    *(("report", "--format", form) for form in ("html", "md", "table", "csv")),
    *(("check", "--format", form) for form in ("table", "json", "html")),
    *(("paces", "--format", form) for form in ("table", "md", "csv")),
    ("sensitivity", "--format", "md"),
    ("map", "-o", "OUT"),
    ("analyse", "-o", "OUT"),
)


def hostile_values(rng: random.Random, folder: Path) -> Iterator[Trial]:
    """Put payloads into all texts of a study, and look at what every command writes."""
    number = 0
    while True:
        number += 1
        town = folder / f"{number:03d}"
        town.mkdir(parents=True)
        study = study_files.write_town(town)
        _fill(rng, town)
        command = list(rng.choice(_COMMANDS))
        out = town / ("out" if command[0] == "analyse" else "out.html")
        told = [str(out) if word == "OUT" else word for word in command]
        yield Trial(
            name=f"hostile texts: {' '.join(command)}",
            arguments=[told[0], str(study), *told[1:]],
            codes=frozenset({0, 3, 4}),
            judge=lambda ended, command=command, out=out: _fault(ended, command, out),
        )


def _fill(rng: random.Random, town: Path) -> None:
    services = town / "services.csv"
    rows = list(csv.DictReader(io.StringIO(services.read_text(encoding="utf-8"), newline="")))
    for row in rows:
        for column in ("service_id", "name", "address", "notes", "opening_hours"):
            if column in row:
                row[column] = rng.choice(_PAYLOADS)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    services.write_text(text.getvalue(), encoding="utf-8")
    name = json.dumps(rng.choice(_PAYLOADS), ensure_ascii=True).replace("\\u007f", "")
    # What TOML has no sign for is left to the other files.
    study_files.swap(town / "study.toml", '"Petite Ville"', name)


def _fault(ended: Ended, command: list[str], out: Path) -> str:
    if _CONTROLS.search(ended.err.replace("\r", "")):
        return "control signs on stderr"
    said = ended.out.decode("utf-8", "replace")
    if _CONTROLS.search(said):
        return "control signs on stdout"
    if ended.code:
        return ""
    judges = {"html": _fault_of_page, "md": _fault_of_markdown, "csv": _fault_of_table}
    texts = {form: [said] for form in judges if form in command}
    if out.is_file():
        texts["html"] = [out.read_text(encoding="utf-8")]
    for form in ("html", "csv"):
        found = [path.read_text(encoding="utf-8") for path in out.glob(f"*.{form}")]
        texts.setdefault(form, []).extend(found)
    faults = (judges[form](text) for form, each in texts.items() for text in each)
    return next(filter(None, faults), "")


class _Page(HTMLParser):
    """Looks for elements and handlers that the data brought."""

    def __init__(self) -> None:
        super().__init__()
        self.fault = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if _MARK in tag:
            self.fault = f"an element <{tag}>"
        for name, value in attrs:
            runs = name.startswith("on") or (
                name in {"href", "src"} and "javascript:" in (value or "")
            )
            if runs and _MARK in (value or ""):
                self.fault = f"a handler {name}"


def _fault_of_page(text: str) -> str:
    page = _Page()
    page.feed(text)
    if re.search(rf"<script[^>]*>\s*{_MARK}\(\)", text):
        return "a script of the data"
    return page.fault


def _fault_of_markdown(text: str) -> str:
    bare = re.search(
        rf"(?<!\\)<(?:script|img|x-{_MARK}|/title|/script|!--)|(?<!\\)\]\(javascript:", text
    )
    return f"Markdown that is markup: {bare[0]}" if bare else ""


def _fault_of_table(text: str) -> str:
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            if _FORMULA.match(cell) and not _NUMBER.match(cell):
                return f"a formula: {cell[:20]!r}"
    return ""
