"""Reads just enough of a frame on `tok` to order it: the bytes themselves go to the client untouched."""

import re

import orjson

from gateway_service.domain.resume import Frame, Over, Started, TokenRange

_TOKEN = re.compile(
    rb'\{"type":"token","message_id":"[0-9a-f-]{36}","attempt":(\d+)(?:,"from_seq":(\d+))?,"seq":(\d+),"text":'
)


def read_frame(data: bytes) -> Frame:
    """Order of a frame; the filter writes a token frame's keys in fixed order, so its head is enough.

    Raises:
        ValueError: it is no frame of the token path.
    """
    head = _TOKEN.match(data)
    if head is not None:
        attempt, first, last = head.groups()
        return TokenRange(int(attempt), int(first or last), int(last))
    frame = orjson.loads(data)
    try:
        if frame["type"] == "message.started":
            return Started(frame["attempt"])
        if frame["type"] == "end":
            return Over(frame["attempt"], frame["last_seq"])
        return TokenRange(frame["attempt"], frame.get("from_seq", frame["seq"]), frame["seq"])
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
