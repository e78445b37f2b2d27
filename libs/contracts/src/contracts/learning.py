"""What the learning service answers: figures read from the events it has consumed."""

from contracts.base import Reply, Request
from contracts.channel import Rpc


class GetStats(Request):
    """The business's figures so far."""


class Stats(Reply):
    """Each event is counted once, whatever the broker delivers twice."""

    conversations: int
    turns_accepted: int
    messages_completed: int
    messages_failed: int
    messages_blocked: int
    prompt_tokens: int
    completion_tokens: int


GET_STATS = Rpc("learning", "get_stats", GetStats, Stats, callers=("gateway",))
