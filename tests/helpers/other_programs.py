"""Programs of others that tests run where they are installed: QGIS, R, LibreOffice."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
    "QT_QPA_PLATFORM": "offscreen",
}
"""Without what is ours of Python, and without a window."""


def _succeeds(command: list[str]) -> bool:
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False)
    return done.returncode == 0


@functools.cache
def qgis_python() -> str:
    """Return the Python that QGIS is installed for, which is not ours; empty without one."""
    for python in ("/usr/bin/python3", shutil.which("python3")):
        if python and Path(python).exists():
            code = "import importlib.util, sys; sys.exit(not importlib.util.find_spec('qgis'))"
            if _succeeds([python, "-c", code]):
                return python
    return ""


@functools.cache
def r_with_sf() -> str:
    """Return the program of an R that has sf; empty without one."""
    program = shutil.which("Rscript")
    if program and _succeeds([program, "-e", "stopifnot(requireNamespace('sf', quietly = TRUE))"]):
        return program
    return ""
