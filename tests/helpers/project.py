"""Where the project is, and the source extracts that may lie beside it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
EXTRACTS = ROOT.parent / "shared" / "data"
"""Real extracts that may lie beside a checkout; tests that need them are skipped without."""

# Folders that hold what tools and runs leave behind, for when git is not there to tell.
LEFT_BEHIND = {".venv", ".git", ".cache", "__pycache__", "dist", "build", "out"}


T = TypeVar("T")

THOROUGH = bool(os.environ.get("QUART_HEURE_THOROUGH"))
"""Whether minutes do not matter: more examples, and the packaged Paris where a town would do."""

thorough = pytest.mark.skipif(not THOROUGH, reason="takes long: QUART_HEURE_THOROUGH=1 runs it")


def fewer(values: Sequence[T], n: int) -> Sequence[T]:
    """Return the first values to try, all of them where minutes do not matter."""
    return values if THOROUGH else values[:n]


in_project = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="the tests run without the project's files"
)


@cache
def pyproject() -> dict[str, Any]:
    """Read pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def project_files() -> tuple[Path, ...]:
    """List the project's files: git's, with the new ones; without git, all but what runs leave."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        try:
            listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            pass  # git is absent or refuses the folder of another user
        else:
            paths = (ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name)
            return tuple(path for path in paths if path.is_file())
    return tuple(
        path
        for path in sorted(ROOT.rglob("*"))
        if path.is_file()
        and not any(
            part in LEFT_BEHIND or part.endswith((".egg-info", "_cache"))
            for part in path.relative_to(ROOT).parts
        )
    )


@cache
def requirements(*extras: str) -> dict[str, Requirement]:
    """Give what pyproject.toml asks for, by canonical name, with what is in these extras."""
    project = pyproject()["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    asked = [Requirement(line) for line in lines]
    return {canonicalize_name(each.name): each for each in asked if each.name != project["name"]}


@contextlib.contextmanager
def load_script(name: str) -> Iterator[ModuleType]:
    """Load a program of scripts/ as a module, which finds those beside it."""
    path = ROOT / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their own module up.
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(path.parent)
        patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        yield module
