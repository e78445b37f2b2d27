"""The data folder: whose it is, who may read it, room, lock, secrets."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from lumora import checks
from lumora.data_folder import DataFolder
from lumora.doctor.finding import Finding, broken, ok, warning
from lumora.refused import DiskFull

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SECRETS = ("nkeys", "passwords", "nats_store_key", "master_key")
_ELSEWHERE = "set LUMORA_DATA to another folder"


def folder(data: DataFolder) -> Iterator[Finding]:
    """Everything about the folder; it need not be there yet."""
    usable = place(data)
    yield usable
    if usable.state == "broken":
        return
    yield space(data.path)
    if data.path.exists():
        yield rights(data.path)
        yield lock(data)
        yield secrets(data)


def place(data: DataFolder) -> Finding:
    """Whether a platform can keep its data there."""
    path, there = data.path, existing(data.path)
    if not there.is_dir():
        return broken("data folder", f"{there} is no folder: {_ELSEWHERE}.")
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return broken("data folder", f"This user may not read and write {there}: change its owner, or {_ELSEWHERE}.")
    if not path.exists():
        return ok("data folder", f"{path} will be made")
    if not data.is_ours() and any(path.iterdir()):
        return broken("data folder", f"{path} holds something that is not Lumora's: {_ELSEWHERE}.")
    if path.stat().st_uid != os.geteuid():
        return warning("data folder", f"{path} belongs to another user: run Lumora as its owner, or {_ELSEWHERE}.")
    return ok("data folder", str(path))


def existing(path: Path) -> Path:
    """The path, or what of the way to it is there."""
    return next(part for part in (path, *path.parents) if part.exists())


def space(path: Path, *, needed: int = checks.GIB) -> Finding:
    """Room on the disk, in bytes."""
    try:
        checks.require_space(existing(path), needed=needed)
    except DiskFull as full:
        return broken("disk space", full)
    return ok("disk space", f"at least {needed / checks.GIB:.0f} GiB are free")


def rights(path: Path) -> Finding:
    """Whether other users can look inside; as root they may pass through, for Postgres's user."""
    wanted = 0o711 if os.geteuid() == 0 else 0o700
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & ~wanted:
        return warning("folder rights", f"Other users may look into {path}: run `chmod {wanted:o} {path}`.")
    return ok("folder rights", f"{mode:o}")


def lock(data: DataFolder) -> Finding:
    """Who holds the folder."""
    owner = data.owner()
    return ok("lock", f"held by `lumora up`, process {owner}" if owner else "free")


def secrets(data: DataFolder) -> Finding:
    """Whether the keys to the data are there, whole, and ours alone."""
    path = data.secrets
    if not path.exists():
        if data.postgres.exists() or data.nats.exists():
            told = f"{path} is gone, and without it the data cannot be read: put a copy back, or delete all data with "
            return broken("secrets", told + "`lumora clean`.")
        return ok("secrets", "made at the first start")
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        missing = [name for name in _SECRETS if not kept[name]]
    except PermissionError:
        return broken("secrets", f"This user may not read {path}: run Lumora as its owner.")
    except (OSError, ValueError, KeyError, TypeError):
        missing = list(_SECRETS)
    if missing:
        return broken("secrets", f"{path} is damaged: put a copy back, or delete all data with `lumora clean`.")
    if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        return warning("secrets", f"Other users may read {path}: run `chmod 600 {path}`.")
    return ok("secrets", "readable, by us alone")
