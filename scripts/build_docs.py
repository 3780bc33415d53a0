"""Build the docs site: scripts/build_docs.py [FOLDER] [--quick].

The pages are those that a forge shows: docs/, READMEs, the notebooks with their stored outputs; the
reference is made from the docstrings, and the map of Paris by the library. Entry pages, settings
and styles are in docs/site/. Whatever Sphinx warns of, such as a link that leads nowhere, is an
error, and so is a page that would ask another server for something. ``--quick`` leaves out what
takes long: the map, and the outputs of the notebooks.
"""

from __future__ import annotations

import argparse
import ast
import base64
import importlib
import inspect
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
from sphinx.cmd.build import main as sphinx

import quart_heure
from quart_heure import Study, WalkProfile, analyse, default_cache

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(quart_heure.__file__).parent
SITE = ROOT / "docs" / "site"

PAGES = ("README.md", "README.fr.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES_OF_FOLDERS = ("data/README.md", "data/paris/README.md", "tests/README.md")
FILES = (".toml", ".csv")
"""Kinds of files of the sources that pages lead to."""

ROOMS = {
    "study": "Study: the question and the line",
    "sources": "Sources: what comes in",
    "network": "Network: what can be walked",
    "analysis": "Analysis: what it means",
    "fetch": "Fetch: a territory from servers",
    "outputs": "Outputs: pages, files, pictures",
    "": "What all of them know",
}
"""Rooms of the package that have a page of the reference."""


def stage(folder: Path, *, quick: bool) -> None:
    """Bring the pages together as a site has them: entry pages on top, the rest where it is."""
    shutil.copytree(SITE, folder)
    for name in (*PAGES, *PAGES_OF_FOLDERS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("site"))
    for path in PACKAGE.rglob("*"):
        if path.suffix in FILES:
            copy = folder / "src" / "coverage" / "quart_heure" / path.relative_to(PACKAGE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    stage_notebooks(folder, quick=quick)
    extra = folder / "_extra"
    extra.mkdir()
    if quick:
        (extra / "paris.html").write_text("<!doctype html><title>–</title>", encoding="utf-8")
    else:
        coverage = analyse(Study.paris(cache=default_cache()), cache=default_cache())
        coverage.map(extra / "paris.html")
    write_reference(folder)


def stage_notebooks(folder: Path, *, quick: bool) -> None:
    """Bring the notebooks, and a gallery of their titles and pictures."""
    (folder / "notebooks").mkdir()
    doors, pages = ["::::{container} doors", ""], []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        title, told = re.match(r"# (.+)\n+(.+(?:\n.+)*)", notebook.cells[0].source).groups()  # type: ignore[union-attr]
        picture = folder / "notebooks" / f"{path.stem}.png"
        picture.write_bytes(base64.b64decode(richest_picture(notebook)))
        doors.append(
            f"- ![]({picture.relative_to(folder)})\n\n"
            f"  [**{title}**](notebooks/{path.name})\n\n  {' '.join(told.split())}"
        )
        pages.append(f"notebooks/{path.stem}")
        for cell in notebook.cells if quick else ():
            if cell.cell_type == "code":
                cell.outputs = []
        nbformat.write(notebook, folder / "notebooks" / path.name)  # type: ignore[no-untyped-call]
    lines = [*doors, "", "::::", "", "```{toctree}", ":hidden:", "", *pages, "```", ""]
    with (folder / "gallery.md").open("a", encoding="utf-8") as gallery:
        gallery.write("\n" + "\n".join(lines))


def richest_picture(notebook: Any) -> str:
    """Return the picture of a notebook that shows most, in base64: a map rather than bars."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.get("data", {}).get("image/png", "") for output in outputs]
    return str(max(shown, key=len))


def write_reference(folder: Path) -> None:
    """Write the pages of the reference: the front door, and one for each room."""
    (folder / "api").mkdir()
    lines = [
        "# Python: the reference",
        "",
        "What one imports from `quart_heure`; each name leads to where it lives.",
        "",
        "| name | what it is |",
        "|---|---|",
        *(f"| {{py:obj}}`{name} <{home}>` | {told} |" for name, home, told in front_names()),
        "",
        "```{toctree}",
        ":maxdepth: 1",
        "",
    ]
    modules = list(public_modules())
    for room, title in ROOMS.items():
        mine = [name for name in modules if _room(name) == room]
        page = [f"# {title}", ""]
        for name in mine:
            page += [f"## {name}", "", "```{eval-rst}", f".. automodule:: {name}", "```", ""]
        name = room or "common"
        (folder / "api" / f"{name}.md").write_text("\n".join(page), encoding="utf-8")
        lines.append(f"api/{name}")
    (folder / "api.md").write_text("\n".join([*lines, "```", ""]), encoding="utf-8")


def front_names() -> Iterator[tuple[str, str, str]]:
    """Give what the package offers, where it is told, and the first line on it."""
    homes: dict[str, str] = {}
    for module in public_modules():
        for name in importlib.import_module(module).__all__:
            homes.setdefault(name, f"{module}.{name}")
    for name in quart_heure.__all__:
        value = getattr(quart_heure, name)
        told = (inspect.getdoc(value) or "").partition("\n")[0]
        if isinstance(value, WalkProfile):  # whose class says what all of them are
            told = f"A walker, {value.speed_kmh:g} km/h."
        yield name, homes[name], told.replace("|", "\\|")


def public_modules() -> Iterator[str]:
    """Give the modules that offer names to readers outside, in their order.

    Of packages, those that offer what no module of theirs does: others tell it twice.
    """
    offering = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        if "__all__" in _assigned(path):
            offering[module.removesuffix(".__init__")] = path
    for module, path in offering.items():
        found = importlib.import_module(module)
        homes = {getattr(getattr(found, name), "__module__", module) for name in found.__all__}
        alone = path.name != "__init__.py" or not homes & (offering.keys() - {module})
        if found.__all__ and alone and module != PACKAGE.name:
            yield module


def _assigned(path: Path) -> set[str]:
    """Return the names that a module gives values at its top."""
    return {
        target.id
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 2 else ""


class Loaded(HTMLParser):
    """What a page loads by itself: all of it must lie beside it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Note what a tag loads."""
        given = {name: value or "" for name, value in attrs}
        names = ("src", "srcset", "data", "poster")
        self.found += [given[name] for name in names if name in given]
        if tag == "link" and given.get("rel") not in {"canonical", "license", "author"}:
            self.found.append(given.get("href", ""))


def remote_parts(folder: Path) -> list[str]:
    """Return what pages and styles would load from other servers."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".html":
            parts = Loaded(path.read_text(encoding="utf-8")).found
        elif path.suffix == ".css":
            parts = re.findall(r"(?:url\(|@import )[\"']?([^\"')]+)", path.read_text("utf-8"))
        else:
            continue
        found += [
            f"{path.relative_to(folder)}: {part}"
            for part in parts
            if re.match(r"\s*(?:https?:)?//", part)
        ]
    return found


def build(folder: Path, *, quick: bool = False) -> int:
    """Build the site into a folder, of which an earlier one is taken away; return an exit code."""
    with tempfile.TemporaryDirectory(prefix="docs-") as made:
        source, output = Path(made) / "source", Path(made) / "site"
        stage(source, quick=quick)
        options = ["--fail-on-warning", "--keep-going", "--quiet", "--jobs", "auto"]
        code = sphinx([*options, "-d", str(Path(made) / "state"), str(source), str(output)])
        if code:
            return int(code)
        remote = remote_parts(output)
        if remote:
            print("\n".join(["Pages would ask other servers for:", *remote[:20]]), file=sys.stderr)
            return 1
        for left in (".buildinfo", "objects.inv"):
            (output / left).unlink(missing_ok=True)
        if folder.exists():
            if not (folder / "index.html").exists() and any(folder.iterdir()):
                print(f"{folder} holds something else.", file=sys.stderr)
                return 1
            shutil.rmtree(folder)
        shutil.copytree(output, folder)
    print(f"{folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the docs site.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "out" / "docs")
    parser.add_argument("--quick", action="store_true", help="without map and outputs")
    asked = parser.parse_args()
    sys.exit(build(asked.folder, quick=asked.quick))
