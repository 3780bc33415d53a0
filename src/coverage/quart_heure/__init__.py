"""Who cannot reach the solidarity services of a city within 15 minutes on foot, and why.

Public names are imported when they are first used: reading this package costs nothing, so that
``quart-heure --help`` answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from quart_heure.moved import keep_old_names

if TYPE_CHECKING:
    from quart_heure.cache import Cache, default_cache
    from quart_heure.categories import default_catalogue
    from quart_heure.errors import QuartHeureError
    from quart_heure.network.graph import WalkNetwork
    from quart_heure.outputs.map.map import write_map
    from quart_heure.outputs.report.report import render_report
    from quart_heure.outputs.results.read import read_results
    from quart_heure.outputs.results.write import write_results
    from quart_heure.profiles import ADULT, SLOW, STEP_FREE, WalkProfile
    from quart_heure.sources.areas.areas import read_area
    from quart_heure.sources.services.services import read_services
    from quart_heure.study.coverage import Coverage
    from quart_heure.study.file import read_study
    from quart_heure.study.line import analyse
    from quart_heure.study.siting import site
    from quart_heure.study.study import Study

__all__ = [
    "ADULT",
    "SLOW",
    "STEP_FREE",
    "Cache",
    "Coverage",
    "QuartHeureError",
    "Study",
    "WalkNetwork",
    "WalkProfile",
    "analyse",
    "default_cache",
    "default_catalogue",
    "read_area",
    "read_results",
    "read_services",
    "read_study",
    "render_report",
    "site",
    "write_map",
    "write_results",
]

_HOMES = {
    "cache": ("Cache", "default_cache"),
    "categories": ("default_catalogue",),
    "errors": ("QuartHeureError",),
    "network.graph": ("WalkNetwork",),
    "outputs.map.map": ("write_map",),
    "outputs.report.report": ("render_report",),
    "outputs.results.read": ("read_results",),
    "outputs.results.write": ("write_results",),
    "profiles": ("ADULT", "SLOW", "STEP_FREE", "WalkProfile"),
    "sources.areas.areas": ("read_area",),
    "sources.services.services": ("read_services",),
    "study": ("Coverage", "Study", "analyse"),
    "study.file": ("read_study",),
    "study.siting": ("site",),
}


keep_old_names()


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"quart_heure.{module}"), name)
    msg = f"module 'quart_heure' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
