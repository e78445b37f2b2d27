"""The embedded NATS server: its configuration, and how to know that it is up."""

import asyncio
import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from lumora.embedded.secrets import Secrets
from lumora.ports import LOOPBACK

#: The user of the system account: monitoring only.
SYSTEM_USER = "system"


class Permissions(Protocol):
    """What one NATS user may do; subjects as in nats.conf."""

    publish: list[str]
    subscribe: list[str]
    allow_responses: bool


def configuration(*, port: int, store: Path, secrets: Secrets, users: Mapping[str, Permissions]) -> str:
    """The text of nats.conf (NATS reads JSON values, so each is written by the JSON encoder).

    `sync_interval: always` makes JetStream's acknowledgement mean "on the disk". The store is encrypted because
    TOKENS holds answer text for a while. `max_payload` is a wall against a runaway message, not a promise of size.
    """
    lines = [
        "server_name: lumora",
        f"listen: {json.dumps(f'{LOOPBACK}:{port}')}",
        "max_payload: 1048576",
        "max_connections: 512",
        "write_deadline: 10s",
        "lame_duck_duration: 30s",
        "jetstream {",
        f"  store_dir: {json.dumps(str(store))}",
        "  sync_interval: always",
        "  max_memory_store: 268435456",
        "  max_file_store: 17179869184",
        "  cipher: chachapoly",
        f"  key: {json.dumps(secrets.nats_store_key)}",
        "}",
        "system_account: SYS",
        "accounts {",
        f"  SYS {{ users: [{{ nkey: {json.dumps(secrets.nkeys[SYSTEM_USER].public)} }}] }}",
        "  LUMORA {",
        "    jetstream: enabled",
        "    users: [",
        *(f"      {_user(secrets.nkeys[name].public, allowed)}" for name, allowed in users.items()),
        "    ]",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _user(public: str, allowed: Permissions) -> str:
    permissions: dict[str, object] = {
        "publish": {"allow": allowed.publish},
        "subscribe": {"allow": allowed.subscribe},
    }
    if allowed.allow_responses:
        # Without it a reply into the caller's inbox is refused, and the caller only sees a timeout.
        permissions["allow_responses"] = {"max": 2, "expires": "1m"}
    return json.dumps({"nkey": public, "permissions": permissions})


def write_configuration(folder: Path, text: str) -> Path:
    """Store nats.conf where only we can read it: it names the store's key."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    path, fresh = folder / "nats.conf", folder / "nats.conf.new"
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
    return path


def environment(plain: Mapping[str, str]) -> dict[str, str]:
    """The server's variables. On a small machine one core is its share, unless GOMAXPROCS says otherwise.

    Go wakes further cores for every few messages, which the services then wait for. On 2 cores a server with one
    spends a quarter less CPU on the same messages (bench/token_path.py).
    """
    share = max(1, (os.cpu_count() or 1) // 4)
    return {"GOMAXPROCS": str(share), **plain}


async def is_up(port: int) -> bool:
    """Whether the server greets: it does so once its streams are recovered."""
    with contextlib.suppress(OSError, asyncio.TimeoutError):
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                return (await reader.readline()).startswith(b"INFO ")
            finally:
                writer.close()
    return False
