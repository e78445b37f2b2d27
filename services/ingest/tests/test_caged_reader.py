import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from ingest_service.domain.errors import DocumentRefused, ReaderCrashed, TookTooLong, TooLargeInMemory
from ingest_service.domain.pages_read import PagesRead
from ingest_service.outbound.cage import landlock, lines, seccomp
from ingest_service.outbound.cage.limits import MIB, Limits
from ingest_service.outbound.caged_reader import BREACHES, PEAK, CagedReader
from runtime.errors import Unavailable
from services.ingest.tests import made
from services.ingest.tests.claim import Claim
from services.ingest.tests.memory import MemoryReader
from services.ingest.tests.promises_reader import PromisesOfReader, Stopped, unheard
from services.ingest.tests.test_readers_image import picture, saved
from services.ingest.tests.test_readers_scan import SCANNED, with_tesseract
from tests.support.platform import eventually

HOSTILE = (str(Path(__file__).with_name("hostile_nursery.py")),)
only_whole = pytest.mark.skipif(
    not seccomp.is_available() or not landlock.version(), reason="this kernel cannot hold a reader"
)
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


class TestMemoryReader(PromisesOfReader):
    @pytest.fixture
    def reader(self):
        return MemoryReader()


class TestCagedReader(PromisesOfReader):
    @pytest_asyncio.fixture(loop_scope="session")
    async def caged(self):
        reader = CagedReader(Limits(memory_mib=480, cpu_s=20, wall_s=60))
        yield reader
        await reader.close()

    @pytest.fixture
    def reader(self, caged):
        return caged


@pytest_asyncio.fixture(loop_scope="session")
async def hostile() -> AsyncIterator[CagedReader]:
    reader = CagedReader(Limits(memory_mib=128, cpu_s=1, wall_s=3), program=HOSTILE)
    yield reader
    await reader.close()


async def told(reader: CagedReader, words: str) -> str:
    return (await reader.read(words.encode(), unheard)).passages[0].body


def nursery_of(reader: CagedReader) -> psutil.Process:
    assert reader._nursery is not None
    return psutil.Process(reader._nursery.process.pid)


def at_work(reader: CagedReader, *, but: psutil.Process | None = None) -> list[psutil.Process]:
    """The children of the nursery, if there is one."""
    with contextlib.suppress(psutil.NoSuchProcess, AssertionError):
        return [child for child in nursery_of(reader).children() if child != but]
    return []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param("hog", TooLargeInMemory, marks=linux),
        pytest.param("swallow", TooLargeInMemory, marks=linux),
        ("spin", TookTooLong),
        ("sleep", TookTooLong),
        ("segfault", ReaderCrashed),
        ("leave 3", ReaderCrashed),
        ("leave 0", ReaderCrashed),
        ("leave 101", ReaderCrashed),
    ],
)
async def test_a_reader_that_breaks_out_of_its_limits_is_ended_and_the_next_is_well(hostile, words, error):
    with pytest.raises(error) as refused:
        await hostile.read(words.encode(), unheard)
    assert refused.value.detail.endswith(".")
    nursery = nursery_of(hostile)
    assert await told(hostile, "say well") == "well"
    assert nursery_of(hostile) == nursery
    assert nursery.children() == []


async def test_who_reads_pictures_has_more_time_but_not_for_ever():
    reader = CagedReader(Limits(memory_mib=128, cpu_s=1, wall_s=3, ocr_cpu_s=2), program=HOSTILE)
    try:
        for _ in range(2):
            # for each document anew: that one asked says nothing of the next
            with pytest.raises(TookTooLong):
                await reader.read(b"spin", unheard)
            assert await told(reader, "see 1.5") == "seen"
        with pytest.raises(TookTooLong):
            await reader.read(b"see 60", unheard)
    finally:
        await reader.close()


@with_tesseract
async def test_a_scan_is_read_in_the_cage():
    reader = CagedReader(Limits(memory_mib=480, cpu_s=20, wall_s=60, ocr_cpu_s=60), ocr_languages=("eng",))
    cutting = await reader.read(made.scan(made.pdf([SCANNED])), unheard)
    await reader.close()
    assert "within thirty days" in cutting.passages[0].body
    assert [note.reason for note in cutting.notes] == ["Read by OCR, as they are pictures: page 1."]


