import json

import pytest

from contracts.frames import MessageSend
from contracts.ids import uuid7
from gateway_service.inbound.ws import BadFrame, _read

ID = str(uuid7())


def send(content: str) -> str:
    return json.dumps({"type": "message.send", "client_message_id": ID, "content": content})


def test_a_good_frame_is_read():
    frame = _read(send("Hello \\u0000 is six letters here"))
    assert isinstance(frame, MessageSend)
    assert frame.content == "Hello \\u0000 is six letters here"


@pytest.mark.parametrize(
    ("text", "code", "reply"),
    [
        ("{", "invalid_json", None),
        ("[]", "invalid_json", None),
        ('{"type":"unheard.of","nonce":"7"}', "unknown_type", "7"),
        (send(""), "invalid_request", ID),
        (send("a\0b"), "invalid_request", ID),
    ],
)
def test_a_bad_frame_is_answered_with_what_it_names(text, code, reply):
    with pytest.raises(BadFrame) as bad:
        _read(text)
    assert (bad.value.frame.code, bad.value.frame.in_reply_to) == (code, reply)
