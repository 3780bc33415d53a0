"""What all pages have in common: one file, under a policy that lets its own code run alone."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from helpers.hostile import hostile_coverage
from helpers.town_week import town_week
from quart_heure import labels
from quart_heure.outputs.assets import inlined, page_environment, security_policy
from quart_heure.outputs.batch.pages import Entry, render_index, render_map
from quart_heure.outputs.dossier.dossier import write_dossiers
from quart_heure.outputs.dossier.pdf import BROWSERS
from quart_heure.outputs.map.map import write_map
from quart_heure.outputs.report.check import render_check
from quart_heure.outputs.report.report import render_report
from quart_heure.study import Coverage, Study
from quart_heure.study.check import check_study

CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="module")
def pages(
    toy_study: Study, toy_coverage: Coverage, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Write every kind of page, of kind and of unkind names."""
    folder = tmp_path_factory.mktemp("pages")
    written = {}
    hostile = hostile_coverage(toy_study)
    for name, coverage in (("town", toy_coverage), ("week", town_week()), ("hostile", hostile)):
        written[f"{name}-report"] = folder / f"{name}-report.html"
        written[f"{name}-report"].write_text(render_report(coverage, format="html"), "utf-8")
        dossiers = write_dossiers(coverage, folder / name)
        written[f"{name}-index"], written[f"{name}-dossier"] = dossiers[0], dossiers[1]
    written["map"] = write_map(toy_coverage, folder / "map.html")
    check = check_study(hostile.study, today=datetime.date(2026, 1, 1))
    written["check"] = folder / "check.html"
    written["check"].write_text(render_check(check, form="html"), "utf-8")
    for name, render in (("territories", render_index), ("territories-map", render_map)):
        written[name] = folder / f"{name}.html"
        written[name].write_text(render(territories(), lang="fr", day="2026-01-01"), "utf-8")
    return written


def territories() -> list[Entry]:
    """Tell of many territories: one of each kind, with unkind names."""
    name = "<script>alert('x')</script>"
    what = {"territory": "01001", "label": name, "country": "FR", "departement": "01"}
    cost = {"attempts": 1, "seconds": 1.5, "cpu_seconds": 1.0, "peak_mb": 200.0, "bytes": 9}
    found = {"cells": 9, "residents": 90.0, "services": 2, "gaps": 1}
    share = {"all_pct": 30.0, "none_pct": 12.5, "none": 11.0, "place": "country=FR/dep=01"}
    ring = [[230000, 4880000, 900, 0, 0, 900]]
    done = {**what, **cost, **found, **share, "reason": "", "outline": ring}
    return [
        Entry(**done, state="computed", share_of="residents"),
        Entry(**done, state="kept", share_of="area"),
        Entry(
            **what,
            **cost,
            **dict.fromkeys((*found, "all_pct", "none_pct", "none")),
            state="failed",
            reason=name,
            share_of="",
            place="country=FR/dep=01",
        ),
    ]


