"""`lumora snapshot`."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Column, Table

from lumora.commands.data import Data, folder_of
from lumora.commands.output import AsJson, print_json, run
from lumora.embedded.secrets import load_or_make
from lumora.plan import Environments, Process, nats_users, postgres_roles
from lumora.refused import Refused
from lumora.settings import UpSettings

_MIB: Final = 2**20
_Name = Annotated[str, typer.Argument(help="As `lumora snapshot list` names it.")]


class NoSnapshots(Refused):
    """Copies cannot be made, listed or put back."""

    code = "no_snapshots"


snapshot = typer.Typer(
    name="snapshot",
    help="Copies of the vector index: back sooner than by filling it from Postgres. Back up Postgres all the same.",
    no_args_is_help=True,
)


@snapshot.command()
def create(*, data: Data = None, is_json: AsJson = False) -> None:
    """Copy the index. The one in process must be free: stop the platform first. A Qdrant server copies at any time."""
    made = _ask(["create"], data, "copying", is_json=is_json)["snapshot"]
    if is_json:
        print_json(made)
    else:
        print(f"{made['name']} ({made['size_bytes'] / _MIB:.1f} MiB)")


@snapshot.command(name="list")
def list_(*, data: Data = None, is_json: AsJson = False) -> None:
    """List copies of the index of the embedding model that is set, the oldest first."""
    found = _ask(["list"], data, "looking", is_json=is_json)
    if is_json:
        print_json(found)
        return
    if found["items"]:
        table = Table(Column("snapshot", overflow="fold"), "made at (UTC)", "MiB")
        for one in found["items"]:
            table.add_row(one["name"], (one["made_at"] or "")[:19], f"{one['size_bytes'] / _MIB:.1f}")
        Console().print(table)
    print(f"{len(found['items'])} snapshots.")


@snapshot.command()
def restore(*, name: _Name, data: Data = None, is_json: AsJson = False) -> None:
    """Put a copy in the place of the index. Interrupted, it changes nothing; older ones are brought up to Postgres."""
    done = _ask(["restore", name], data, "unpacking", is_json=is_json)
    if is_json:
        print_json(done)
    else:
        print(f"{name} is restored. {done['next']}")


def _ask(arguments: list[str], data: Path | None, doing: str, *, is_json: bool) -> dict[str, Any]:
    """What ingest's own command answers: it knows where the index is, and which model it is of."""

    async def asked() -> dict[str, Any]:
        environment = _environment(data)
        if is_json:
            return await _run(arguments, environment, lambda _done, _of: None)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True))
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(doing, total=None)
            return await _run(arguments, environment, lambda done, of: progress.update(task, completed=done, total=of))

    return run(asked(), is_json=is_json)


async def _run(arguments: list[str], environment: dict[str, str], tell: Callable[[int, int], None]) -> dict[str, Any]:
    command = [sys.executable, "-m", "ingest_service", "snapshot", *arguments]
    child = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    answer: dict[str, Any] = {}
    try:
        async for line in child.stdout:
            answer = _read(line) or answer
            if "of" in answer:
                tell(answer["done"], answer["of"])
    finally:
        if child.returncode is None and not child.stdout.at_eof():
            child.terminate()
        code = await child.wait()
    if "error" in answer:
        raise NoSnapshots(answer["error"]["detail"])
    if code != 0:
        raise NoSnapshots("Ingest's command failed; the lines above say why.")
    return answer


def _read(line: bytes) -> dict[str, Any] | None:
    """What ingest's command says; a line that a library printed in between is passed on to people."""
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        print(line.decode(errors="replace").rstrip(), file=sys.stderr)
        return None
    return said


def _environment(data: Path | None) -> dict[str, str]:
    """INGEST_… as they are set here, else those that `lumora up` gives to ingest on this data folder."""
    if os.environ.get("INGEST_DATABASE_URL"):
        return dict(os.environ)
    folder = folder_of(data)
    try:
        ports = json.loads(folder.ports.read_text(encoding="utf-8"))
        secrets = load_or_make(folder.secrets, users=nats_users(), roles=postgres_roles())
        given = UpSettings(port=0, internal_port=0, data=str(folder.path), is_demo=False)
        return Environments(given, folder, secrets, ports, run="").of(Process("ingest", 0, "ingest", 0))
    except (OSError, ValueError, KeyError, TypeError):
        raise NoSnapshots(f"No platform has been started on {folder.path}.") from None
