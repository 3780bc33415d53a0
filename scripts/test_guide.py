"""Write tests/README.md: what each test file proves, and which tests lead to a module.

A module's tests are the test files that import it, or else those that reach it in the fewest steps:
so a name leads from every module to what would fail if it were wrong.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "coverage" / "quart_heure"
TESTS = ROOT / "tests"
SHOWN = 4
FACES = {
    "study.analyse": "study.line",
    "study.Study": "study.study",
    "study.Coverage": "study.coverage",
}
"""Names that the face of a folder gives, and the modules that define them."""


def docstring(path: Path) -> str:
    """Return the first line of a file's docstring."""
    found = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return found.partition("\n")[0]


def modules() -> dict[str, Path]:
    """Return the modules of the package by dotted name below it; folders themselves left out."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name not in {"__init__.py", "__main__.py"}
    }


def imports(path: Path, known: Iterable[str]) -> set[str]:
    """Return the modules of the package that a file imports, in functions and for types too."""
    known = set(known)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {name.removeprefix("quart_heure.") for name in names if "quart_heure." in name}
    return {FACES.get(name, name) for name in found} & known


def tests_of_modules(tests: Iterable[Path]) -> dict[str, tuple[int, list[Path]]]:
    """Return for each module the steps to the nearest test files, and these files."""
    known = modules()
    inside = {name: imports(path, known) for name, path in known.items()}
    direct = {path: imports(path, known) for path in tests}
    nearest: dict[str, tuple[int, list[Path]]] = {}
    for path, first in direct.items():
        for name, steps in _steps(first, inside).items():
            least, files = nearest.get(name, (steps, []))
            if steps < least:
                nearest[name] = (steps, [path])
            elif steps == least:
                nearest[name] = (steps, [*files, path])
    return nearest


def _steps(first: set[str], inside: Mapping[str, set[str]]) -> dict[str, int]:
    steps = dict.fromkeys(first, 0)
    front = first
    while front:
        front = set().union(*(inside[name] for name in front)) - set(steps)
        steps |= dict.fromkeys(front, max(steps.values(), default=0) + 1)
    return steps


def guide() -> str:
    """Write the page."""
    tests = sorted(TESTS.glob("*/test_*.py"))
    lines = [(ROOT / "scripts" / "test_guide.md").read_text(encoding="utf-8"), "## By test file\n"]
    for folder in sorted({path.parent for path in tests}):
        lines += [f"\n### {folder.name}\n\n| file | what it proves |\n|---|---|\n"]
        lines += [
            f"| `{path.name}` | {docstring(path)} |\n" for path in tests if path.parent == folder
        ]
    lines += [
        "\n## By module\n\n",
        "The tests that import a module, or else those that reach it in the fewest steps",
        " (in brackets).\n\n",
        "| module | tests |\n|---|---|\n",
    ]
    nearest = tests_of_modules(path for path in tests if path.parent.name != "house")
    for name in modules():
        steps, files = nearest.get(name, (0, []))
        room = name.partition(".")[0]
        # Tests of the module's own room say more of it than those that merely use it.
        files = sorted(files, key=lambda path: (path.parent.name != room, path))
        named = ", ".join(f"`{path.parent.name}/{path.name}`" for path in files[:SHOWN])
        more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
        far = f" ({steps})" if steps else ""
        lines.append(f"| `{name}` | {named or '`house/test_house.py`'}{more}{far} |\n")
    return "".join(lines)
