"""What a child may use, and what it may do where the kernel cannot be asked to watch it."""

import contextlib
import os
import resource
import sys
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

MIB: Final = 1024 * 1024
MOST_OPEN_FILES: Final = 64
CPU_GRACE_S: Final = 2
"""Between the signal that ends the process and the one that nothing can ignore."""
OCR_WAITS: Final = 3
"""Times the CPU time of OCR that it may take by the clock."""
OCR_MEMORY_MIB: Final = 256
"""Beyond `Limits.memory_mib`: tesseract, its languages, and a drawn page at each step of its reading."""
_REFUSED: Final = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.kill", "os.system")


@dataclass(frozen=True)
class Limits:
    """Of one document. `memory_mib` is the whole of the process: modules, tokenizer, the document and its reading.

    `cpu_s` is for the first megabyte of a file; each further one adds a second, as long texts are no attack.
    `ocr_cpu_s` comes on top for a document that holds pictures of text; 0: they are not read.
    """

    memory_mib: int
    cpu_s: int
    wall_s: float
    ocr_cpu_s: int = 0

    @property
    def ocr_wall_s(self) -> float:
        """The same by the clock: whoever gives way to others takes longer."""
        return self.ocr_cpu_s * OCR_WAITS

    def of(self, size_bytes: int) -> "Limits":
        """For a file of that size."""
        more_s = size_bytes // MIB
        return replace(self, cpu_s=self.cpu_s + more_s, wall_s=self.wall_s + more_s)

    def with_ocr(self) -> "Limits":
        """For a document that holds pictures of text."""
        return replace(
            self,
            memory_mib=self.memory_mib + OCR_MEMORY_MIB,
            cpu_s=self.cpu_s + self.ocr_cpu_s,
            wall_s=self.wall_s + self.ocr_wall_s,
        )

    def to_arguments(self) -> list[str]:
        """For a command line; `from_arguments` reads them."""
        return [str(value) for value in asdict(self).values()]

    @classmethod
    def from_arguments(cls, arguments: list[str]) -> "Limits":
        memory_mib, cpu_s, wall_s, ocr_cpu_s = arguments
        return cls(int(memory_mib), int(cpu_s), float(wall_s), int(ocr_cpu_s))


@dataclass(frozen=True)
class Footprint:
    """What a process has mapped, and what of that is in memory; bytes."""

    mapped: int
    resident: int


def footprint(statm: int | None) -> Footprint | None:
    """Of the process whose /proc/…/statm is open; None where there is none."""
    if statm is None:
        return None
    mapped, resident = (int(pages) for pages in os.pread(statm, 128, 0).split()[:2])
    return Footprint(mapped * resource.getpagesize(), resident * resource.getpagesize())


def confine(limits: Limits, at_start: Footprint | None) -> None:
    """Set what the kernel counts. Memory is limited by what may be mapped beyond what the process began with."""
    if at_start is not None:
        room = max(limits.memory_mib * MIB - at_start.resident, MIB)
        _limit(resource.RLIMIT_AS, at_start.mapped + room)
    _limit(resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + CPU_GRACE_S)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, MOST_OPEN_FILES)


def refuse_by_hook() -> None:
    """Python's own refusal of network, programs and files for writing: it binds Python code, and no C extension."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_REFUSED) or (event == "open" and _writes(arguments)):
            raise PermissionError(f"{event} is not for readers of documents")

    sys.addaudithook(hook)


def _writes(arguments: tuple[Any, ...]) -> bool:
    _, _, flags = arguments
    return bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


def _limit(which: int, soft: int, hard: int | None = None) -> None:
    # a container may have set a lower one, which cannot be raised
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(which, (soft, soft if hard is None else hard))
