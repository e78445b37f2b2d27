"""`python -m ingest_service snapshot create|list|restore NAME`: JSON lines on stdout, for programs; logs go to stderr.

`{"done": …, "of": …}` in bytes while it works; at the end `{"items": […]}`, `{"snapshot": …}` or
`{"restored": …, "next": …}`, or `{"error": {"code": …, "detail": …}}` with exit code 1.
"""

import argparse
import json
import os
from collections.abc import Sequence
from typing import Any

from ingest_service.domain.snapshots import Snapshot, Snapshots
from runtime.errors import LumoraError


async def snapshot(arguments: Sequence[str], snapshots: Snapshots) -> int:
    """Do what was asked; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ingest_service snapshot")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("create")
    actions.add_parser("list")
    actions.add_parser("restore").add_argument("name")
    asked = parser.parse_args(arguments)
    os.umask(0o077)  # as the service has it: an index is made of people's words
    try:
        match asked.action:
            case "create":
                _say(snapshot=_told(await snapshots.create(_tell)))
            case "list":
                _say(items=[_told(one) for one in await snapshots.all()])
            case _:
                left = await snapshots.restore(asked.name, _tell)
                _say(restored=asked.name, next=left)
    except LumoraError as error:
        _say(error={"code": error.code, "detail": error.detail})
        return 1
    return 0


def _told(one: Snapshot) -> dict[str, Any]:
    made_at = one.made_at.isoformat(timespec="seconds") if one.made_at else None
    return {"name": one.name, "made_at": made_at, "size_bytes": one.size_bytes}


def _tell(done: int, of: int) -> None:
    _say(done=done, of=of)


def _say(**content: Any) -> None:
    print(json.dumps(content), flush=True)
