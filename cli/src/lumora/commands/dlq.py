"""`lumora dlq`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from lumora.commands.data import Data, folder_of
from lumora.commands.output import AsJson, print_json, run
from lumora.ports import LOOPBACK
from lumora.refused import Refused

if TYPE_CHECKING:
    from runtime.bus import Bus

_CONNECTED_WITHIN_S = 5.0

_Nats = Annotated[str | None, typer.Option("--nats-url", envvar="OPERATOR_NATS_URL", help="A broker elsewhere.")]
_Seed = Annotated[
    str | None,
    typer.Option(envvar="OPERATOR_NATS_SEED", help="The operator's seed there; best set in the environment."),
]
_Replay = Annotated[list[int] | None, typer.Option("--replay", help="Send this letter again; may be given repeatedly.")]
_All = Annotated[bool, typer.Option("--replay-all", help="Send every letter again.")]


class NoLetters(Refused):
    """The dead letters cannot be looked at."""

    code = "no_dead_letters"


def dlq(
    *,
    replay: _Replay = None,
    replay_all: _All = False,
    data: Data = None,
    nats_url: _Nats = None,
    nats_seed: _Seed = None,
    is_json: AsJson = False,
) -> None:
    """List dead letters, or send some again. Handlers know what they did: sending one twice is harmless."""
    url, seed = (nats_url, nats_seed) if nats_url and nats_seed else _operator(data, is_json=is_json)
    found, sent = run(_look(url, seed, replay or [], is_all=replay_all), is_json=is_json)
    if is_json:
        print_json({"items": found, "replayed": sent})
        return
    if found:
        table = Table("letter", "died at", "came from", "consumer", "reason")
        for letter in found:
            died_at = f"{letter['died_at']:%Y-%m-%d %H:%M:%S}" if letter["died_at"] else ""
            table.add_row(str(letter["sequence"]), died_at, letter["subject"], letter["consumer"], letter["reason"])
        Console().print(table)
    print(f"{len(found)} dead letters; sent again: {', '.join(map(str, sent)) or 'none'}.")


async def _look(url: str, seed: str, wanted: list[int], *, is_all: bool) -> tuple[list[dict[str, Any]], list[int]]:
    # Imported here: what speaks NATS loads much, and the other commands need none of it.
    from runtime import dead_letters  # noqa: PLC0415 - see above
    from runtime.errors import LumoraError  # noqa: PLC0415 - see above

    try:
        async with _connected(url, seed) as bus:
            found = [letter async for letter in dead_letters.letters(bus)]
            sent = [letter.sequence for letter in found] if is_all else wanted
            for sequence in sent:
                await dead_letters.replay(bus, sequence)
    except LumoraError as error:
        raise NoLetters(f"{error.detail}.") from error
    return [asdict(letter) for letter in found], sent


@asynccontextmanager
async def _connected(url: str, seed: str) -> AsyncIterator["Bus"]:
    from runtime.bus import Bus  # noqa: PLC0415 - the same

    bus = Bus("operator", url, seed)
    try:
        await asyncio.wait_for(bus.connect(), _CONNECTED_WITHIN_S)
    except TimeoutError:
        raise NoLetters("The broker does not answer: is the platform running?") from None
    try:
        yield bus
    finally:
        await bus.stop()


def _operator(data: Path | None, *, is_json: bool) -> tuple[str, str]:
    """Where the platform of the data folder has its broker, and the operator's seed."""
    folder = folder_of(data)

    async def read() -> tuple[str, str]:
        try:
            port = json.loads(folder.ports.read_text(encoding="utf-8"))["nats"]
            seed = json.loads(folder.secrets.read_text(encoding="utf-8"))["nkeys"]["operator"]["seed"]
        except (OSError, ValueError, KeyError, TypeError):
            raise NoLetters(f"No platform has been started on {folder.path}.") from None
        return f"nats://{LOOPBACK}:{port}", str(seed)

    return run(read(), is_json=is_json)
