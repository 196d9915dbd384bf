#!/bin/sh
# Installs a lock file into a virtual environment on a machine that has nothing but Python 3.11 or newer.
#   ./bootstrap.sh requirements.lock [.venv]
set -eu
cd "$(dirname "$0")"
lock=$1 venv=${2:-.venv}
# The machine's own certificates, so that company proxies work as they do for every other program.
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

find_python() {
    for name in "${PYTHON:-python3}" python3.11 python3.12 python3.13 python3.14; do
        path=$(command -v "$name" 2>/dev/null) || continue
        "$path" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null && { echo "$path"; return; }
    done
    die "no Python 3.11 to 3.14 found. Install one (apt-get install python3) or set PYTHON=/path/to/python3."
}

# Debian ships python3 without pip and ensurepip; its pip lies in a package that any user may download and unpack.
debian_pip() {
    command -v apt-get >/dev/null || return 1
    mkdir -p .build/deb
    apt-get download -q python3-pip-whl >/dev/null 2>&1 || { [ "$(id -u)" = 0 ] && apt-get update -q >/dev/null; } || return 1
    (cd .build/deb && apt-get download -q python3-pip-whl >/dev/null) || return 1
    rm -f python3-pip-whl_*.deb
    for deb in .build/deb/python3-pip-whl_*.deb; do dpkg-deb -x "$deb" .build/deb; done
    for wheel in .build/deb/usr/share/python-wheels/pip-*.whl; do echo "$wheel/pip"; return; done
}

install_uv() {
    printf 'setup: installing uv\n' >&2
    set -- install -q --disable-pip-version-check --root-user-action=ignore --require-hashes --target .build/uv -r requirements-uv.lock
    if "$python" -m pip --version >/dev/null 2>&1; then "$python" -m pip "$@"
    elif "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv .build/pip && .build/pip/bin/python -m pip "$@"
    else
        pip=$(debian_pip) || die "this Python has no pip. Install it: apt-get install python3-venv"
        "$python" "$pip" "$@"
    fi
}

python=$(find_python)
uv=$(command -v uv 2>/dev/null || echo .build/uv/bin/uv)
"$uv" --version >/dev/null 2>&1 || { uv=.build/uv/bin/uv; [ -x "$uv" ] || install_uv; }

[ -x "$venv/bin/python" ] || "$uv" venv -q --python "$python" "$venv"
printf 'setup: installing %s\n' "$lock" >&2
"$uv" pip install -q --python "$venv/bin/python" --compile-bytecode --require-hashes -r "$lock"
"$uv" pip install -q --python "$venv/bin/python" --no-deps --no-build-isolation -e .
