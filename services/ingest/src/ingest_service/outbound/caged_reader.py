"""Documents are read in a cage: a process each, with limits, without network, and believed in nothing."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import Counter, Histogram
from pydantic import ValidationError

from contracts.errors import ERRORS
from ingest_service.domain.chunk import Passage
from ingest_service.domain.cut_settings import DEFAULT, CutSettings
from ingest_service.domain.document import Note
from ingest_service.domain.errors import DocumentRefused, ReaderCrashed, TookTooLong, TooLargeInMemory
from ingest_service.domain.pages_read import PagesRead
from ingest_service.domain.read_document import Cut, Say
from ingest_service.outbound.cage import child, handle, landlock, lines, seccomp
from ingest_service.outbound.cage.limits import MIB, Limits
from runtime import logs
from runtime.errors import Unavailable

IDLE_S: Final = 20.0
"""After so long without a document the memory of the readers is given back; having it again takes about a second."""
HANGS_AFTER_S: Final = 30.0
"""Beyond the time limit that the nursery itself keeps."""
MUCH: Final = 0.5
"""Who ends by a signal with such a share of its memory in use has run out of it: C code that is refused a large block
aborts, as does a stack that cannot grow."""
SECONDS = Histogram(
    "ingest_read_seconds",
    "Time to read and cut one document, by how it ended.",
    ["outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
PEAK = Histogram(
    "ingest_read_peak_bytes",
    "Memory that reading one document needed at most, the readers' own included.",
    buckets=tuple(size * 1_000_000 for size in (64, 96, 128, 192, 256, 320, 384, 448, 512, 1_024)),
)
BREACHES = Counter("ingest_cage_breaches_total", "Readers that were ended, or ended badly.", ["reason"])

_log = logs.get_logger()


@dataclass
class _Told:
    """What a child has said so far."""

    passages: list[Passage] = field(default_factory=list)
    ending: lines.End | lines.Refusal | lines.Broken | None = None
    size: int = 0


class CagedReader:
    """Implements `Reader`. The nursery is started with the first document, and rests when there is none."""

    def __init__(
        self,
        limits: Limits,
        *,
        ocr_languages: Sequence[str] = (),
        program: tuple[str, ...] | None = None,
        idle_s: float = IDLE_S,
    ) -> None:
        """Pictures are read in those of `ocr_languages` (`deu`) that tesseract has, without any in what it has."""
        self._limits = limits
        self._program = program or (*handle.PROGRAM, "+".join(ocr_languages))
        self._idle_s = idle_s
        self._nursery: handle.NurseryHandle | None = None
        self._starting = asyncio.Lock()
        self._at_work = 0
        self._idle_since = 0.0
        if missing := _missing():
            _log.warning("cage.weak", missing=missing)

    async def read(self, data: bytes, say: Say, settings: CutSettings = DEFAULT) -> Cut:
        begun, outcome = time.monotonic(), "cancelled"
        file = await asyncio.to_thread(handle.in_memory, data)
        try:
            cut = await self._read(file, say, settings)
        except DocumentRefused as refused:
            outcome = refused.code
            raise
        except Unavailable:
            outcome = "unavailable"
            raise
        else:
            outcome = "read"
            return cut
        finally:
            os.close(file)
            SECONDS.labels(outcome).observe(time.monotonic() - begun)

    async def check(self) -> None:
        """For health.

        Raises:
            Unavailable: The kernel does not hold readers; their limits do all the same.
        """
        if missing := _missing():
            raise Unavailable(f"the cage has no {missing}")

    async def rest_when_idle(self) -> None:
        """Give the nursery's memory back after a while without documents. Runs until cancelled."""
        while True:
            await asyncio.sleep(self._idle_s / 4)
            async with self._starting:
                is_idle = not self._at_work and time.monotonic() - self._idle_since >= self._idle_s
                if self._nursery is not None and is_idle:
                    await self._drop(self._nursery)

    async def close(self) -> None:
        """End the nursery and whatever is still read."""
        async with self._starting:
            if self._nursery is not None:
                await self._drop(self._nursery)

    async def _read(self, file: int, say: Say, settings: CutSettings) -> Cut:
        """Once more after a crash: the machine may have been at fault, or another document."""
        try:
            return await self._read_once(file, say, settings)
        except (ReaderCrashed, handle.NurseryGone):
            return await self._read_once(file, say, settings)

    async def _read_once(self, file: int, say: Say, settings: CutSettings) -> Cut:
        limits = self._limits.of(os.fstat(file).st_size)
        async with self._awake() as nursery:
            reading, writing = os.pipe()
            async with _lines_of(reading) as stream:
                try:
                    number, ending = nursery.begin(file, writing, settings)
                finally:
                    os.close(writing)
                try:
                    async with asyncio.timeout(limits.with_ocr().wall_s + HANGS_AFTER_S):
                        told = await _heard(stream, say)
                        ended = await ending
                except TimeoutError as error:
                    nursery.process.kill()
                    raise Unavailable("the reader of documents hangs") from error
                finally:
                    nursery.end(number)
        PEAK.observe(ended.peak_bytes)
        return _verdict(told, ended, limits)

    @contextlib.asynccontextmanager
    async def _awake(self) -> AsyncIterator[handle.NurseryHandle]:
        async with self._starting:
            if self._nursery is not None and not self._nursery.is_alive:
                await self._drop(self._nursery)
            if self._nursery is None:
                self._nursery = await handle.NurseryHandle.start(self._program, self._limits)
            nursery = self._nursery
            self._at_work += 1
        try:
            yield nursery
        finally:
            self._at_work -= 1
            self._idle_since = time.monotonic()

    async def _drop(self, nursery: handle.NurseryHandle) -> None:
        self._nursery = None
        await nursery.close()


