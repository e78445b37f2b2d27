"""The process that holds what readers need, and forks a child for each document.

Forking a process that has imported the readers takes milliseconds; importing them takes seconds. It has one thread,
no credentials, sees no file but Python's libraries, and never looks into a document. It ends when the socket to the
service does.

The service sends the number of a job and how to cut, with two open files (the document, the pipe for what is said of
it), or the same without files, which ends the job. It is answered with one JSON object a line when a job has ended.
"""

import contextlib
import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest_service.domain.cut_settings import CutSettings
from ingest_service.outbound import tessdata
from ingest_service.outbound.cage import child, landlock, limits, seccomp

JOB: Final = "!IHH"
"""As it travels to the nursery: its number, the tokens of a passage, the thousandths that passages overlap."""
_DIES_FIRST: Final = "1000"
"""To the kernel, when memory is short: neither the service nor a database goes before a reader."""


@dataclass
class _Job:
    number: int
    data: int
    out: int
    cut_by: CutSettings
    limit: limits.Limits
    wanted: tuple[str, ...] = ()
    pid: int = 0
    due_at: float = 0.0
    was_late: bool = False


class Nursery:
    """Children at work; `shelf` names the modules that are imported when the first child wants them.

    `ocr` is the one of them that reads pictures. It is never imported here: whose child wants it has more time.
    """

    def __init__(
        self, control: socket.socket, limit: limits.Limits, work: child.Work, shelf: tuple[str, ...], *, ocr: str = ""
    ) -> None:
        self._control = control
        self._limit = limit
        self._work = work
        self._wanted = shelf
        self._ocr = ocr
        self._jobs: dict[int, _Job] = {}
        self._statm = os.open("/proc/self/statm", os.O_RDONLY) if sys.platform == "linux" else None
        self._woken, self._wake = os.pipe()

    def serve(self) -> None:
        """Until the service is gone; then no child is left."""
        _ignore_signals(self._wake)
        _lock_in()
        try:
            while self._hear():
                self._reap()
                self._end_late()
        finally:
            for job in self._jobs.values():
                os.kill(job.pid, signal.SIGKILL)

    def _hear(self) -> bool:
        """Wait for a word of the service, the end of a child, or the next deadline. False: the service is gone."""
        due_at = min((job.due_at for job in self._jobs.values() if not job.was_late), default=None)
        left_s = None if due_at is None else max(0.0, due_at - time.monotonic())
        ready, _, _ = select.select([self._control.fileno(), self._woken], [], [], left_s)
        if self._woken in ready:
            os.read(self._woken, 4_096)
        if self._control.fileno() not in ready:
            return True
        job, files, _, _ = socket.recv_fds(self._control, struct.calcsize(JOB), 2)
        if len(job) < struct.calcsize(JOB):
            return False
        number, passage_tokens, overlap = struct.unpack(JOB, job)
        self._take(number, files, CutSettings(passage_tokens, overlap / 1_000))
        return True

    def _take(self, number: int, files: list[int], cut_by: CutSettings) -> None:
        if files:
            data, out = files
            limit = self._limit.of(os.fstat(data).st_size)
            self._jobs[number] = _Job(number, data, out, cut_by, limit, self._wanted)
            self._fork(self._jobs[number])
        elif number in self._jobs:
            os.kill(self._jobs[number].pid, signal.SIGKILL)

    def _fork(self, job: _Job) -> None:
        job.due_at = time.monotonic() + job.limit.wall_s
        at_start = limits.footprint(self._statm)
        job.pid = os.fork()
        if job.pid == 0:
            child.live(child.Errand(job.data, job.out, job.limit, at_start, job.wanted, job.cut_by), self._work)

    def _reap(self) -> None:
        while self._jobs:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            job = next(job for job in self._jobs.values() if job.pid == pid)
            code = os.waitstatus_to_exitcode(status)
            if child.WANTS <= code < child.WANTS + len(job.wanted):
                self._give(job, job.wanted[code - child.WANTS])
                self._fork(job)
            else:
                self._report(job, code, used)

    def _report(self, job: _Job, code: int, used: resource.struct_rusage) -> None:
        del self._jobs[job.number]
        os.close(job.data)
        os.close(job.out)
        peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1_024)
        cpu_s = used.ru_utime + used.ru_stime
        report = {"job": job.number, "code": code, "was_late": job.was_late, "peak_bytes": peak, "cpu_s": cpu_s}
        self._control.sendall(json.dumps(report).encode() + b"\n")

    def _give(self, job: _Job, module: str) -> None:
        """What a job wants: a module in memory, or time to read pictures."""
        if module == self._ocr:
            job.limit = job.limit.with_ocr()
        else:
            self._import(module)
        # what this job had, it cannot want again
        job.wanted = tuple(name for name in job.wanted if name != module)

    def _import(self, module: str) -> None:
        self._wanted = tuple(name for name in self._wanted if name != module)
        # what cannot be imported fails in the child again, which says so
        with contextlib.suppress(Exception):
            importlib.import_module(module)

    def _end_late(self) -> None:
        for job in self._jobs.values():
            if job.due_at <= time.monotonic() and not job.was_late:
                job.was_late = True
                os.kill(job.pid, signal.SIGKILL)


def _lock_in() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_DIES_FIRST)
    if seccomp.is_available():
        seccomp.refuse_new_privileges()
        if landlock.version():
            landlock.restrict([*landlock.libraries(), *filter(None, [tessdata.folder()])])


def _ignore_signals(wake: int) -> None:
    """A signal to the whole group is the service's business, which may let documents end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)


def main(work: child.Work, shelf: tuple[str, ...], arguments: Sequence[str], *, ocr: str = "") -> None:
    """The arguments are the socket's number and the limits."""
    control, *limit = arguments
    Nursery(socket.socket(fileno=int(control)), limits.Limits.from_arguments(limit), work, shelf, ocr=ocr).serve()
