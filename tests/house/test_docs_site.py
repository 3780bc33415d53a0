"""The docs site: built without internet, no link that leads nowhere, nothing from other servers."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import quart_heure
from helpers.browser import CHROMIUM, PHONE, WIDE, running_browser
from helpers.project import ROOT, in_project, load_script, thorough

pytest.importorskip("sphinx", reason="needs the extra docs")
pytest.importorskip("myst_nb", reason="needs the extra docs")
pytestmark = in_project


def built(folder: Path, *options: str) -> Path:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "build_docs.py"), str(folder), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site without what takes long."""
    return built(tmp_path_factory.mktemp("docs") / "site", "--quick")


@pytest.fixture(scope="module")
def script() -> Any:
    with load_script("build_docs") as module:
        yield module


def test_every_page_is_there_and_every_link_leads_somewhere(site: Path) -> None:
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    written = {f"docs/{path.stem}.html" for path in (ROOT / "docs").glob("*.md")}
    books = {f"notebooks/{path.stem}.html" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert pages >= {"index.html", "fr.html", "api.html", "gallery.html", *written, *books}
    anchors = {
        page: set(re.findall(r'\bid="([^"]*)"', (site / page).read_text("utf-8"))) for page in pages
    }
    for page in sorted(pages - {"paris.html"}):
        for link in re.findall(r'<a [^>]*href="([^"]*)"', (site / page).read_text("utf-8")):
            if re.match(r"[a-z]+:", link):
                continue
            to, _, anchor = link.partition("#")
            target = (site / page).parent / unquote(to) if to else site / page
            assert target.resolve().is_file(), (page, link)
            name = target.resolve().relative_to(site.resolve()).as_posix()
            if anchor and name in anchors:
                assert unquote(anchor) in anchors[name], (page, link)


def test_pages_say_their_language(site: Path) -> None:
    for name, lang in (("index", "en"), ("fr", "fr"), ("README.fr", "fr"), ("api", "en")):
        assert f'<html lang="{lang}"' in (site / f"{name}.html").read_text("utf-8"), name


def test_the_reference_tells_all_that_is_offered(site: Path, script: Any) -> None:
    told = "".join(path.read_text("utf-8") for path in (site / "api").glob("*.html"))
    front = (site / "api.html").read_text("utf-8")
    for name, home, line in script.front_names():
        assert f"#{home}" in front, name  # a link to where it is told
        assert line
        assert f'id="{home}"' in told, home
    modules = set(script.public_modules())
    assert {"quart_heure.study.study", "quart_heure.outputs.results.read"} <= modules
    for module in modules:
        assert f'id="module-{module}"' in told, module
        for name in importlib.import_module(module).__all__:
            value = getattr(sys.modules[module], name)
            if not hasattr(value, "__qualname__"):
                continue  # a constant of another module, which says nothing of its own
            ids = {f"{module}.{name}", f"{value.__module__}.{value.__qualname__}"}
            assert any(f'id="{each}"' in told for each in ids), ids
    assert "Raises" in told
    assert len(quart_heure.__all__) == len(list(script.front_names()))


def test_what_would_ask_other_servers_is_found(site: Path, script: Any, tmp_path: Path) -> None:
    assert script.remote_parts(site) == []
    for name, text in (
        ("a.html", '<script src="https://cdn.example/x.js"></script>'),
        ("b.html", '<link rel="stylesheet" href="//fonts.example/css">'),
        ("c.html", '<img src="pictures/x.png"><a href="https://example.org">x</a>'),
        ("d.css", "@import 'http://example.org/x.css'; a {background: url(x.png)}"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = [line.partition(":")[0] for line in script.remote_parts(tmp_path)]
    assert found == ["a.html", "b.html", "d.css"]


# Sphinx warns of its own extensions, in processes that inherit the filters of this one.
@pytest.mark.filterwarnings("default")
@thorough
def test_a_link_that_leads_nowhere_ends_it(
    script: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def staged(folder: Path, *, quick: bool) -> None:
        stage(folder, quick=quick)
        page = folder / "docs" / "map.md"
        page.write_text(page.read_text("utf-8") + "\n[gone](gone.md)\n", encoding="utf-8")

    stage = script.stage
    monkeypatch.setattr(script, "stage", staged)
    assert script.build(tmp_path / "site", quick=True) != 0
    assert "target not found: 'gone.md'" in capfd.readouterr().err
    assert not (tmp_path / "site").exists()


@thorough
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_the_whole_site_in_a_browser_without_network(tmp_path: Path) -> None:
    site = built(tmp_path / "site")
    assert (site / "paris.html").stat().st_size > 1e6
    pages = ("index", "fr", "api", "api/study", "docs/definitions", "live_map")
    books = [f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")]
    with running_browser() as browser:
        for viewport in (WIDE, PHONE):
            context = browser.new_context(viewport=viewport)
            context.set_offline(True)
            for name in (*pages, *books):
                page = context.new_page()
                told: list[str] = []
                page.on(
                    "console",
                    lambda message, told=told: (
                        told.append(message.text) if message.type in {"error", "warning"} else None
                    ),
                )
                page.on("pageerror", lambda error, told=told: told.append(str(error)))
                page.on(
                    "request",
                    lambda request, told=told: (
                        None
                        if request.url.startswith(("file:", "data:", "blob:", "about:"))
                        else told.append(request.url)
                    ),
                )
                page.goto((site / f"{name}.html").as_uri())
                page.wait_for_load_state()
                assert told == [], name
                # Wide tables scroll in a frame of their own, the page does not.
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 1, (name, viewport)
                missing = "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
                assert page.evaluate(missing) == 0, name
                page.close()
            context.close()
