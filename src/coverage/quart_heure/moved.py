"""Names of modules before they moved into rooms: old imports go on working, with a warning.

The table is the one place that knows; a version after the next, it goes.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

MOVED = {
    "question": "study.study",
    "study_file": "study.file",
    "study_settings": "study.settings",
    "coverage": "study.coverage",
    "variants": "study.variants",
    "run_manifest": "study.manifest",
    "sources.districts": "sources.areas.districts",
    "sources.opening_hours": "sources.hours.states",
    "sources.open_data": "sources.online.open_data",
    "sources.insee": "sources.online.insee",
    "sources.soliguide": "sources.online.soliguide",
    "sources.geocoding": "sources.online.geocoding",
    "sources.osm_live": "sources.online.overpass",
    "sources.osm_data": "sources.osm.data",
    "sources.osm_files": "sources.osm.files",
    "sources.osm_boundaries": "sources.osm.boundaries",
    "sources.osm_services": "sources.osm.services",
    "sources.snapshot": "fetch.snapshot",
    "sources.territory": "fetch.territory",
    "sources.resident_files": "sources.residents.files",
    "sources.buildings": "sources.residents.buildings",
    "sources.weights": "sources.residents.weights",
    "sources.service_files": "sources.services.files",
    "sources.service_sources": "sources.services.settings",
    "sources.wordings": "sources.services.wordings",
    "sources.duplicates": "sources.services.duplicates",
    "sources.merging": "sources.services.merging",
    "outputs.check": "outputs.report.check",
    "outputs.tables": "outputs.results.write",
    "outputs.dossier_content": "outputs.dossier.content",
}
"""Old name → new name, both below `quart_heure`: those that documents and scripts were told of."""


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module under its old name, and gives the very module that has the new one."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import system's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != "quart_heure" or name not in MOVED:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        new = f"quart_heure.{MOVED[spec.name.partition('.')[2]]}"
        warnings.warn(f"{spec.name} is now {new}.", DeprecationWarning, stacklevel=2)
        return importlib.import_module(new)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module was run under its own name."""


def keep_old_names() -> None:
    """Let imports by old names find the modules under their new ones."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


def face_of(package: str, module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a folder that was a module of the same name.

    ``from quart_heure.sources.services import read_services`` goes on working: what the folder has
    not itself is looked for in the module that bears its subject.
    """

    def getattr_of_package(name: str) -> Any:
        if not name.startswith("__"):
            home = importlib.import_module(f"{package}.{module}")
            if hasattr(home, name):
                return getattr(home, name)
        msg = f"module {package!r} has no attribute {name!r}"
        raise AttributeError(msg)

    return getattr_of_package
