"""Every reader fuzzed: hypothesis changes a good file, and goes where more of our lines run.

A reader may return or raise an error of ours. Anything else is shown with the smallest change that
leads to it, and ends the program with 1: ``scripts/assault --fuzz 60`` gives each reader a minute.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings, target
from hypothesis import strategies as st

from helpers import study_files, toy_town
from quart_heure.errors import QuartHeureError

Reader = Callable[[Path], object]

_INSERTED = (
    *(b"", b"\x00", b"\xff", b'"', b"'", b",", b";", b"\n", b"\r", b"\t", b"=", b"[", b"]", b"{"),
    *(b"}", b"-", b"+", b".", b"0", b"9" * 30, b"1e400", b"nan", b"null", b"\xc3", b"\xef\xbb\xbf"),
    *(b"24:00", b"25:61", b"Mo-", b"PH", b"off", b"week", b"0000-00-00", b"2026-13-01", b"/", b" "),
)

changes = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 24),
        st.sampled_from(_INSERTED) | st.binary(max_size=6),
    ),
    max_size=6,
)
"""Changes of a file: where, as a share of its length, how many bytes go, and what comes."""


def changed(content: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Return a content with changes made to it."""
    for share, gone, put in edits:
        at = int(share * len(content))
        content = content[:at] + put + content[at + gone :]
    return content


def readers(town: Path) -> dict[str, tuple[Reader, bytes, str]]:
    """Return each reader with a file that it reads well, and the ending of its name."""
    from quart_heure.analysis.moment import read_at, read_day  # noqa: PLC0415
    from quart_heure.network.graph import WalkNetwork  # noqa: PLC0415
    from quart_heure.outputs.report.watch import read_condition  # noqa: PLC0415
    from quart_heure.outputs.results.manifest import read_manifest  # noqa: PLC0415
    from quart_heure.sources.areas.areas import read_area  # noqa: PLC0415
    from quart_heure.sources.hours.text import hours_from_text  # noqa: PLC0415
    from quart_heure.sources.osm.files import read_osm_file  # noqa: PLC0415
    from quart_heure.sources.raw_tables import read_raw_table  # noqa: PLC0415
    from quart_heure.sources.residents.residents import read_residents  # noqa: PLC0415
    from quart_heure.study.scenario import read_scenarios  # noqa: PLC0415
    from quart_heure.study.settings import read_settings  # noqa: PLC0415

    def text_of(path: Path) -> str:
        return path.read_bytes().decode("utf-8", "replace")

    def manifest(path: Path) -> object:
        (path.parent / "manifest.json").write_bytes(path.read_bytes())
        return read_manifest(path.parent)

    districts = toy_town.town_area().districts.to_crs(4326).to_json().encode()
    told = {
        "tool": "quart-heure", "version": "0.0.1", "area": "A", "files": {}, "categories": [],
        "parameters": {"profile": "adult", "threshold_min": 15.0}, "counts": {"cells": 1},
    }  # fmt: skip
    xml = b"""<osm version="0.6"><node id="1" version="1" lat="48.8" lon="2.3"/>
<node id="2" version="1" lat="48.81" lon="2.3"><tag k="barrier" v="gate"/></node>
<way id="1" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="steps"/></way></osm>"""
    add = b'[[scenario.add]]\ncategory = "esi"\nlat = 48.85\nlon = 2.35\n'
    scenario = b'[[scenario]]\nname = "A"\n\n' + add
    return {
        "a table (CSV)": (read_raw_table, (town / "services.csv").read_bytes(), ".csv"),
        "a table (GeoJSON)": (read_raw_table, districts, ".geojson"),
        "districts (GeoJSON)": (read_area, districts, ".geojson"),
        "a study": (read_settings, study_files.STUDY.encode(), ".toml"),
        "a scenario": (read_scenarios, scenario, ".toml"),
        "a manifest": (manifest, repr(told).replace("'", '"').encode(), ".json"),
        "OpenStreetMap (XML)": (read_osm_file, xml, ".osm"),
        "a network": (WalkNetwork.read, (town / "network.parquet").read_bytes(), ".parquet"),
        "residents": (read_residents, (town / "residents.parquet").read_bytes(), ".parquet"),
        "opening hours": (lambda p: hours_from_text(text_of(p)), b"Mo-Fr 08:00-12:00; PH off", ""),
        "hours in words": (lambda p: hours_from_text(text_of(p)), b"lundi au vendredi 9h-12h", ""),
        "an hour": (lambda p: read_at(text_of(p)), b"2026-12-06 18:00", ""),
        "a day": (lambda p: read_day(text_of(p)), b"dimanche", ""),
        "a condition": (lambda p: read_condition(text_of(p)), b"gaps[esi, 13e] rose by 1", ""),
    }  # fmt: skip


def fuzz(name: str, reader: Reader, good: bytes, ending: str, *, seconds: float, first: int) -> int:
    """Change a file for some seconds; return the number of files that were tried.

    Raises
    ------
    Exception
        What a reader raised that is no error of ours, after hypothesis has made its file small.
    """
    tried, seen = 0, set[tuple[str, int]]()
    ends = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / f"file{ending}"

        @settings(
            max_examples=200, deadline=None, database=None, derandomize=False,
            phases=(Phase.generate, Phase.target, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(changes)
        def attempt(edits: list[tuple[float, int, bytes]]) -> None:
            nonlocal tried
            if time.monotonic() > ends and tried:
                return
            tried += 1
            path.write_bytes(changed(good, edits))
            lines: set[tuple[str, int]] = set()
            try:
                with _traced(lines):
                    reader(path)
            except QuartHeureError:
                pass
            finally:
                seen.update(lines)
                target(float(len(lines)))

        numbers = random.Random(f"{first} {name}")
        while not tried or time.monotonic() < ends:
            seed(numbers.randrange(2**32))(attempt)()
    return tried


@contextmanager
def _traced(lines: set[tuple[str, int]]) -> Iterator[None]:
    """Note which lines of ours run."""

    def of_line(frame: FrameType, event: str, _: Any) -> Any:
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return of_line

    def of_call(frame: FrameType, event: str, _: Any) -> Any:
        return of_line if "/quart_heure/" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(of_call)
    try:
        yield
    finally:
        sys.settrace(before)
