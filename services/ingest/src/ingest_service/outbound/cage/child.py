"""The life of one child: it locks itself in, reads one document, says what it found, and ends.

Its bytes are touched here and nowhere else.
"""

import contextlib
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from typing import IO, Final, Never

from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.errors import DocumentRefused
from ingest_service.outbound.cage import limits, lines, seccomp
from ingest_service.outbound.parent import end_with_parent
from ingest_service.outbound.readers.ports import Say

READ, OUT_OF_MEMORY, WANTS = 0, 70, 100
"""How a child ends by itself: it has said what is to be said; it had too little memory; it wants what the module of
that place after `WANTS` needs: to be in memory first, or more time."""
SAY_EVERY_S: Final = 0.1
MOST_FILES: Final = 65_536
"""That a nursery could have open by far."""

Work = Callable[[bytes, Say, CutSettings], Iterable[lines.Line]]
"""Reads a document, cuts it, and says what is in it."""


@dataclass(frozen=True)
class Errand:
    """What a child is for: `data` and `out` are open files, `wants` the modules that it does not import unasked."""

    data: int
    out: int
    limit: limits.Limits
    at_start: limits.Footprint | None
    wants: Sequence[str]
    cut_by: CutSettings


def live(errand: Errand, work: Work) -> Never:
    """Never returns."""
    code = 1
    with contextlib.suppress(BaseException):
        _lock_in(errand)
        code = _speak(errand, work)
    os._exit(code)


def _lock_in(errand: Errand) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    end_with_parent()
    # what a library prints of a document belongs into no log
    os.dup2(1, 2)
    first, second = sorted((errand.data, errand.out))
    os.closerange(3, first)
    os.closerange(first + 1, second)
    os.closerange(second + 1, MOST_FILES)
    sys.meta_path.insert(0, _Wants(errand.wants))
    limits.confine(errand.limit, errand.at_start)
    if seccomp.is_available():
        seccomp.restrict()
    else:
        limits.refuse_by_hook()


def _speak(errand: Errand, work: Work) -> int:
    gc.freeze()
    out = os.fdopen(errand.out, "wb", buffering=64 * 1024)
    try:
        data = _all_of(errand.data)
        out.writelines(map(lines.encoded, work(data, _Sayer(out).say, errand.cut_by)))
    except Exception as error:  # noqa: BLE001 - whatever a reader raises, the document's owner is told
        if _is_of_memory(error):
            return OUT_OF_MEMORY
        out.write(lines.encoded(_last_word(error)))
    out.flush()
    return READ


def _all_of(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


class _Sayer:
    """Says how far it is, but not for each of thousands of pages."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._at = 0.0

    def say(self, done: int, of: int, pictures: int = 0, /) -> None:
        now = time.monotonic()
        if now - self._at < SAY_EVERY_S and done < of:
            return
        self._at = now
        self._out.write(lines.encoded(lines.Advance(done=done, of=of, pictures=pictures)))
        self._out.flush()


class _Wants:
    """Ends the child when it imports what the nursery has to give something for first."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = modules

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name in self._modules:
            os._exit(WANTS + self._modules.index(name))
        return None


def _is_of_memory(error: BaseException | None) -> bool:
    """Readers and libraries catch what they can: the reason may be further back."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _last_word(error: Exception) -> lines.Line:
    if isinstance(error, DocumentRefused):
        cause = error.__cause__
        name, place = ("", "") if cause is None else (type(cause).__name__, _place(cause))
        return lines.Refusal(code=error.code, detail=error.detail, media_type=error.media_type, error=name, place=place)
    return lines.Broken(error=type(error).__name__, place=_place(error))


def _place(error: BaseException) -> str:
    """The innermost of our own lines that it went through."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "ingest_service" in code.co_filename:
            place = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119 - a name, no file is asked
        trace = trace.tb_next
    return place