@contextlib.asynccontextmanager
async def _lines_of(pipe: int) -> AsyncIterator[asyncio.StreamReader]:
    stream = asyncio.StreamReader(limit=lines.LONGEST_LINE)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(pipe, "rb", buffering=0)
    )
    try:
        yield stream
    finally:
        transport.close()


async def _heard(stream: asyncio.StreamReader, say: Say) -> _Told:
    """Everything until the child closes the pipe.

    Raises:
        ReaderCrashed: It says what no reader of ours would.
    """
    told = _Told()
    while raw := await _line(stream):
        told.size += len(raw)
        if told.size > lines.MOST_BYTES:
            raise _breach(TooLargeInMemory())
        await _take(_parsed(raw), told, say)
    return told


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next whole line; empty at the end, also when the child was ended in the middle of one."""
    try:
        raw = await stream.readline()
    except ValueError as error:
        raise _nonsense("a line without end") from error
    return raw if raw.endswith(b"\n") else b""


def _parsed(raw: bytes) -> lines.Line:
    try:
        return lines.ANY.validate_json(raw)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        # its values are the document's, and stay out of the log
        raise _nonsense(f"{'.'.join(map(str, wrong['loc']))}: {wrong['type']}") from None


def _nonsense(what: str) -> DocumentRefused:
    _log.warning("reader.nonsense", what=what[:200])
    return _breach(ReaderCrashed())


async def _take(line: lines.Line, told: _Told, say: Say) -> None:
    match line:
        case lines.Advance():
            await say(PagesRead(line.done, line.of, line.pictures))
        case lines.Cutting():
            told.passages.append(line.passage())
        case lines.End() | lines.Refusal() | lines.Broken():
            told.ending = line


def _verdict(told: _Told, ended: handle.Ended, limits: Limits) -> Cut:
    """What became of it.

    Raises:
        DocumentRefused: The reader refused it, or came to its own end.
    """
    ending = told.ending
    if ended.was_late or ended.code == -signal.SIGXCPU:
        raise _breach(TookTooLong())
    if ended.code == child.OUT_OF_MEMORY or (ended.code < 0 and ended.peak_bytes > MUCH * limits.memory_mib * MIB):
        raise _breach(TooLargeInMemory())
    if isinstance(ending, lines.Refusal) and ending.code in ERRORS:
        if ending.error:
            _log.info("reader.damaged", error=ending.error, place=ending.place)
        refused = DocumentRefused(ending.detail, code=ending.code)
        refused.media_type = ending.media_type
        raise refused
    if isinstance(ending, lines.Broken):
        _log.warning("reader.broken", error=ending.error, place=ending.place)
        BREACHES.labels("broken").inc()
        raise DocumentRefused("This document cannot be read: its file is damaged. Save it anew and send that.")
    are_in_order = all(passage.n == place for place, passage in enumerate(told.passages))
    is_whole = isinstance(ending, lines.End) and ending.passages == len(told.passages) > 0 and are_in_order
    if ended.code != child.READ or not is_whole:
        _log.warning("reader.crashed", code=ended.code)
        raise _breach(ReaderCrashed())
    assert isinstance(ending, lines.End)
    notes = [Note(remark.page, remark.reason) for remark in ending.notes]
    return Cut(ending.title, ending.media_type, ending.language, ending.pages, told.passages, notes)


def _breach(refused: DocumentRefused) -> DocumentRefused:
    BREACHES.labels(refused.code).inc()
    return refused


def _missing() -> str:
    """What this kernel cannot do; empty when the cage is whole."""
    found = {"seccomp": seccomp.is_available(), "landlock": landlock.version() > 0}
    return " and ".join(name for name, is_there in found.items() if not is_there)
