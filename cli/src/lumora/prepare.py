"""One-shot at each start: writes nats.conf, then provisions NATS and Postgres. Run as `python -m lumora.prepare`.

It is a process of its own because the contracts, SQLAlchemy and the migrations it needs would stay in the
supervisor's memory for as long as the platform runs. nats.conf comes first: the supervisor starts NATS as soon as
`nats.configured` is logged, while this process waits for the servers.
"""

import asyncio
import json
import os
from pathlib import Path

from runtime import nats_permissions

from lumora import plan
from lumora.data_folder import DataFolder
from lumora.embedded import nats
from lumora.embedded.secrets import Secrets, load_or_make


def write_nats_configuration(folder: DataFolder, port: int) -> Secrets:
    """Store nats.conf with a user and its permissions for each service; returns the secrets."""
    users = nats_permissions.users()
    secrets = load_or_make(folder.secrets, users={*plan.nats_users(), *users}, roles=plan.postgres_roles())
    text = nats.configuration(port=port, store=folder.nats / "jetstream", secrets=secrets, users=users)
    nats.write_configuration(folder.nats, text)
    return secrets


async def prepare() -> None:
    """Do both."""
    folder = DataFolder(Path(os.environ["LUMORA_DATA"]))
    write_nats_configuration(folder, int(os.environ["LUMORA_NATS_PORT"]))
    print(json.dumps({"level": "debug", "event": "nats.configured"}), flush=True)


if __name__ == "__main__":
    asyncio.run(prepare())
