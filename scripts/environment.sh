# shellcheck shell=bash
# Sourced by scripts/demo and scripts/test: makes .venv and keeps what it holds up to date.
# Asks for nothing but bash and Python 3.11 or newer. Everything said here goes to stderr.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv

# Each of the hundreds of processes of the tests would compile all that it imports.
unset PYTHONDONTWRITEBYTECODE

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $1"
    shift
    local line
    for line in "$@"; do say "       $line"; done
    exit 1
}

# Print the first Python that is new enough and can make an environment.
find_python() {
    local candidate lacks_venv=""
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3 python; do
        # A name on the PATH may be a stub that runs nothing, so each candidate is really started.
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
        lacks_venv=${lacks_venv:-$candidate}
    done
    if [[ -n $lacks_venv ]]; then
        fail "$lacks_venv cannot make virtual environments: its modules venv and ensurepip are missing." \
            "On Debian or Ubuntu: apt-get install python3-venv" \
            "On Fedora: dnf install python3-libs python3-pip" \
            "Or name another Python: PYTHON=/path/to/python3 $0"
    fi
    fail "no Python 3.11 or newer was found." \
        "Install one (on Debian or Ubuntu: apt-get install python3 python3-venv)" \
        "or name it: PYTHON=/path/to/python3 $0"
}

make_venv() {
    local python
    python=$(find_python)
    say "Making .venv with $("$python" --version) ..."
    "$python" -m venv --clear "$venv" >&2
}

# Everything that the installed packages depend on; while it is the same, nothing is installed.
installation_state() { printf '%s\n' "$root" "$(<"$venv/pyvenv.cfg")" "$(<"$root/pyproject.toml")"; }

# prepare_environment [EXTRA]: .venv exists and holds the project (editable) with that extra.
prepare_environment() {
    local extra=${1:-} began=$SECONDS stamp candidate state made_for
    stamp=$venv/.installed${extra:+-$extra}

    # A folder that was moved or copied here has scripts that point to where it came from.
    if [[ -f $stamp ]] && { read -r made_for <"$stamp"; [[ $made_for != "$root" ]]; }; then
        make_venv
    elif ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        make_venv
    fi

    state=$(installation_state)
    for candidate in "$stamp" "$venv/.installed-test"; do # the test extra holds all the rest
        if [[ -f $candidate && $(<"$candidate") == "$state" ]]; then return; fi
    done

    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || make_venv
    say "Installing quart-heure${extra:+ with the extra \"$extra\"} in .venv" \
        "(a minute or two the first time) ..."
    rm -f -- "$stamp"
    (
        cd -- "$root"
        # Of the packages of the tests most modules are never imported: half a minute of compiling.
        # Those that are get their bytecode when they are first imported (see below).
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
            ${extra:+--no-compile} --editable ".${extra:+[$extra]}" >&2
    ) || fail "the installation failed; pip's message is above." \
        "If no package index answered, run the same command again later: only this step needs one."
    # Start-up stays quick where Python is told not to write bytecode by itself.
    "$venv/bin/python" -m compileall -q "$root/src/coverage/quart_heure" >&2 || true
    installation_state >"$stamp"
    say "Installed in $((SECONDS - began)) s."
}
