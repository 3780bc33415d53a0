"""The house keeps its own rules: rooms, words, declared dependencies, a light front door."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pandas as pd
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import quart_heure
from helpers.project import ROOT, in_project, project_files, pyproject, requirements
from helpers.study_files import write_town
from quart_heure.labels import LANGUAGES, text

PACKAGE = Path(quart_heure.__file__).resolve().parent
TEXTS_OF = {"phrase": "report", "heading": "headings"}
HEAVY = ("geopandas", "osmnx", "folium", "pandas", "scipy", "matplotlib", "pyarrow", "networkx")


def python_modules() -> list[str]:
    """Name every module of the package."""
    found = pkgutil.walk_packages([str(PACKAGE)], prefix="quart_heure.")
    return ["quart_heure", *(module.name for module in found)]


def top_level_imports(source: Path) -> set[str]:
    """Name what a file imports from elsewhere, inside functions and type checks too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"), filename=str(source))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"quart_heure", "__future__"}


def undeclared(sources: list[Path], declared: dict[str, Requirement], own: set[str]) -> set[str]:
    """Name the imports of some files that no declared distribution provides."""
    providers = metadata.packages_distributions()
    return {
        f"{source.name}: {name}"
        for source in sources
        for name in top_level_imports(source) - own
        if not {canonicalize_name(each) for each in providers.get(name, [])} & set(declared)
    }


