#!/usr/bin/env bash
# opening-hours-py 2.1.4: "PH Mo-Fr off" (a holiday that falls on a weekday) closes every weekday.
# The specification: a holiday sequence and a weekday sequence with a blank between narrow each other
# (https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification#weekday_selector).
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check opening-hours-py==2.1.4
"$work/v/bin/python" - <<'P'
import datetime as dt
from importlib.metadata import version
from opening_hours import OpeningHours
print("opening-hours-py", version("opening-hours-py"))
text = "Mo-Fr 09:00-17:00; PH Mo-Fr off"
hours = OpeningHours(text, country="FR")
days = {"a Tuesday": dt.datetime(2026, 6, 16, 10), "14 July, a Tuesday": dt.datetime(2026, 7, 14, 10)}
seen = {name: str(hours.state(day)[0]) for name, day in days.items()}
print(text, "->", seen, "; expected: open on the one, closed on the other")
raise SystemExit("open" in seen["a Tuesday"].lower())
P