@linux
@with_tesseract
async def test_the_largest_picture_that_is_read_fits_into_the_cage():
    reader = CagedReader(Limits(memory_mib=480, cpu_s=20, wall_s=60, ocr_cpu_s=60), ocr_languages=("eng",))
    largest = picture().resize((5_700, 7_000)).convert("RGBA")
    cutting = await reader.read(saved(largest, compress_level=1), unheard)
    await reader.close()
    assert "within thirty days" in cutting.passages[0].body


@pytest.mark.parametrize("without", [{"ocr_languages": ("none",)}, {"ocr_cpu_s": 0}])
async def test_without_ocr_a_scan_says_what_to_do(without):
    languages, ocr_cpu_s = without.get("ocr_languages", ()), without.get("ocr_cpu_s", 60)
    reader = CagedReader(Limits(480, 20, 60, ocr_cpu_s), ocr_languages=languages)
    for data in (made.scan(made.pdf([SCANNED])), saved(picture())):
        with pytest.raises(DocumentRefused) as refused:
            await reader.read(data, unheard)
        assert refused.value.code == "no_text_layer"
        assert "tesseract" in refused.value.detail
    await reader.close()


@linux
async def test_a_hog_never_has_more_than_its_memory(hostile):
    before = PEAK._sum.get()
    with pytest.raises(TooLargeInMemory):
        await hostile.read(b"hog", unheard)
    assert 64 * MIB < PEAK._sum.get() - before < 130 * MIB


async def test_what_never_stops_talking_is_ended(hostile, monkeypatch):
    monkeypatch.setattr(lines, "MOST_BYTES", 4 * MIB)
    with pytest.raises(TooLargeInMemory):
        await hostile.read(b"flood", unheard)
    await eventually(lambda: nursery_of(hostile).children() == [], timeout_s=2)


async def test_each_breach_is_counted_by_its_reason(hostile):
    before = BREACHES.labels("took_too_long")._value.get()
    with pytest.raises(TookTooLong):
        await hostile.read(b"spin", unheard)
    assert BREACHES.labels("took_too_long")._value.get() == before + 1


@only_whole
async def test_nothing_can_be_reached_from_inside(hostile, tmp_path):
    (tmp_path / "secret").write_text("another business's document")
    came_of_it = json.loads(await told(hostile, f"probe {tmp_path}"))
    allowed = {name for name, outcome in came_of_it.items() if outcome == "done"}
    assert allowed == {"import"}
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


async def test_a_child_has_neither_environment_nor_foreign_files(hostile, monkeypatch):
    monkeypatch.setenv("INGEST_DATABASE_URL", "postgresql://secret")
    inside = json.loads(await told(hostile, "where"))
    assert not [name for name in inside["environment"] if "INGEST" in name or "NATS" in name]
    assert len(inside["files"]) == 5


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '{"kind":"passage","n":0}',
        '{"kind":"end","title":null,"media_type":"text/plain","language":null,"pages":1,"passages":0}',
        '{"kind":"end","title":null,"media_type":"text/plain","language":null,"pages":-1,"passages":1}',
        '{"kind":"refusal","code":"not_one_of_ours","detail":"."}',
        '{"kind":"advance","done":1,"of":1,"more":1}',
    ],
)
async def test_what_no_reader_of_ours_would_say_is_not_believed(hostile, line):
    with pytest.raises(ReaderCrashed):
        await hostile.read(f"raw {line}".encode(), unheard)


async def test_a_text_that_the_database_would_refuse_is_not_believed(hostile):
    passage = {"kind": "passage", "n": 0, "start": 0, "end": 1, "headings": [], "lead": "", "page": None}
    line = json.dumps(passage | {"body": "a\x00b", "language": None})
    with pytest.raises(ReaderCrashed):
        await hostile.read(f"raw {line}".encode(), unheard)


async def test_an_error_that_nobody_foresaw_is_told_without_the_documents_words(hostile, capsys):
    with pytest.raises(DocumentRefused) as refused:
        await hostile.read(b"raise", unheard)
    assert refused.value.code == "unreadable_document"
    written = capsys.readouterr()
    assert "secret words" not in refused.value.detail + written.out + written.err


