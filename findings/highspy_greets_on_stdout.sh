#!/usr/bin/env bash
# highspy 1.16.0: making the first solver of a process prints two lines on stdout, before any option
# (output_flag, log_to_console) can be set: a program whose results go to stdout has them in its way.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check highspy==1.16.0
said=$("$work/v/bin/python" - <<'P'
import highspy
solver = highspy.Highs()
solver.setOptionValue("output_flag", False)
P
)
"$work/v/bin/python" -c 'from importlib.metadata import version; print("highspy", version("highspy"))'
printf 'printed although nothing was solved and output is off: %s ; expected: nothing\n' "${said:-nothing}"
[[ "$said" == *"Running HiGHS"* ]]
