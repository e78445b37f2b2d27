"""`lumora ingest`."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from lumora.client.api import Api, open_api
from lumora.client.credentials import Credentials
from lumora.client.documents import (
    at_rest,
    failed_of,
    follow,
    follow_led_to,
    led_to,
    name_page,
    upload,
    upload_version,
)
from lumora.commands.output import ApiKey, AsJson, Url, credentials, print_json, run
from lumora.refused import Refused

_AT_ONCE = 4
_A_MINUTE_S, _HOURS_FROM_S = 45, 90 * 60

_PAGE = ("http://", "https://")
_ARCHIVE = "application/zip"

_Sources = Annotated[list[str], typer.Argument(metavar="FILE|URL...", help="Files, web pages, sitemaps.")]
_Depth = Annotated[int, typer.Option(min=0, max=3, help="Follow the links of a page so far.")]
_Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag for each of them; repeatable.")]
_Replace = Annotated[bool, typer.Option("--replace", help="A file is the new version of the document of its name.")]
_Timeout = Annotated[
    float, typer.Option(min=1, help="Seconds to wait for each document, and for the next one that came of it.")
]


def ingest(
    *,
    sources: _Sources,
    timeout: _Timeout = 600,
    depth: _Depth = 0,
    tag: _Tags = None,
    replace: _Replace = False,
    url: Url = None,
    api_key: ApiKey = None,
    is_json: AsJson = False,
) -> None:
    """Upload documents or name web pages, and wait until they can be searched.

    Also the files of an archive and the pages that a page leads to are waited for. Exit code 1 if one of them failed.
    """
    who = credentials(url, api_key, is_json=is_json)
    manner = Manner(depth, tag or [], is_replacing=replace)
    results = run(_ingest(who, sources, timeout, manner=manner, is_json=is_json), is_json=is_json)
    failed = [result for result in results if result["error"] is not None or result.get("failed")]
    if is_json:
        for result in results:
            print_json(result)
    for result in results if not is_json else ():
        for line in _told(result):
            print(f"{result['file']}: {line}")
    if failed:
        raise typer.Exit(1)


def _told(result: dict[str, Any]) -> Iterator[str]:
    """What there is to say of one of them beside its bar."""
    if result["error"] is not None:
        yield str(result["error"]["detail"])
    known = result["pages"] - led_to(result) if result.get("media_type") == _ARCHIVE else 0
    if known > 0:
        yield f"of its {result['pages']} files {known} were here already"
    if led_to(result):
        yield f"{result['led_to_ready']} of {led_to(result)} documents that came of it are ready"
    for each in result.get("failed", ()):
        yield f"{each.get('path') or each.get('url') or each['title']}: {each['error']['detail']}"


@dataclass(frozen=True)
class Manner:
    """How far links are followed, the tags of what comes in, and whether it replaces what has its name."""

    depth: int
    tags: list[str]
    is_replacing: bool = False


async def _ingest(
    who: Credentials, sources: list[str], timeout_s: float, *, manner: Manner, is_json: bool
) -> list[dict[str, Any]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[state]}"))
    places = asyncio.Semaphore(_AT_ONCE)
    with Progress(*columns, console=Console(stderr=True), disable=is_json) as progress:
        bars = [progress.add_task(_name(source), total=1.0, state="waiting") for source in sources]
        async with open_api(who.url, who.api_key, timeout_s=120) as api:
            work = (
                _one(api, source, manner, Bar(progress, bar), places=places, timeout_s=timeout_s)
                for source, bar in zip(sources, bars, strict=True)
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


def _how(document: dict[str, Any]) -> str:
    """Its state, and how long it will take where that is known; once it is ready, how far what came of it is."""
    if document["state"] == "ready" and led_to(document):
        failed = f", {document['led_to_failed']} failed" if document["led_to_failed"] else ""
        return f"{document['led_to_ready']} of {led_to(document)} ready{failed}"
    eta_s = document.get("eta_s")
    return document["state"] if eta_s is None else f"{document['state']}, {time_left(eta_s)}"


def time_left(seconds: int) -> str:
    """As one would say it: an estimate is not known to the second."""
    if seconds < _A_MINUTE_S:
        return "less than a minute left"
    if seconds < _HOURS_FROM_S:
        return f"about {round(seconds / 60)} min left"
    return f"about {round(seconds / 3600)} h left"


def _name(source: str) -> str:
    return source if source.startswith(_PAGE) else Path(source).name


async def _one(
    api: Api, source: str, manner: Manner, bar: Bar, *, places: asyncio.Semaphore, timeout_s: float
) -> dict[str, Any]:
    def show(document: dict[str, Any]) -> None:
        is_whole = document["state"] == "ready" and led_to(document)
        bar.show(_how(document), at_rest(document) / led_to(document) if is_whole else document["progress"])

    async with places:
        bar.show("uploading", 0.0)
        try:
            document = await _sent(api, source, manner)
            document = await follow(api, document["id"], show, timeout_s=timeout_s)
            document = await follow_led_to(api, document, show, timeout_s=timeout_s)
            failed = await failed_of(api, document["id"]) if document.get("led_to_failed") else []
        except Refused as refused:
            bar.show("failed", 0.0)
            return {"file": source, "state": "failed", "error": {"code": refused.code, "detail": str(refused)}}
    return {"file": source, **document, **({"failed": failed} if failed else {})}


async def _sent(api: Api, source: str, manner: Manner) -> dict[str, Any]:
    if source.startswith(_PAGE):
        return await name_page(api, source, manner.depth, manner.tags)
    send = upload_version if manner.is_replacing else upload
    return await send(api, Path(source), manner.tags)
