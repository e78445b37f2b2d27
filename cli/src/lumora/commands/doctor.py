"""`lumora doctor`."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import typer

from lumora.commands.data import Data, folder_of
from lumora.commands.output import AsJson, print_json
from lumora.data_folder import DataFolder
from lumora.settings import UpSettings

if TYPE_CHECKING:
    from lumora.doctor.finding import Finding

_COULD_NOT_RUN = 2


def doctor(*, data: Data = None, is_json: AsJson = False) -> None:
    """Check every dependency and setting, and say what to do. Changes nothing.

    Exit code 0: nothing is broken (there may be warnings); 1: something is; 2: the checks could not run.
    """
    folder = folder_of(data)
    found: list[Finding] = []
    try:
        for finding in examine(folder, os.environ):
            found.append(finding)
            if not is_json:
                print(f"{finding.state:<8} {finding.check}: {finding.told}", flush=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, a program that asks must be able to tell it from 0 and 1
        # Only its kind: the text of a foreign error may hold a secret.
        told = f"The checks could not run to their end ({type(error).__name__})."
        if is_json:
            print_json({"error": {"code": "could_not_run", "detail": told}, "checks": [f.to_json() for f in found]})
        else:
            print(told, file=sys.stderr)
        raise typer.Exit(_COULD_NOT_RUN) from None
    counts = {state: sum(f.state == state for f in found) for state in ("ok", "warning", "broken")}
    if is_json:
        print_json({**counts, "checks": [finding.to_json() for finding in found]})
    else:
        print(f"{counts['ok']} ok, {counts['warning']} to be changed, {counts['broken']} broken.")
    if counts["broken"]:
        raise typer.Exit(1)


def examine(data: DataFolder, environment: Mapping[str, str]) -> Iterator["Finding"]:
    """Every check, in the order in which things are needed."""
    # Imported here: what looks at everything loads everything, and the other commands need none of it.
    from lumora.doctor import folder, listeners, machine, providers, running, variables  # noqa: PLC0415 - see above

    yield from machine.machine()
    yield from variables.variables(environment)
    yield from folder.folder(data)
    owner = data.owner() if data.path.is_dir() else None
    settings = (running.settings_of(owner) if owner else None) or settings_from(environment, data)
    yield from listeners.listeners(settings, owner)
    if owner is None:
        yield running.leftovers(data)
    else:
        yield from running.platform(settings, data)
        yield from asyncio.run(_servers(data))
    yield from providers.providers(environment)


async def _servers(data: DataFolder) -> "list[Finding]":
    from lumora.doctor import servers  # noqa: PLC0415 - loads NATS's client, Postgres's and the contracts

    return [finding async for finding in servers.servers(data)]


def settings_from(environment: Mapping[str, str], data: DataFolder) -> UpSettings:
    """What a `lumora up` of this environment would do; a value that cannot be counts as not set."""

    def port(name: str, default: int) -> int:
        given = environment.get(name, "")
        return int(given) if given.isdecimal() and 0 < int(given) <= 65_500 else default  # noqa: PLR2004 - as `up` does

    return UpSettings(
        port=port("LUMORA_PORT", 8000),
        internal_port=port("LUMORA_INTERNAL_PORT", 9000),
        data=str(data.path),
        is_demo=False,
    )
