"""The platform's secrets: made once, kept in one file only we can read, never shown."""

import contextlib
import json
import secrets as random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumora.data_folder import write_private
from lumora.refused import Refused

_NKEY_USER = 20 << 3  # the prefix byte of a NATS user's key


@dataclass(frozen=True)
class Nkey:
    """An Ed25519 key as NATS writes it: the seed signs in, the public part names the user in nats.conf."""

    seed: str = field(repr=False)
    public: str


@dataclass(frozen=True)
class Secrets:
    """Everything that was generated for this data folder."""

    nkeys: dict[str, Nkey]
    passwords: dict[str, str] = field(repr=False)
    nats_store_key: str = field(repr=False)
    master_key: str = field(repr=False)


def load_or_make(path: Path, *, users: Iterable[str], roles: Iterable[str]) -> Secrets:
    """Read the secrets; make what is missing (all at first, later what a new service needs) and store it.

    Args:
        path: the file, mode 0600.
        users: NATS users that need a key.
        roles: Postgres roles that need a password.

    Raises:
        Refused: the file is there and cannot be read: a new one would lock us out of our own data.
    """
    kept = _read(path)
    made = _complete(kept, users, roles)
    if made != kept:
        write_private(path, made)
    return Secrets(
        nkeys={name: Nkey(**key) for name, key in made["nkeys"].items()},
        passwords=dict(made["passwords"]),
        nats_store_key=made["nats_store_key"],
        master_key=made["master_key"],
    )


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(FileNotFoundError):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(content, dict):
                return content
        except ValueError:
            pass
        raise Refused(
            f"{path} is damaged, and without its keys the data cannot be read: put a copy back, or start anew "
            "with `lumora clean` (which deletes all data)."
        )
    return {}


def _complete(kept: dict[str, Any], users: Iterable[str], roles: Iterable[str]) -> dict[str, Any]:
    nkeys, passwords = dict(kept.get("nkeys", {})), dict(kept.get("passwords", {}))
    for user in users:
        if user not in nkeys:
            nkeys[user] = _new_nkey()
    for role in roles:
        # URL-safe, so it needs no quoting in a connection URL; 256 bits.
        passwords.setdefault(role, random.token_urlsafe(32))
    return {
        "nkeys": nkeys,
        "passwords": passwords,
        "nats_store_key": kept.get("nats_store_key") or random.token_hex(32),
        "master_key": kept.get("master_key") or random.token_hex(32),
    }


def _new_nkey() -> dict[str, str]:
    import nkeys

    seed = nkeys.encode_seed(random.token_bytes(32), _NKEY_USER)
    pair = nkeys.from_seed(seed)
    return {"seed": seed.decode(), "public": pair.public_key.decode()}
