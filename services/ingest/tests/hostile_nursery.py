"""A nursery whose children do what a document that took its reader over would try: the document's words say what."""

import contextlib
import ctypes
import importlib
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.errors import Damaged
from ingest_service.outbound.cage import lines, nursery
from ingest_service.outbound.readers.ports import Say

MIB = 1024 * 1024
OCR = "colorsys"
"""Any module stands for the one that reads pictures."""


def hostile(data: bytes, say: Say, _settings: CutSettings) -> Iterator[lines.Line]:
    word, _, rest = data.decode().partition(" ")
    say(1, 2)
    yield from ACTS[word](rest)


def hog(_: str) -> Iterator[lines.Line]:
    held = []
    while True:
        held.append(bytearray(8 * MIB))
        for place in range(0, 8 * MIB, 4_096):
            held[-1][place] = 1
        yield from ()


def spin(_: str) -> Iterator[lines.Line]:
    while True:
        yield from ()


def sleep(_: str) -> Iterator[lines.Line]:
    time.sleep(60)
    yield from ()


def segfault(_: str) -> Iterator[lines.Line]:
    ctypes.string_at(0)
    yield from ()


def leave(code: str) -> Iterator[lines.Line]:
    os._exit(int(code))
    yield from ()


def say_raw(text: str) -> Iterator[lines.Line]:
    """Through the pipe that only lines should take; its number is the highest that is open."""
    for number in reversed(range(3, 64)):
        with contextlib.suppress(OSError):
            os.write(number, text.encode() + b"\n")
            break
    yield from ()


def flood(_: str) -> Iterator[lines.Line]:
    while True:
        yield lines.Cutting(n=0, start=0, end=1, body="x" * 200_000, headings=(), lead="", page=None, language=None)


def shout(words: str) -> Iterator[lines.Line]:
    sys.stdout.write(words)
    sys.stderr.write(words)
    os.write(2, words.encode())
    yield from said("shouted")


def raise_error(_: str) -> Iterator[lines.Line]:
    raise KeyError("secret words of the document")
    yield


def refuse(_: str) -> Iterator[lines.Line]:
    try:
        yield from raise_error("")
    except KeyError as error:
        raise Damaged("The document is damaged.") from error


def swallow(_: str) -> Iterator[lines.Line]:
    try:
        yield from hog("")
    except MemoryError as error:
        raise ValueError("damaged") from error


def probe(path: str) -> Iterator[lines.Line]:
    """Try everything, and tell of each attempt what came of it."""
    tried: dict[str, Callable[[], object]] = {
        "socket": socket.socket,
        "socketpair": socket.socketpair,
        "fork": os.fork,
        "exec": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "thread": threading.Thread(target=print).start,
        "write": lambda: Path(path, "written").write_text("x"),
        "write beside python": lambda: Path(sys.prefix, "written").write_text("x"),
        "read": lambda: Path(path, "secret").read_text(),
        "read passwords": lambda: Path("/etc/passwd").read_text(),
        "environment of the service": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "kill": lambda: os.kill(os.getppid(), signal.SIGTERM),
        "pipe": os.pipe,
        "memory file": lambda: os.memfd_create("x"),
        "more memory": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
        "ptrace": lambda: _call("ptrace", 0, 0, 0, 0),
        "unlink": lambda: Path(path, "secret").unlink(),
        "import": lambda: __import__("wave"),
        "niceness": lambda: os.nice(0),
    }
    yield from (said(json.dumps({name: _outcome(attempt) for name, attempt in tried.items()})))


def see(seconds: str) -> Iterator[lines.Line]:
    """Ask for the time to read pictures, and use so much of it."""
    importlib.import_module(OCR)
    until = time.process_time() + float(seconds)
    while time.process_time() < until:
        pass
    yield from said("seen")


def where(_: str) -> Iterator[lines.Line]:
    yield from said(json.dumps({"environment": sorted(os.environ), "files": _open_files()}))


def said(text: str) -> Iterator[lines.Line]:
    yield lines.Cutting(n=0, start=0, end=len(text), body=text, headings=(), lead="", page=None, language=None)
    yield lines.End(title=None, media_type="text/plain", language=None, pages=1, passages=1)


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (OSError, RuntimeError, ValueError) as error:
        return type(error).__name__
    return "done"


def _call(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def _open_files() -> list[int]:
    found = []
    for number in range(64):
        with contextlib.suppress(OSError):
            os.fstat(number)
            found.append(number)
    return found


ACTS: dict[str, Callable[[str], Iterator[lines.Line]]] = {
    "hog": hog,
    "spin": spin,
    "sleep": sleep,
    "segfault": segfault,
    "leave": leave,
    "raw": say_raw,
    "flood": flood,
    "raise": raise_error,
    "refuse": refuse,
    "shout": shout,
    "swallow": swallow,
    "probe": probe,
    "where": where,
    "see": see,
    "say": said,
}

if __name__ == "__main__":
    nursery.main(hostile, (OCR,), sys.argv[1:], ocr=OCR)
