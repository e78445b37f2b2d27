"""`lumora down` and `lumora clean`."""

import os
import signal
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from lumora.commands.data import Data, folder_of
from lumora.commands.output import AsJson, fail, print_json
from lumora.data_folder import DataFolder
from lumora.leftovers import end_leftovers
from lumora.refused import AlreadyRunning, Refused, StartFailed

_DRAINED_WITHIN_S = 90.0
_LOOK_EVERY_S = 0.1


def down(*, data: Data = None, is_json: AsJson = False) -> None:
    """Stop the platform that runs on the data folder. Running answers may finish; all data is kept."""
    folder = folder_of(data)
    try:
        told = _stop(folder, is_json=is_json)
    except Refused as refused:
        fail(refused, is_json=is_json)
    if is_json:
        print_json(told)
        return
    print(told["sentence"])


def _stop(folder: DataFolder, *, is_json: bool) -> dict[str, Any]:
    owner = folder.owner()
    if owner is None:
        return _end_leftovers(folder)
    if not is_json:
        print(f"Stopping the platform on {folder.path} (process {owner}); running answers may finish.", flush=True)
    os.kill(owner, signal.SIGTERM)
    until = time.monotonic() + _DRAINED_WITHIN_S
    while folder.owner() == owner:
        if time.monotonic() > until:
            raise StartFailed(f"Process {owner} has not stopped in {_DRAINED_WITHIN_S:g} s: `kill -9 {owner}` ends it.")
        time.sleep(_LOOK_EVERY_S)
    return {"stopped": owner, "ended": [], "sentence": f"Stopped; all data is kept in {folder.path}."}


def _end_leftovers(folder: DataFolder) -> dict[str, Any]:
    ended = []
    if folder.is_ours():
        lock = folder.lock()
        ended = [entry.name for entry in end_leftovers(folder)]
        os.close(lock)
    if ended:
        return {
            "stopped": None,
            "ended": ended,
            "sentence": f"Ended what a crash had left running: {', '.join(ended)}.",
        }
    return {"stopped": None, "ended": [], "sentence": f"Nothing runs on {folder.path}."}


def clean(
    *,
    data: Data = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    is_json: AsJson = False,
) -> None:
    """Delete all data: businesses, conversations, documents, keys. Says what it deletes, and asks."""
    folder = folder_of(data)
    present = folder.present() if folder.is_ours() else []
    if not present:
        _say_deleted(folder, [], is_json=is_json)
        return
    if not is_json:
        print(f"All data in {folder.path}:")
        for path, size in present:
            print(f"  {path.name:<20} {size / 2**20:10.1f} MiB")
    if not yes and not is_json:
        typer.confirm("Delete it?", abort=True)
    try:
        _delete(folder)
    except Refused as refused:
        fail(refused, is_json=is_json)
    _say_deleted(folder, present, is_json=is_json)


def _delete(folder: DataFolder) -> None:
    if folder.owner() is not None:
        raise AlreadyRunning(f"Lumora runs on {folder.path}: stop it first, with `lumora down`.")
    lock = folder.lock()
    end_leftovers(folder)
    folder.delete()
    os.close(lock)


def _say_deleted(folder: DataFolder, present: list[tuple[Path, int]], *, is_json: bool) -> None:
    if is_json:
        print_json({"folder": str(folder.path), "deleted": [str(path) for path, _ in present]})
    elif present:
        print(f"Deleted all data in {folder.path}.")
    else:
        print(f"There is no data in {folder.path}.")
