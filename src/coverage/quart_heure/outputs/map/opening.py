"""Opening: the scenario that a map opens with, as its page says one in its address."""

from __future__ import annotations

from urllib.parse import quote

from quart_heure.errors import StudyFileError
from quart_heure.study.changed import changed_study, find_service
from quart_heure.study.coverage import Coverage
from quart_heure.study.scenario import Scenario

_LEFT_OUT = ("hours", "capacity", "link", "cut", "profile", "threshold_min", "at")
"""What a page cannot work out by itself."""


def opening_address(coverage: Coverage, scenario: Scenario) -> str:
    """Return what the address of the page would say of a scenario.

    Raises
    ------
    StudyFileError
        If a service is unknown, or the scenario asks what a page cannot follow.
    """
    for name in _LEFT_OUT:
        if getattr(scenario, name) not in ((), None):
            msg = f"Scenario {scenario.name!r}: the page of a map cannot follow {name!r}."
            raise StudyFileError(msg, hint="Ask quart-heure what-if, which can.")
    table = coverage.study.services.table
    changed_study(coverage.study, scenario)  # it refuses what cannot be

    def known(word: str) -> str:
        row = find_service(table, word, scenario.name)
        return quote(str(table["service_id"].iat[row]), safe="")

    parts = [f"-{known(word)}" for word in scenario.close]
    parts += [f"={known(one.service)}@{one.lat:.5f},{one.lon:.5f}" for one in scenario.move]
    parts += [
        f"+{quote(one.category, safe='')}@{one.lat:.5f},{one.lon:.5f}" for one in scenario.add
    ]
    return ";".join(parts)
