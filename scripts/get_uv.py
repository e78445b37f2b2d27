# ruff: noqa: INP001 - a script, not a package
"""Fetches one version of uv where there is no pip: `python3 get_uv.py VERSION FOLDER` makes FOLDER/bin/uv.

Only the standard library. The wheel comes from the index that uv.lock was made with (UV_DEFAULT_INDEX or PIP_INDEX_URL
name another one), read as the page every index has (PEP 503), and is checked against the SHA-256 that the page states.
"""

import hashlib
import io
import os
import platform
import re
import sys
import urllib.parse
import urllib.request
import zipfile
from html.parser import HTMLParser
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "uv.lock"
_MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}


def wanted(machine: str, system: str, libc: str) -> tuple[str, str]:
    """The two words that the right wheel's platform tag holds.

    Raises:
        SystemExit: uv has no wheel for this machine.
    """
    architecture = _MACHINES.get(machine.lower(), machine.lower())
    if system == "Darwin":
        return "macosx", "arm64" if architecture == "aarch64" else architecture
    if system == "Linux":
        return ("manylinux" if libc == "glibc" else "musllinux"), architecture
    raise SystemExit(f"There is no uv for {system} on {machine} here: install uv yourself, then run make again.")


class Links(HTMLParser):
    """Collects the targets of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser for each tag."""
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def fetch(url: str) -> bytes:
    """The body of an https URL."""
    if not url.startswith("https://"):
        raise SystemExit(f"{url} is not https: install uv yourself, then run make again.")
    request = urllib.request.Request(url, headers={"Accept": "text/html, */*;q=0.1"})  # noqa: S310 - https, checked above
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - the same
        body: bytes = answer.read()
    return body


def locked_index() -> str:
    """The index that the other packages come from.

    Raises:
        SystemExit: the lock names none.
    """
    found = re.search(r'registry = "(https://[^"]+)"', LOCK.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("uv.lock names no index: set UV_DEFAULT_INDEX, then run make again.")
    return found.group(1)


def find_wheel(version: str, index: str) -> tuple[str, str]:
    """URL and SHA-256 of the wheel for this machine."""
    words = wanted(platform.machine(), platform.system(), platform.libc_ver()[0])
    page = f"{index.rstrip('/')}/uv/"
    links = Links()
    links.feed(fetch(page).decode())
    for link in links.found:
        address, _, fragment = urllib.parse.urljoin(page, link).partition("#")
        name = address.rsplit("/", 1)[-1]
        is_ours = name.startswith(f"uv-{version}-") and name.endswith(".whl") and all(word in name for word in words)
        if is_ours and fragment.startswith("sha256="):
            return address, fragment.removeprefix("sha256=")
    raise SystemExit(f"uv {version} has no wheel for {' '.join(words)}: install uv yourself, then run make again.")


def main(version: str, folder: Path) -> None:
    """Fetch, check, unpack."""
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or locked_index()
    url, expected = find_wheel(version, index)
    wheel = fetch(url)
    if hashlib.sha256(wheel).hexdigest() != expected:
        raise SystemExit("The uv that was fetched is not the one that the index names: try again.")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        program = archive.read(f"uv-{version}.data/scripts/uv")
    target = folder / "bin" / "uv"
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    fresh.write_bytes(program)
    fresh.chmod(0o755)
    fresh.replace(target)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
