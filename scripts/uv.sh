#!/bin/sh
# Runs uv: the one on the PATH, else a pinned one in .tools, fetched the first time. Nothing is installed elsewhere.
set -eu
version=0.13.8
root=$(cd "$(dirname "$0")/.." && pwd)
tools=$root/.tools

if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    # There is a Python that will do; uv shall not fetch another.
    export UV_PYTHON_DOWNLOADS=never
fi
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    # Trust what this machine trusts: an organisation's own mirror has a certificate that uv does not bring along.
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
fi
if uv --version >/dev/null 2>&1; then
    exec uv "$@"
fi
if [ ! -x "$tools/bin/uv" ]; then
    if ! python3 --version >/dev/null 2>&1; then
        echo "Lumora needs Python 3.11 or newer, or uv: install python3 with your system's package manager." >&2
        exit 1
    fi
    echo "Fetching uv $version into .tools" >&2
    # A bare Debian has neither pip nor venv.
    python3 -m pip install --quiet --disable-pip-version-check --target "$tools" "uv==$version" 2>/dev/null ||
        python3 "$root/scripts/get_uv.py" "$version" "$tools"
fi
exec "$tools/bin/uv" "$@"
