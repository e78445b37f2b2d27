"""The token path: what a worker sends to the filter, and what the filter publishes for everyone.

Raw pieces go on `raw.<instance>.<message>`, filtered frames on `tok.<tenant>.<conversation>.<message>`. The filtered
bytes are the WebSocket frames themselves, so that the gateway hands them on without encoding anything. The models here
are the contract and what the schemas are generated from; the hot path builds and reads the same bytes by hand.
"""

from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Contract, Personal
from contracts.channel import Flow
from contracts.frames import MessageStarted, Token
from contracts.ids import MessageId
from contracts.inference import FinishReason, Source, StopAsked


class RawStart(Contract):
    """First on every opened stream."""

    type: Literal["start"] = "start"
    attempt: int
    model: str
    sources: tuple[Source, ...]


class RawTokens(Contract):
    """Pieces as the model gave them; `first` is the index of the first one in the attempt."""

    type: Literal["tokens"] = "tokens"
    attempt: int
    first: int
    texts: Personal[tuple[str, ...]]


class RawEnd(Contract):
    """Last of an attempt; `count` is the number of pieces it had."""

    type: Literal["end"] = "end"
    attempt: int
    count: int
    finish_reason: FinishReason


class StreamEnd(Contract):
    """Last on `tok`: the worker's receipt that all is out. Not sent to clients, who wait for the stored answer."""

    type: Literal["end"] = "end"
    message_id: MessageId
    attempt: int
    last_seq: Annotated[int, Field(ge=-1)]
    finish_reason: FinishReason
    categories: tuple[str, ...] = ()


_JUDGE, _FOLLOWERS = ("filter",), ("gateway", "inference")
RAW_START = Flow("raw", "start", RawStart, owner="inference", listeners=_JUDGE)
RAW_TOKENS = Flow("raw", "tokens", RawTokens, owner="inference", listeners=_JUDGE)
RAW_END = Flow("raw", "end", RawEnd, owner="inference", listeners=_JUDGE)
TOK_STARTED = Flow("tok", "started", MessageStarted, owner="filter", listeners=_FOLLOWERS)
TOK_TOKEN = Flow("tok", "token", Token, owner="filter", listeners=_FOLLOWERS)
TOK_END = Flow("tok", "end", StreamEnd, owner="filter", listeners=_FOLLOWERS)
STOP_HINT = Flow("ctl", "stop", StopAsked, owner="inference", listeners=("inference",))