async def test_what_a_library_broke_on_is_told_to_operators_alone(hostile, capsys):
    with pytest.raises(DocumentRefused) as refused:
        await hostile.read(b"refuse", unheard)
    assert refused.value.detail == "The document is damaged."
    written = capsys.readouterr()
    assert "KeyError" in written.out + written.err
    assert "secret words" not in written.out + written.err


async def test_what_a_library_prints_of_a_document_reaches_no_log(hostile, capfd):
    assert await told(hostile, "shout secret words") == "shouted"
    written = capfd.readouterr()
    assert "secret words" not in written.out + written.err


async def test_what_stops_listening_ends_the_child(hostile):
    async def say(_pages: PagesRead) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        await hostile.read(b"sleep", say)
    await eventually(lambda: nursery_of(hostile).children() == [], timeout_s=2)


async def test_a_document_that_hangs_does_not_hold_up_another(hostile):
    hanging = asyncio.create_task(hostile.read(b"sleep", unheard))
    assert await told(hostile, "say meanwhile") == "meanwhile"
    assert not hanging.done()
    with pytest.raises(TookTooLong):
        await hanging


@linux
async def test_when_the_nursery_dies_its_children_do_and_the_document_has_another_once(hostile):
    reading = asyncio.create_task(hostile.read(b"sleep", unheard))
    (first,) = await eventually(lambda: at_work(hostile))
    nursery_of(hostile).kill()
    (second,) = await eventually(lambda: at_work(hostile, but=first))
    nursery_of(hostile).kill()
    with pytest.raises(Unavailable):
        await reading
    for child in (first, second):
        await eventually(lambda child=child: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert await told(hostile, "say again") == "again"


@linux
async def test_no_child_outlives_the_service(hostile):
    reading = asyncio.create_task(hostile.read(b"sleep", unheard))
    await eventually(lambda: hostile._nursery is not None and nursery_of(hostile).children())
    nursery = nursery_of(hostile)
    (child,) = nursery.children()
    os.kill(nursery.pid, signal.SIGTERM)  # of a whole group: the service decides, not the nursery
    assert child.is_running()
    reading.cancel()
    hostile._nursery._control.shutdown(2)  # as the kernel does when the service dies
    await asyncio.gather(reading, return_exceptions=True)
    await eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


@linux
async def test_readers_and_what_they_load_give_way_to_questions():
    reader = CagedReader(Limits(memory_mib=480, cpu_s=20, wall_s=60))
    try:
        await reader.read(b"Open from nine to five.", unheard)
        assert Claim.of(nursery_of(reader).pid).gives_way_to(Claim.of(0))
    finally:
        await reader.close()


async def test_without_documents_the_memory_is_given_back():
    reader = CagedReader(Limits(memory_mib=128, cpu_s=1, wall_s=3), program=HOSTILE, idle_s=0.2)
    resting = asyncio.create_task(reader.rest_when_idle())
    assert await told(reader, "say one") == "one"
    await eventually(lambda: reader._nursery is None)
    assert await told(reader, "say two") == "two"
    resting.cancel()
    await reader.close()


@pytest.mark.parametrize("missing", ["seccomp", "landlock"])
async def test_a_cage_that_the_kernel_does_not_hold_is_told(monkeypatch, missing):
    monkeypatch.setattr(seccomp, "is_available", lambda: missing != "seccomp")
    monkeypatch.setattr(landlock, "version", lambda: 0 if missing == "landlock" else 7)
    with pytest.raises(Unavailable) as told_of:
        await CagedReader(Limits(memory_mib=128, cpu_s=1, wall_s=3)).check()
    assert missing in told_of.value.detail


@pytest.mark.parametrize(
    "attempt",
    ["socket.socket()", "os.fork()", "os.posix_spawn('/bin/true', ['true'], {})", f"open({os.devnull!r}, 'w')"],
)
def test_without_seccomp_python_itself_refuses(attempt):
    inside = f"import os, socket\nfrom ingest_service.outbound.cage import limits\nlimits.refuse_by_hook()\n{attempt}"
    ended = subprocess.run([sys.executable, "-c", inside], capture_output=True, text=True, check=False, timeout=20)
    assert "PermissionError" in ended.stderr
    assert "not for readers" in ended.stderr
