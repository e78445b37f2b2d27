"""Where an index lies: in the folder of its name, or in one of a later turn, which has a number behind the name.

The engine goes on to use the path that it has opened, so that a folder keeps its own: what is to replace it lies beside
it under the next number, and counts as soon as it is marked as whole. A kill at any moment leaves one that is whole.
"""

import glob
import shutil
from pathlib import Path
from typing import Final

from ingest_service.outbound.disk import sync

LEAVING: Final = ".leaving-"
"""Before the name of a folder that is being removed: half of it is no index."""
WHOLE: Final = "whole"
"""The name of the empty file that marks a folder with a number."""


def current(first: Path) -> Path:
    """The folder that holds the index whose first folder is `first`; that one where there is none yet."""
    whole = {turn: path for turn, path in _turns(first).items() if not turn or (path / WHOLE).exists()}
    return whole[max(whole)] if whole else first


def following(first: Path) -> Path:
    """The folder that is to replace the one that holds the index."""
    turn = current(first).name.removeprefix(first.name).removeprefix(".")
    return first.with_name(f"{first.name}.{int(turn or 0) + 1}")


def mark_whole(path: Path) -> None:
    """From now on it counts, and those before it do not."""
    (path / WHOLE).touch()
    sync(path)


def remove_others(path: Path, first: Path) -> None:
    """Remove those that `path` has replaced, and what was to replace it: only who has it open may do so."""
    for _, other in sorted(_turns(first).items()):
        if other != path:
            remove(other)


def remove_all(first: Path) -> None:
    """Remove the index; the newest folder goes last."""
    for _, path in sorted(_turns(first).items()):
        remove(path)


def remove(path: Path) -> None:
    """Half of it is never taken for a whole one."""
    leaving = path.with_name(f"{LEAVING}{path.name}")
    shutil.rmtree(leaving, ignore_errors=True)
    if path.exists():
        shutil.rmtree(path.rename(leaving), ignore_errors=True)


def _turns(first: Path) -> dict[int, Path]:
    """The index's folders by their numbers; the first has none."""
    found = {0: first} if first.is_dir() else {}
    for path in first.parent.glob(f"{glob.escape(first.name)}.*"):
        turn = path.name.removeprefix(f"{first.name}.")
        if turn.isdecimal() and path.is_dir():
            found[int(turn)] = path
    return found
