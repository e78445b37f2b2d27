"""`lumora ingest`."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from lumora.client.api import Api, open_api
from lumora.client.credentials import Credentials
from lumora.client.documents import follow, upload
from lumora.commands.output import ApiKey, AsJson, Url, credentials, print_json, run
from lumora.refused import Refused

_AT_ONCE = 4

_Files = Annotated[list[Path], typer.Argument(help="Files to read (.txt, .md).", exists=True, dir_okay=False)]
_Timeout = Annotated[float, typer.Option(min=1, help="Seconds to wait for each document.")]


def ingest(
    files: _Files,
    timeout: _Timeout = 600,
    url: Url = None,
    api_key: ApiKey = None,
    is_json: AsJson = False,  # noqa: FBT002 - the value of a flag is a bool
) -> None:
    """Upload documents and wait until they can be searched. Exit code 1 if one of them failed."""
    who = credentials(url, api_key, is_json=is_json)
    results = run(_ingest(who, files, timeout, is_json=is_json), is_json=is_json)
    failed = [result for result in results if result["state"] != "ready"]
    if is_json:
        for result in results:
            print_json(result)
    for result in failed if not is_json else ():
        print(f"{result['file']}: {result['error']['detail']}")
    if failed:
        raise typer.Exit(1)


async def _ingest(who: Credentials, files: list[Path], timeout_s: float, *, is_json: bool) -> list[dict[str, Any]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[state]}"))
    places = asyncio.Semaphore(_AT_ONCE)
    with Progress(*columns, console=Console(stderr=True), disable=is_json) as progress:
        bars = [progress.add_task(file.name, total=1.0, state="waiting") for file in files]
        async with open_api(who.url, who.api_key, timeout_s=120) as api:
            work = (
                _one(api, file, Bar(progress, bar), places, timeout_s) for file, bar in zip(files, bars, strict=True)
            )
            return await asyncio.gather(*work)


class Bar:
    """One file's line on the screen."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def show(self, state: str, done: float) -> None:
        """`done` goes from 0 to 1."""
        self._progress.update(self._task, completed=done, state=state)


async def _one(api: Api, file: Path, bar: Bar, places: asyncio.Semaphore, timeout_s: float) -> dict[str, Any]:
    def show(document: dict[str, Any]) -> None:
        bar.show(document["state"], document["progress"])

    async with places:
        bar.show("uploading", 0.0)
        try:
            document = await upload(api, file)
            document = await follow(api, document["id"], show, timeout_s=timeout_s)
        except Refused as refused:
            bar.show("failed", 0.0)
            return {"file": str(file), "state": "failed", "error": {"code": refused.code, "detail": str(refused)}}
    return {"file": str(file), **document}
