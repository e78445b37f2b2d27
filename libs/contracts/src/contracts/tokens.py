"""The token path: what a worker sends to the filter, and what the filter publishes for everyone.

Raw messages of all of a worker's answers at one filter replica travel together, as a `RawBatch` on
`raw.<instance>.batch`; its reply is `rcp.<worker>`, where a `Receipt` tells what batches released, once the broker
has those frames. A raw message alone, on `raw.<instance>.<message>`, gets no reply: workers that speak so hear
`tok` instead.

Filtered frames go on `tok.<tenant>.<conversation>.<message>`. The filtered bytes are the WebSocket frames themselves,
so that the gateway hands them on without encoding anything. The models here are the contract and what the schemas are
generated from; the hot path builds and reads the same bytes by hand.
"""

from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Contract, Personal
from contracts.channel import Flow
from contracts.frames import MessageStarted, Token
from contracts.ids import MessageId
from contracts.inference import FinishReason, Source, StopAsked, Turn


class RawStart(Contract):
    """First on every opened stream."""

    type: Literal["start"] = "start"
    message_id: MessageId | None = None
    """Given in a batch; alone, the subject says it."""
    attempt: int
    model: str
    sources: tuple[Source, ...]


class RawTokens(Contract):
    """Pieces as the model gave them; `first` is the index of the first one in the attempt."""

    type: Literal["tokens"] = "tokens"
    message_id: MessageId | None = None
    attempt: int
    first: int
    texts: Personal[tuple[str, ...]]


class RawEnd(Contract):
    """Last of an attempt; `count` is the number of pieces it had."""

    type: Literal["end"] = "end"
    message_id: MessageId | None = None
    attempt: int
    count: int
    finish_reason: FinishReason


class RawBatch(Contract):
    """Raw messages of several answers, each in its own order."""

    type: Literal["batch"] = "batch"
    parts: tuple[Annotated[RawStart | RawTokens | RawEnd, Field(discriminator="type")], ...]


class StreamEnd(Contract):
    """Last on `tok`: all is out. Not sent to clients, who wait for the stored answer."""

    type: Literal["end"] = "end"
    message_id: MessageId
    attempt: int
    last_seq: Annotated[int, Field(ge=-1)]
    finish_reason: FinishReason
    categories: tuple[str, ...] = ()


class Receipt(Contract):
    """What batches released is out: an answer's tokens in one frame each, and its end."""

    frames: tuple[Annotated[Token | StreamEnd, Field(discriminator="type")], ...]


_JUDGE, _FOLLOWERS = ("filter",), ("gateway", "inference")
RAW_START = Flow("raw", "start", RawStart, owner="inference", listeners=_JUDGE)
RAW_TOKENS = Flow("raw", "tokens", RawTokens, owner="inference", listeners=_JUDGE)
RAW_END = Flow("raw", "end", RawEnd, owner="inference", listeners=_JUDGE)
RAW_BATCH = Flow("raw", "batch", RawBatch, owner="inference", listeners=_JUDGE)
RECEIPT = Flow("rcp", "receipt", Receipt, owner="filter", listeners=("inference",))
TOK_STARTED = Flow("tok", "started", MessageStarted, owner="filter", listeners=_FOLLOWERS)
TOK_TOKEN = Flow("tok", "token", Token, owner="filter", listeners=_FOLLOWERS)
TOK_END = Flow("tok", "end", StreamEnd, owner="filter", listeners=_FOLLOWERS)
STOP_HINT = Flow("ctl", "stop", StopAsked, owner="inference", listeners=("inference",))
ENDED_HINT = Flow("ctl", "ended", Turn, owner="inference", listeners=("gateway",))
"""The answer as it was stored, after its commit: whoever follows it need not ask. Who hears only the fact asks."""
