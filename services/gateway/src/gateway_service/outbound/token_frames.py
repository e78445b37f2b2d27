"""Reads just enough of a frame on `tok` to order it: the bytes themselves go to the client untouched."""

import re

import orjson

from contracts.frames import MessageStarted
from contracts.inference import Turn
from gateway_service.domain.resume import Frame, Over, Progress, Started, TokenRange

_TOKEN = re.compile(
    rb'\{"type":"token","message_id":"[0-9a-f-]{36}","attempt":(\d+)(?:,"from_seq":(\d+))?,"seq":(\d+),"text":"'
)
_TAIL = len(b'"}')


def read_frame(data: bytes) -> Frame:
    """Order of a frame; the filter writes a token frame's keys in fixed order, so its head is enough.

    Raises:
        ValueError: it is no frame of the token path.
    """
    head = _TOKEN.match(data)
    if head is not None:
        attempt, first, last = head.groups()
        return TokenRange(int(attempt), int(first or last), int(last), len(data) - head.end() - _TAIL)
    frame = orjson.loads(data)
    try:
        if frame["type"] == "message.started":
            return Started(frame["attempt"])
        if frame["type"] == "end":
            return Over(frame["attempt"], frame["last_seq"])
        size = len(_written(frame["text"]))
        return TokenRange(frame["attempt"], frame.get("from_seq", frame["seq"]), frame["seq"], size)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a frame of the token path") from error


def merge(frames: list[bytes]) -> bytes:
    """One token frame for several that follow each other in one attempt: texts joined, `from_seq` of the first."""
    first, last = orjson.loads(frames[0]), orjson.loads(frames[-1])
    text = "".join(orjson.loads(frame)["text"] for frame in frames)
    return orjson.dumps(
        {
            "type": "token",
            "message_id": first["message_id"],
            "attempt": first["attempt"],
            "from_seq": first.get("from_seq", first["seq"]),
            "seq": last["seq"],
            "text": text,
        }
    )


def rest_of(turn: Turn, progress: Progress) -> list[bytes]:
    """The frames between what a client has and the stored answer, made of that; none when it cannot be told.

    Each character is written alike wherever it stands, so the bytes that were sent say where the text goes on.
    """
    frames: list[bytes] = []
    seq, size = progress.next_seq, progress.size
    if progress.attempt != turn.attempt:
        started = MessageStarted(
            conversation_id=turn.conversation_id,
            message_id=turn.message_id,
            attempt=turn.attempt,
            model=turn.model or "",
            sources=turn.sources,
        )
        frames.append(started.dump())
        seq = size = 0
    content = _written(turn.content)
    if size is not None and size < len(content):
        text = orjson.loads(b'"%b"' % content[size:])
        # No token is empty, so the true ones end here or before: whoever resumes behind this frame gets none of them.
        span = {"from_seq": seq, "seq": seq + len(text) - 1}
        head = {"type": "token", "message_id": turn.message_id, "attempt": turn.attempt}
        frames.append(orjson.dumps({**head, **span, "text": text}))
    return frames


def _written(text: str) -> bytes:
    """As the filter writes it into a frame, without the quotes."""
    return orjson.dumps(text)[1:-1]
