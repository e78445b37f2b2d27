"""Builds and parses subjects: the only place that joins tokens with dots. Ids are UUIDs: nothing can be smuggled in."""

from typing import Any, NamedTuple
from uuid import UUID

from contracts.channel import Fact, Rpc, Work
from contracts.ids import ConversationId, MessageId, TenantId


class Tokens(NamedTuple):
    """The parts of a `tok` subject."""

    tenant_id: TenantId
    conversation_id: ConversationId
    message_id: MessageId


def fact(channel: Fact[Any], tenant_id: TenantId, key: UUID) -> str:
    return f"evt.{channel.owner}.{channel.name}.v{channel.version}.{tenant_id}.{key}"


def fact_filter(channel: Fact[Any]) -> str:
    """Every tenant's facts of one kind."""
    return f"evt.{channel.owner}.{channel.name}.v{channel.version}.*.*"


def fact_prefix(channel: Fact[Any]) -> str:
    """What the subject of every fact of one kind begins with."""
    return f"evt.{channel.owner}.{channel.name}.v{channel.version}."


def job(work: Work[Any], tenant_id: TenantId) -> str:
    return f"job.{work.queue}.{tenant_id}"


def job_filter(work: Work[Any]) -> str:
    return f"job.{work.queue}.*"


def job_prefix(work: Work[Any]) -> str:
    """What the subject of every job of one queue begins with."""
    return f"job.{work.queue}."


def rpc(question: Rpc[Any, Any]) -> str:
    return f"rpc.{question.owner}.{question.verb}"


def rpc_filter(owner: str) -> str:
    """Every question to one service."""
    return f"rpc.{owner}.>"


def raw(instance: str, message_id: MessageId) -> str:
    """`instance` is the opener's own id: lower-case hex, made at its start."""
    return f"raw.{instance}.{message_id}"


def raw_batch(instance: str) -> str:
    """Raw messages of several answers to one opener; it cannot be taken for an answer's own, which ends in a UUID."""
    return f"raw.{instance}.batch"


def raw_filter(instance: str) -> str:
    return f"raw.{instance}.*"


def receipts(worker: str) -> str:
    """Where one worker hears what of its batches is out; `worker` is its own id: lower-case hex, made at its start."""
    return f"rcp.{worker}"


def tok(tenant_id: TenantId, conversation_id: ConversationId, message_id: MessageId) -> str:
    return f"tok.{tenant_id}.{conversation_id}.{message_id}"


def control(verb: str, tenant_id: TenantId, key: UUID) -> str:
    return f"ctl.{verb}.{tenant_id}.{key}"


def control_filter(verb: str) -> str:
    return f"ctl.{verb}.*.*"


def rate(key: str, window: int) -> str:
    """`key` is a hash (hex): addresses have dots."""
    return f"rate.{key}.{window}"


def tries(stream: str, consumer: str, sequence: int, stored_ms: int) -> str:
    """One message in its queue: a stream that is made anew begins at sequence 1, so the time belongs to it."""
    return f"try.{stream}.{consumer}.{sequence}-{stored_ms}"


def tries_filter(stream: str, consumer: str) -> str:
    return f"try.{stream}.{consumer}.*"


def dead_letter(stream: str, consumer: str) -> str:
    return f"dlq.{stream}.{consumer}"


def template(pattern: str, *names: str) -> str:
    """A filter with its wildcards named, as documents show it: `job.answer.*` becomes `job.answer.{tenant_id}`."""
    for name in names:
        pattern = pattern.replace("*", "{" + name + "}", 1)
    return pattern


def tenant_of(subject: str) -> TenantId:
    """The tenant that a fact, job or token subject names.

    Raises:
        ValueError: the subject carries none.
    """
    kind, _, rest = subject.partition(".")
    tokens = rest.split(".")
    position = {"evt": 3, "job": 1, "tok": 0, "ctl": 1}.get(kind)
    if position is None or position >= len(tokens):
        msg = f"no tenant in a subject of kind {kind!r}"
        raise ValueError(msg)
    return TenantId(UUID(tokens[position]))


def parse_tok(subject: str) -> Tokens:
    """Raises ValueError when it is not a `tok` subject of three ids."""
    kind, tenant, conversation, message = subject.split(".")
    if kind != "tok":
        msg = "not a tok subject"
        raise ValueError(msg)
    return Tokens(TenantId(UUID(tenant)), ConversationId(UUID(conversation)), MessageId(UUID(message)))
