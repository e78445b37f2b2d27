"""Every channel, collected; a name and version can be taken once."""

from functools import cache
from typing import Any

from contracts import auth, filter, gaps, hand_off, inference, ingest, learning, models, trace  # noqa: A004 - the room is named as the service is
from contracts.channel import Fact, Rpc, Work

_ROOMS = (auth, inference, models, hand_off, trace, gaps, ingest, learning, filter)


@cache
def facts() -> tuple[Fact[Any], ...]:
    return _collect(Fact)


@cache
def works() -> tuple[Work[Any], ...]:
    return _collect(Work)


@cache
def rpcs() -> tuple[Rpc[Any, Any], ...]:
    return _collect(Rpc)


def _collect(kind: type[Any]) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    for room in _ROOMS:
        for value in vars(room).values():
            if not isinstance(value, kind):
                continue
            if found.setdefault(value.schema, value) is not value:
                msg = f"{value.schema} is declared twice"
                raise ValueError(msg)
    return tuple(found[name] for name in sorted(found))
