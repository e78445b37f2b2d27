"""What people say of a conversation among themselves is kept from whoever stands on the customer's side."""

from typing import Final

from contracts.inference import Conversation
from gateway_service.domain.principal import Principal

OWN_REASONS: Final = frozenset({"unsupported", "customer_asked", "handed_back", "resolved", "customer_wrote"})
"""Lumora's own words; any other reason is somebody's, written for colleagues."""


def told_to(principal: Principal, conversation: Conversation) -> Conversation:
    """The conversation as this principal may know it."""
    return conversation if principal.kind == "user" else told_outside(conversation)


def told_outside(conversation: Conversation) -> Conversation:
    """The conversation as a program or a customer may know it: who has it, and why, stays inside."""
    reason = conversation.reason if conversation.reason in OWN_REASONS else ""
    return conversation.model_copy(update={"reason": reason, "assignee": None})