def test_the_policy_lets_the_code_of_a_page_run_and_no_other(pages: dict[str, Path]) -> None:
    assert len(pages) == 13
    for name, path in pages.items():
        text = path.read_text("utf-8")
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        rules = dict(rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; "))
        assert rules.pop("default-src") == "'none'", name
        assert rules.pop("base-uri") == rules.pop("form-action") == "'none'", name
        assert rules.pop("img-src") == "data:", name
        for element in ("script", "style"):
            codes = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
            digests = [hashlib.sha256(code.encode()).digest() for code in codes]
            expected = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
            assert rules.pop(f"{element}-src", "").split() == expected, (name, element)
        assert rules == {}, name


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium")
def test_no_page_does_what_its_policy_forbids(pages: dict[str, Path]) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - browser tests only

    listen = """
        window.forbidden = [];
        addEventListener("securitypolicyviolation", (event) =>
          forbidden.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, path in pages.items():
            page = browser.new_page()
            page.add_init_script(listen)
            heard: list[str] = []
            page.on("console", lambda message, heard=heard: heard.append(message.text))
            page.on("pageerror", lambda error, heard=heard: heard.append(str(error)))
            page.goto(path.as_uri())
            page.wait_for_load_state("load")
            assert (page.evaluate("forbidden"), heard) == ([], []), name
            if name.endswith("-report"):
                check_filled(page, name)
            # The listener hears what is forbidden indeed.
            page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=color:red>')")
            page.wait_for_function("forbidden.length > 0")
            page.close()
        browser.close()


def check_filled(page: Any, name: str) -> None:
    """See that cells are filled as far as their figures say."""
    cells = page.evaluate(
        """[...document.querySelectorAll(".matrix td, .bar")].map((cell) =>
             [cell.textContent.trim(), getComputedStyle(cell).getPropertyValue("--share")])"""
    )
    shown = 0
    for text, share in cells:
        if not re.match(r"\d", text):
            assert share == "", (name, text)
            continue
        least = float(text.split("–")[0].strip().replace(",", "."))
        assert abs(float(share.removesuffix("%")) - least) <= 0.55, (name, text)
        shown += 1
    assert shown > 5
    halves = page.evaluate(
        """[...document.querySelectorAll("table.week tbody td")].map((cell) => {
             const style = getComputedStyle(cell);
             return [cell.textContent.trim(), style.getPropertyValue("--least"),
                     style.getPropertyValue("--most")];
           })"""
    )
    assert bool(halves) == (name == "week-report")
    for text, least, most in halves:
        ends = [float(end) for end in re.findall(r"\d+", text)]
        if text in {"—", "0"}:
            assert least == most == ""
        else:
            filled = [float(end.removesuffix("%")) for end in (least, most)]
            assert abs(filled[0] - ends[0]) <= 1, text
            assert abs(filled[1] - ends[-1]) <= 1, text


@pytest.mark.parametrize("code", ["a </script> b", "</STYLE >", "<!-- x"])
def test_code_that_would_end_its_element_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="closing tag"):
        inlined(code)
    assert inlined("a < b && '</p>'") == "a < b && '</p>'"


def test_values_are_escaped_as_the_page_needs() -> None:
    shown = page_environment({"name": "<b>"}).from_string("{{ name }}").render()
    assert shown == "&lt;b&gt;"
    plain = page_environment({"name": "<b>"}, escape=lambda value: str(value).upper())
    assert plain.from_string("{{ name }}").render() == "<B>"
    assert "script-src" not in security_policy(styles=["p {}"])


# --- texts ---------------------------------------------------------------------------------------

STORES = ("labels.toml", "study/definitions.toml", "categories.toml", "outputs/dossier/words.toml")


def stored(entries: dict[str, Any], path: str) -> Iterator[tuple[str, object]]:
    """Yield the path of each text, with its French and English or the text that it names."""
    for key, entry in entries.items():
        if isinstance(entry, dict):
            if {"fr", "en"} <= entry.keys():
                yield f"{path}.{key}", (entry["fr"], entry["en"])
            else:
                yield from stored(entry, f"{path}.{key}")
        elif isinstance(entry, list):
            yield f"{path}.{key}", tuple(entry)
        elif isinstance(entry, str) and path.startswith(("labels", "outputs")):
            yield f"{path}.{key}", entry


def test_no_text_stands_twice_and_every_reference_leads_to_one() -> None:
    found: dict[str, object] = {}
    for name in STORES:
        file = resources.files("quart_heure").joinpath(*name.split("/"))
        found |= stored(tomllib.loads(file.read_text("utf-8")), name.removesuffix(".toml"))
    texts = {path: pair for path, pair in found.items() if isinstance(pair, tuple)}
    assert len(texts) > 450
    times = Counter(texts.values())
    assert {path: pair for path, pair in texts.items() if times[pair] > 1} == {}
    named = {target for target in found.values() if isinstance(target, str)}
    assert named
    assert {f"labels.{target}" for target in named} <= texts.keys()
    for target in sorted(named):
        for lang in labels.LANGUAGES:
            assert labels.text(target, lang)


def test_a_reference_to_nothing_is_noticed() -> None:
    with pytest.raises(KeyError):
        labels.read_pairs({"a": "headings.no_such_key"})
