"""`lumora search`."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from lumora.client.api import open_api
from lumora.client.credentials import Credentials
from lumora.commands.output import ApiKey, AsJson, Url, credentials, print_json, run

_Documents = Annotated[list[str] | None, typer.Option("--document", help="Only in this document (an id); repeatable.")]
_Languages = Annotated[list[str] | None, typer.Option("--language", help="Only passages in it, as in en; repeatable.")]
_Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only in documents with this tag; repeatable.")]
_DAY = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
_Since = Annotated[datetime | None, typer.Option(formats=_DAY, help="Only in documents added from then on.")]
_Until = Annotated[datetime | None, typer.Option(formats=_DAY, help="Only in documents added before.")]


def search(
    *,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    document: _Documents = None,
    language: _Languages = None,
    tag: _Tags = None,
    since: _Since = None,
    until: _Until = None,
    url: Url = None,
    api_key: ApiKey = None,
    is_json: AsJson = False,
) -> None:
    """Find the passages of the business's documents that fit a question best."""
    filters = _filters(document, language, tag, since, until)
    asked = {"query": query, "k": k, "filters": filters}
    found = run(_search(credentials(url, api_key, is_json=is_json), asked), is_json=is_json)
    if is_json:
        print_json(found)
        return
    console = Console(highlight=False)
    for n, hit in enumerate(found["items"], start=1):
        page = f", page {hit['page']}" if hit.get("page") else ""
        console.print(f"[bold]{n}. {escape(hit['title'])}[/]{page} [dim]{hit['score']:.3f}[/]")
        console.print(Padding(escape(hit["text"].strip()), (0, 0, 1, 3)))
    if not found["items"]:
        console.print("Nothing was found.")


def _filters(
    documents: list[str] | None,
    languages: list[str] | None,
    tags: list[str] | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any]:
    """What was given, as the platform takes it; a day begins by this machine's clock."""
    filters: dict[str, Any] = {
        "document_ids": documents,
        "languages": languages,
        "tags": tags,
        "created_since": since and since.astimezone().isoformat(),
        "created_until": until and until.astimezone().isoformat(),
    }
    return {name: value for name, value in filters.items() if value}


async def _search(who: Credentials, asked: dict[str, Any]) -> Any:
    async with open_api(who.url, who.api_key) as api:
        return await api.call("POST", "/api/search", json=asked)
