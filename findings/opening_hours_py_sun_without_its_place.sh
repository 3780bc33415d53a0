#!/usr/bin/env bash
# opening-hours-py 2.1.4: with coordinates and a time zone given, auto_timezone=False drops the
# coordinates without a word: the sun rises at 07:00 and sets at 19:00 all year.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check opening-hours-py==2.1.4 tzdata==2025.2
"$work/v/bin/python" - <<'P'
import datetime as dt, zoneinfo
from importlib.metadata import version
from opening_hours import OpeningHours
print("opening-hours-py", version("opening-hours-py"))
paris = zoneinfo.ZoneInfo("Europe/Paris")
place = {"coords": (48.86, 2.35), "timezone": paris, "auto_country": False}
seen = {}
for auto in (True, False):
    hours = OpeningHours("sunrise-sunset", auto_timezone=auto, **place)
    seen[auto] = [hours.next_change(dt.datetime(2026, month, 21, tzinfo=paris)).strftime("%H:%M") for month in (6, 12)]
print("sunrise in Paris on 21 June and 21 December, by auto_timezone:", seen)
raise SystemExit(seen[False] != ["07:00", "07:00"])
P
