#!/usr/bin/env bash
# opening-hours-py 2.1.4: a blank after a comma in a list of days makes another rule of it:
# "Sa, Su off" opens Saturday day and night. "Sa,Su off" closes both.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check opening-hours-py==2.1.4
"$work/v/bin/python" - <<'P'
import datetime as dt
from importlib.metadata import version
from opening_hours import OpeningHours
print("opening-hours-py", version("opening-hours-py"))
saturday_night = dt.datetime(2026, 6, 20, 3)
seen = {
    days: str(OpeningHours(f"Mo-Fr 09:00-17:00; {days} off").state(saturday_night)[0]).lower()
    for days in ("Sa,Su", "Sa, Su")
}
print("Saturday 03:00:", seen, "; expected: closed and closed")
raise SystemExit("open" not in seen["Sa, Su"])
P
