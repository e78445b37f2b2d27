"""How commands print: one JSON object for programs, or text for people; errors as one sentence."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from lumora.client.credentials import Credentials, find_credentials
from lumora.refused import Refused

Result = TypeVar("Result")

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="LUMORA_URL", help="Where the platform is. [default: http://127.0.0.1:8000]"),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", envvar="LUMORA_API_KEY", help="An API key. [default: the demo business's]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def print_json(content: Any) -> None:
    """One JSON object on one line."""
    print(json.dumps(content, ensure_ascii=False, default=str), flush=True)


def fail(refused: Refused, *, is_json: bool) -> NoReturn:
    """Say what went wrong and end with exit code 1."""
    if is_json:
        print_json({"error": {"code": refused.code, "detail": str(refused)}})
    else:
        print(str(refused), file=sys.stderr)
    raise typer.Exit(1) from None


def credentials(url: str | None, api_key: str | None, *, is_json: bool) -> Credentials:
    """What was given or the demo's; ends the program with a sentence when there is none."""
    try:
        return find_credentials(url, api_key)
    except Refused as refused:
        fail(refused, is_json=is_json)


def run(work: Coroutine[Any, Any, Result], *, is_json: bool) -> Result:
    """Run a command's work; a refusal becomes a sentence and exit code 1."""
    try:
        return asyncio.run(work)
    except Refused as refused:
        fail(refused, is_json=is_json)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
