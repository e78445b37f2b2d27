"""`lumora search`."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from lumora.client.api import open_api
from lumora.client.credentials import Credentials
from lumora.commands.output import ApiKey, AsJson, Url, credentials, print_json, run


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    url: Url = None,
    api_key: ApiKey = None,
    is_json: AsJson = False,  # noqa: FBT002 - the value of a flag is a bool
) -> None:
    """Find the passages of the business's documents that fit a question best."""
    found = run(_search(credentials(url, api_key, is_json=is_json), query, k), is_json=is_json)
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


async def _search(who: Credentials, query: str, k: int) -> Any:
    async with open_api(who.url, who.api_key) as api:
        return await api.call("POST", "/api/search", json={"query": query, "k": k})
