"""Every message that is published anywhere, as one flat list: what schemas, examples and AsyncAPI are made from.

Facts, jobs and RPCs come from the registry; the token path and the WebSocket frames, which no service looks up by name,
are collected here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from contracts import frames, registry, subjects, tokens
from contracts.base import Contract
from contracts.channel import Fact, Flow, Rpc, Work

Kind = Literal["fact", "job", "request", "reply", "flow", "frame"]
CLIENTS = ("clients",)
"""Whoever speaks the public WebSocket: nobody deploys them for us."""


@dataclass(frozen=True)
class Message:
    """One kind of message: what it is, where it goes, who says it and who reads it."""

    kind: Kind
    name: str
    version: int
    model: type[Contract]
    owner: str
    address: str
    """Its subject with `{parameters}`, or the path of its WebSocket."""
    senders: tuple[str, ...]
    consumers: tuple[str, ...] = ()
    """Readers that miss none."""
    listeners: tuple[str, ...] = ()
    """Readers that hear it live only."""
    stream: str | None = None
    reply: str | None = None
    """The stem of the reply's schema, when this is a request."""

    @property
    def stem(self) -> str:
        """Names its schema and its examples: `inference.message_completed.v1`."""
        return f"{self.name}.v{self.version}"

    @property
    def readers(self) -> tuple[str, ...]:
        return (*self.consumers, *(name for name in self.listeners if name not in self.consumers))


@cache
def messages() -> tuple[Message, ...]:
    """All of them, sorted by stem.

    Raises:
        ValueError: two share a stem.
    """
    found: dict[str, Message] = {}
    for message in (*_facts(), *_jobs(), *_rpcs(), *_flows(), *_frames()):
        if message.stem in found:
            msg = f"{message.stem} is declared twice"
            raise ValueError(msg)
        found[message.stem] = message
    return tuple(found[stem] for stem in sorted(found))


def _facts() -> Iterator[Message]:
    for fact in registry.facts():
        yield _fact(fact)


def _fact(fact: Fact[Any]) -> Message:
    return Message(
        "fact",
        f"{fact.owner}.{fact.name}",
        fact.version,
        fact.model,
        owner=fact.owner,
        address=subjects.template(subjects.fact_filter(fact), "tenant_id", fact.key),
        senders=(fact.owner,),
        consumers=fact.consumers,
        listeners=fact.listeners,
        stream="EVENTS",
    )


def _jobs() -> Iterator[Message]:
    for work in registry.works():
        yield _job(work)


def _job(work: Work[Any]) -> Message:
    return Message(
        "job",
        subjects.job_prefix(work).removesuffix("."),
        work.version,
        work.model,
        owner=work.owner,
        address=subjects.template(subjects.job_filter(work), "tenant_id"),
        senders=(work.owner,),
        consumers=(work.owner,),
        stream=work.stream,
    )


def _rpcs() -> Iterator[Message]:
    for rpc in registry.rpcs():
        yield from _rpc(rpc)


def _rpc(rpc: Rpc[Any, Any]) -> tuple[Message, Message]:
    name, subject = subjects.rpc(rpc), subjects.rpc(rpc)
    reply = Message(
        "reply",
        f"{name}.reply",
        rpc.version,
        rpc.reply,
        owner=rpc.owner,
        address=subject,
        senders=(rpc.owner,),
        consumers=rpc.callers,
    )
    request = Message(
        "request",
        f"{name}.request",
        rpc.version,
        rpc.request,
        owner=rpc.owner,
        address=subject,
        senders=rpc.callers,
        consumers=(rpc.owner,),
        reply=reply.stem,
    )
    return request, reply


def _flows() -> Iterator[Message]:
    for value in vars(tokens).values():
        if isinstance(value, Flow):
            yield Message(
                "flow",
                f"{value.kind}.{value.name}",
                value.version,
                value.model,
                owner=value.owner,
                address=_FLOW_ADDRESSES[value.kind],
                senders=(value.owner,),
                listeners=value.listeners,
                stream="TOKENS" if value.kind == "tok" else None,
            )


_FLOW_ADDRESSES = {
    "raw": "raw.{instance}.{message_id}",
    "rcp": "rcp.{worker}",
    "tok": "tok.{tenant_id}.{conversation_id}.{message_id}",
    "ctl": "ctl.{verb}.{tenant_id}.{message_id}",
}


def _frames() -> Iterator[Message]:
    for model in _members(frames.ClientFrame):
        yield _frame(model, "client", senders=CLIENTS, consumers=("gateway",))
    for model in _members(frames.ServerFrame):
        yield _frame(model, "server", senders=("gateway",), consumers=CLIENTS)


def _frame(model: type[Contract], side: str, *, senders: tuple[str, ...], consumers: tuple[str, ...]) -> Message:
    return Message(
        "frame",
        f"frame.{side}.{model.model_fields['type'].default}",
        1,
        model,
        owner="gateway",
        address=frames.PATH,
        senders=senders,
        consumers=consumers,
    )


def _members(union: Any) -> tuple[type[Contract], ...]:
    """The models of an annotated union."""
    members: tuple[type[Contract], ...] = get_args(get_args(union)[0])
    return members
