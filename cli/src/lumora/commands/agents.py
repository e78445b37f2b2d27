"""`lumora agents`."""

from typing import Any

from rich.console import Console
from rich.table import Table

from lumora.client.api import open_api
from lumora.client.credentials import Credentials
from lumora.commands.output import ApiKey, AsJson, Url, credentials, print_json, run


def agents(*, url: Url = None, api_key: ApiKey = None, is_json: AsJson = False) -> None:
    """List the business's agents."""
    found = run(_agents(credentials(url, api_key, is_json=is_json)), is_json=is_json)
    if is_json:
        print_json({"items": found})
        return
    if not found:
        print("There is no agent yet: POST /api/agent/create makes one (`lumora up` makes the demo's).")
        return
    table = Table("name", "model", "autonomy")
    table.add_column("id", no_wrap=True)  # to be copied
    for agent in found:
        name = f"{agent['name']} (default)" if agent.get("is_default") else agent["name"]
        table.add_row(name, agent["model"], agent["autonomy"], agent["id"])
    Console().print(table)


async def _agents(who: Credentials) -> list[dict[str, Any]]:
    async with open_api(who.url, who.api_key) as api:
        return await api.items("/api/agents")
