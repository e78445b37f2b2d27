"""`lumora up`."""

import os
import sys
from typing import Annotated

import typer

from lumora.commands.data import Data, folder_of
from lumora.plan import MODULES
from lumora.settings import UpSettings

_Port = Annotated[
    int, typer.Option("--port", envvar="LUMORA_PORT", min=1, max=65_535, help="Where the (first) gateway listens.")
]
_InternalPort = Annotated[
    int,
    typer.Option(
        envvar="LUMORA_INTERNAL_PORT", min=1, max=65_500, help="Health and metrics: from here upward, one a process."
    ),
]
_Demo = Annotated[bool, typer.Option("--demo/--no-demo", envvar="LUMORA_DEMO", help="Make the demo business.")]


def _known(names: list[str] | None) -> list[str] | None:
    for name in names or ():
        if name not in MODULES:
            raise typer.BadParameter(f"there is no service {name}; there are {', '.join(MODULES)}")
    return names


_Gateways = Annotated[int, typer.Option(min=1, max=16, help="Gateways; each listens on the next port.")]
_Workers = Annotated[int, typer.Option(min=1, max=16, help="Inference workers.")]
_Only = Annotated[
    list[str] | None, typer.Option("--only", callback=_known, help="Start this service alone; may be repeated.")
]
_Json = Annotated[bool, typer.Option("--json", help="The log as JSON lines (also with LUMORA_LOG=json).")]
_Verbose = Annotated[bool, typer.Option("--verbose", help="Also what NATS, Postgres and debugging say.")]


def up(
    *,
    port: _Port = 8000,
    internal_port: _InternalPort = 9000,
    data: Data = None,
    demo: _Demo = True,
    gateways: _Gateways = 1,
    workers: _Workers = 1,
    only: _Only = None,
    is_json: _Json = False,
    is_verbose: _Verbose = False,
) -> None:
    """Run the whole platform on this machine: NATS, Postgres, every service, the demo business.

    Prints one line that starts with `ready` when everything is, and a login. Ctrl-C drains; all data is kept, and a
    later `up` continues with it. Also read from the environment: LUMORA_REQUESTS_PER_MINUTE (100),
    LUMORA_TENANT_RUNNING (8), LUMORA_TENANT_QUEUED (50), LUMORA_WORKER_SLOTS (64), LUMORA_MODEL_SLOTS (16 for
    Ollama, 48 for others), LUMORA_HEDGING (1), and where models are: OLLAMA_HOST, ANTHROPIC_API_KEY, OPENAI_API_KEY
    and their base URLs.
    """
    settings = UpSettings(
        port=port,
        internal_port=internal_port,
        data=str(folder_of(data).path),
        is_demo=demo,
        gateways=gateways,
        workers=workers,
        only=tuple(only or ()),
        is_json=is_json or os.environ.get("LUMORA_LOG") == "json",
        is_verbose=is_verbose,
    )
    sys.stdout.flush()
    # What parses the command line is of no use to a process that lives as long as the platform.
    command = [sys.executable, "-m", "lumora.up", settings.to_argument()]
    os.execv(command[0], command)  # noqa: S606 - ourselves again, no shell