@in_project
def test_imports_go_one_way_through_the_rooms() -> None:
    # In a process of its own: import-linter silences the loggers of the one it runs in.
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", script, "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@in_project
def test_every_room_is_under_the_contract() -> None:
    contract = (ROOT / ".importlinter").read_text(encoding="utf-8")
    rooms = {f"quart_heure.{module.name}" for module in pkgutil.iter_modules([str(PACKAGE)])}
    # __main__ only starts the front desk.
    held = set(re.findall(r"quart_heure\.\w+", contract))
    assert rooms - {"quart_heure.__main__"} <= held


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from quart_heure.cli import run\n"
        "sys.argv = ['quart-heure', '--help']\n"
        "try:\n"
        "    run()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        f"print('heavy:', sorted(set(sys.modules) & set({HEAVY!r})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "report" in done.stdout
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_a_warm_report_loads_neither_what_searches_nor_what_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = write_town(tmp_path)
    services = pd.read_csv(tmp_path / "services.csv")
    # Where a discreet place is, is searched each time: nothing of it is kept.
    services[~services["discreet"]].to_csv(tmp_path / "services.csv", index=False)
    monkeypatch.setenv("QUART_HEURE_CACHE", str(tmp_path / "cache"))
    script = (
        "import sys\n"
        "from quart_heure.cli import main\n"
        f"code = main(['report', {str(study)!r}])\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
        "print(sorted(sys.modules), file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    first, warm = (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        for _ in range(2)
    )
    assert (first.returncode, warm.returncode) == (0, 0), first.stderr + warm.stderr
    assert first.stdout == warm.stdout
    packages, modules = map(ast.literal_eval, warm.stderr.splitlines()[-2:])
    assert "scipy" in ast.literal_eval(first.stderr.splitlines()[-2])
    needless = {"scipy", "osmnx", "folium", "matplotlib", "networkx", "contourpy", "highspy"}
    assert sorted(needless & set(packages)) == []
    # Nor are the options of other commands made first.
    commands = {name for name in modules if name.startswith("quart_heure.commands.")}
    assert (
        not {f"quart_heure.commands.{each}" for each in ("siting", "variants", "inputs")} & commands
    )


def test_options_that_nobody_gave_are_not_turned_into_values() -> None:
    """What turns them is loaded where a text is given, and takes a tenth of a second."""
    script = (
        "import sys\n"
        "from quart_heure.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "print('pydantic' in sys.modules)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "schema"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("name", python_modules())
def test_modules_say_what_they_are_and_public_ones_what_they_offer(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    offered = getattr(module, "__all__", [])
    assert sorted(offered) == sorted(set(offered)), f"{name}.__all__ names something twice"
    missing = [each for each in offered if not hasattr(module, each)]
    assert not missing, f"{name}.__all__ names what is not there"


@in_project
def test_a_module_that_offers_names_is_one_that_readers_are_told_of() -> None:
    """`__all__` is a promise to those outside: what no document names, it need not keep."""
    told = "".join(
        path.read_text(encoding="utf-8")
        for path in project_files()
        if path.suffix in {".md", ".ipynb"} and path.name != "CHANGELOG.md"
    )
    front = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    offering = [
        name for name in python_modules() if hasattr(importlib.import_module(name), "__all__")
    ]
    for name in offering:
        offered = importlib.import_module(name).__all__
        assert any(re.search(rf"\b{each}\b", told + front) for each in offered), name
    assert sum(len(importlib.import_module(name).__all__) for name in offering) <= 130


def test_every_text_is_given_the_values_that_it_has_places_for() -> None:
    """Where the key of a text and the names of its values stand in the code as they are."""
    missing = []
    for source in sorted(PACKAGE.rglob("*.py")):
        for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not call.args:
                continue
            table = TEXTS_OF.get(getattr(call.func, "id", ""))
            key = getattr(call.args[0], "value", None)
            given = {each.arg for each in call.keywords}
            if table is None or not isinstance(key, str) or None in given:
                continue
            for lang in LANGUAGES:
                try:
                    text(f"{table}.{key}", lang, **dict.fromkeys(map(str, given), 0))
                except KeyError as error:
                    missing.append(f"{source.name}:{call.lineno}: {key}: {error}")
    assert not missing, missing


def test_the_front_page_is_short() -> None:
    assert len(quart_heure.__all__) <= 20


@in_project
def test_coverage_is_still_the_measuring_tool() -> None:
    # The source root is named coverage; it must never be importable under that name.
    script = "import importlib.util as u; s = u.find_spec('coverage'); print(s and s.origin or '')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT / "src"
    )
    # From inside src/ a folder without __init__.py gives way to any installed coverage.py.
    found = done.stdout.strip()
    assert not found or not Path(found).is_relative_to(ROOT / "src")
    assert not (ROOT / "src" / "coverage" / "__init__.py").exists()
    assert str(ROOT / "src") not in sys.path


@in_project
def test_no_file_names_a_machine_or_a_registry() -> None:
    # Put together here, so that this file does not hold what it looks for.
    hosts = [
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    ]
    folders = "|".join(("work", "root", "home", "Users"))
    named = re.compile("|".join(re.escape(".".join(host)) for host in hosts))
    # Preceded by a letter, a dot or a brace, it is the path of an address or of a pattern.
    placed = re.compile(rf"(?<![\w.}}])/(?:{folders})/\w|[A-Z]:\\+Users\\")
    found = []
    for path in project_files():
        if path.suffix in {".parquet", ".png", ".gz", ".pbf"}:
            content = path.read_bytes().decode("latin-1")
        else:
            content = path.read_text(encoding="utf-8")
        found += [
            f"{path.relative_to(ROOT)}: {match[0]}"
            for pattern in (named, placed)
            for match in pattern.finditer(content)
        ]
    assert not found


@in_project
def test_lower_bounds_are_met_here() -> None:
    wrong = []
    for name, asked in requirements("notebook", "test").items():
        bounds = [each for each in asked.specifier if each.operator == ">="]
        if not bounds or len(asked.specifier) != 1:
            wrong.append(f"{asked} does not state one lower bound")
        elif not asked.specifier.contains(metadata.version(name), prereleases=True):
            wrong.append(f"{asked}, {metadata.version(name)} is installed")
    assert not wrong


@in_project
def test_extras_are_made_of_extras_that_exist() -> None:
    project = pyproject()["project"]
    extras = project["optional-dependencies"]
    asked = [Requirement(line) for lines in extras.values() for line in lines]
    named = {extra for each in asked if each.name == project["name"] for extra in each.extras}
    assert named <= set(extras)


@in_project
def test_every_import_is_declared() -> None:
    # An extra is imported where it is used, with a word for whoever lacks it.
    package = sorted(PACKAGE.rglob("*.py"))
    assert not undeclared(package, requirements("cluster", "raster"), own=set())


@in_project
def test_every_import_of_tests_and_scripts_is_declared() -> None:
    sources = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")])
    own = {source.stem for source in sources} | {
        source.parent.name for source in sources if source.parent.name not in {"tests", "scripts"}
    }
    declared = requirements(*pyproject()["project"]["optional-dependencies"])
    # A package of the system alone; what draws with it says so where it is not there.
    own.add("qgis")
    assert not undeclared(sources, declared, own)
