#!/usr/bin/env bash
# opening-hours-py 2.1.4: with a last fallback of the whole day (|| off), intervals() contradicts
# state(): from a day on which only the fallback speaks, it never changes again.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check opening-hours-py==2.1.4
"$work/v/bin/python" - <<'P'
import datetime as dt
from importlib.metadata import version
from opening_hours import OpeningHours
print("opening-hours-py", version("opening-hours-py"))
text = "Mo-Fr 09:00-12:00 || off"
hours = OpeningHours(text)
sunday, tuesday = dt.datetime(2026, 6, 14), dt.datetime(2026, 6, 16, 10)
state = str(hours.state(tuesday)[0]).lower()
parts = [(str(begin), str(end), str(what).lower()) for begin, end, what, _ in hours.intervals(sunday, sunday + dt.timedelta(days=7))]
print(f"{text}: state() on Tuesday at 10:00 is {state}; intervals() of that week: {parts}")
raise SystemExit(not (state == "open" and [what for _, _, what in parts] == ["closed"]))
P
