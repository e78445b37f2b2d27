"""Which answer a stream of tokens belongs to."""

from dataclasses import dataclass

from contracts.ids import ConversationId, MessageId, TenantId


@dataclass(frozen=True, slots=True)
class Answer:
    """One attempt at one message."""

    tenant_id: TenantId
    conversation_id: ConversationId
    message_id: MessageId
    attempt: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What was done to an answer that was not simply let through; how often by kind of match, never the text."""

    answer: Answer
    policy_version: int
    found: dict[str, int]
    is_blocked: bool
