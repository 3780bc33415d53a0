"""Study: what is asked, and the whole line from the question to its coverage.

The public names are imported when they are first used, so that a setting is read without the
libraries of an analysis.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage
    from quart_heure.study.line import analyse
    from quart_heure.study.study import Study

__all__ = ["Coverage", "Study", "analyse"]

_HOMES = {"Coverage": "coverage", "Study": "study", "analyse": "line"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"quart_heure.study.{_HOMES[name]}"), name)
    msg = f"module 'quart_heure.study' has no attribute {name!r}"
    raise AttributeError(msg)
