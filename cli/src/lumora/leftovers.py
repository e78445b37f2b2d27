"""Ends what an earlier `up` left running when it was killed itself."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from lumora.data_folder import DataFolder, Recorded

if TYPE_CHECKING:
    import psutil

#: Each process of a run carries the run's id in this variable.
RUN_VARIABLE = "LUMORA_RUN"
_GONE_WITHIN_S = 5.0


def end_leftovers(folder: DataFolder) -> list[Recorded]:
    """Kill the recorded processes that still live; returns those it found.

    The caller holds the folder's lock, so none of them has a supervisor. A pid may have been given to another program
    meanwhile: only a process with the same command line that belongs to the same run (or works on our folder) is ours.
    """
    recorded = folder.recorded()
    if not recorded:
        return []
    import psutil  # noqa: PLC0415 - only after a crash; the supervisor stays small

    found: list[tuple[Recorded, psutil.Process]] = []
    for entry in recorded:
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(entry.pid)
            if is_same(process, entry, folder.path):
                found.append((entry, process))
    doomed = [process for _, process in found]
    doomed += [child for process in doomed for child in _children(process)]
    for process in doomed:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(doomed, timeout=_GONE_WITHIN_S)
    folder.record([])
    return [entry for entry, _ in found]


def is_same(process: "psutil.Process", entry: Recorded, folder: Path) -> bool:
    """Whether the process is the recorded one and not a later owner of its pid."""
    command = tuple(process.cmdline())
    if command[-len(entry.argv) :] != entry.argv:  # it may still be under its launcher's name
        return False
    if any(str(folder) in word for word in entry.argv):
        return True
    return process.environ().get(RUN_VARIABLE) == entry.run


def _children(process: "psutil.Process") -> list["psutil.Process"]:
    import psutil  # noqa: PLC0415 - only after a crash; the supervisor stays small

    with contextlib.suppress(psutil.Error):
        return process.children(recursive=True)
    return []
