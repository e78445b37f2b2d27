"""`lumora models`."""

from typing import Any

from rich.console import Console
from rich.table import Table

from lumora.client.api import open_api
from lumora.client.credentials import Credentials
from lumora.commands.output import ApiKey, AsJson, Url, credentials, print_json, run

_WITHOUT_PROVIDER = frozenset({"extractive"})
_HINT = (
    "Only sentences of the documents can be answered with: set OLLAMA_HOST, ANTHROPIC_API_KEY or OPENAI_API_KEY where "
    "the platform runs, and start it again, to use a language model."
)


def models(*, url: Url = None, api_key: ApiKey = None, is_json: AsJson = False) -> None:
    """List the models that agents can use now, by provider."""
    found = run(_models(credentials(url, api_key, is_json=is_json)), is_json=is_json)
    if is_json:
        print_json({"items": found})
        return
    if found:
        table = Table("provider", "capabilities")
        table.add_column("id", no_wrap=True)  # to be copied
        for model in sorted(found, key=lambda model: (model["provider"], model["id"])):
            table.add_row(model["provider"], ", ".join(model["capabilities"]), model["id"])
        Console().print(table)
    if {model["provider"] for model in found} <= _WITHOUT_PROVIDER:
        print(_HINT)


async def _models(who: Credentials) -> list[dict[str, Any]]:
    async with open_api(who.url, who.api_key) as api:
        page = await api.call("GET", "/api/models")  # one page: what the providers list now
        return list(page["items"])
