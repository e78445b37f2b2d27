from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from contracts import subjects
from contracts.ids import ConversationId, MessageId, TenantId, uuid7
from filter_service.domain.answer import Answer
from filter_service.domain.token_stream import Release
from filter_service.outbound.nats_screens import CONFIRM_BYTES, FRAME_BYTES, NatsScreens
from runtime.errors import Unavailable

ANSWER = Answer(TenantId(uuid7()), ConversationId(uuid7()), MessageId(uuid7()), 2)
OTHER = Answer(TenantId(uuid7()), ConversationId(uuid7()), MessageId(uuid7()), 1)


class Published:
    """What a connection was given, in order."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Any]] = []
        self.is_away = False
        self.stats = {"reconnects": 0}
        self.settled = 0
        bus = SimpleNamespace(nc=self, settle=self.settle)
        self.screens = NatsScreens(bus)  # type: ignore[arg-type] # as far as screens look at a bus

    async def publish(self, subject: str, body: bytes) -> None:
        if self.is_away:
            raise OSError
        self.messages.append((subject, orjson.loads(body)))

    async def settle(self) -> None:
        if self.is_away:
            raise Unavailable
        self.settled = len(self.messages)


def subject_of(answer: Answer) -> str:
    return subjects.tok(answer.tenant_id, answer.conversation_id, answer.message_id)


async def test_the_receipt_is_said_last_and_tells_what_was_published() -> None:
    published = Published()
    one, other = published.screens.of(ANSWER), published.screens.of(OTHER)
    one.started("ollama/x", [])
    one.released(Release(0, 1, "Yes,"))
    other.released(Release(7, 7, "Hello"))
    one.ended(1, "stop", ())
    assert published.messages == []
    await published.screens.show("rcp.abc")
    assert len(published.messages) == 4
    await published.screens.confirm()
    assert published.settled == 4
    said = [(subject, body["type"]) for subject, body in published.messages[:-1]]
    assert said == [
        (subject_of(ANSWER), "message.started"),
        (subject_of(ANSWER), "token"),
        (subject_of(OTHER), "token"),
        (subject_of(ANSWER), "end"),
    ]
    receipt = [published.messages[place][1] for place in (1, 3, 2)]
    assert published.messages[-1] == ("rcp.abc", {"frames": receipt})


async def test_a_replay_is_shown_token_by_token_and_confirmed_in_one_frame() -> None:
    published = Published()
    screen = published.screens.of(ANSWER)
    for seq in range(3):
        screen.released(Release(seq, seq, f"{seq} "))
    await published.screens.show("rcp.abc")
    await published.screens.confirm()
    assert [body.get("seq") for _, body in published.messages] == [0, 1, 2, None]
    (token,) = published.messages[-1][1]["frames"]
    assert (token["from_seq"], token["seq"], token["text"], token["attempt"]) == (0, 2, "0 1 2 ", 2)


async def test_nothing_is_said_twice_and_nobody_is_told_who_did_not_ask() -> None:
    published = Published()
    screen = published.screens.of(ANSWER)
    screen.released(Release(0, 0, "Yes"))
    await published.screens.show("")
    screen.released(Release(1, 1, ","))
    await published.screens.show("rcp.abc")
    for _ in range(2):
        await published.screens.confirm()
    assert [subject for subject, _ in published.messages] == [subject_of(ANSWER)] * 2 + ["rcp.abc"]
    assert published.messages[-1][1]["frames"] == [published.messages[1][1]]


async def test_what_could_not_be_published_is_not_confirmed() -> None:
    published = Published()
    published.screens.of(ANSWER).released(Release(0, 0, "Yes"))
    published.is_away = True
    with pytest.raises(OSError):  # noqa: PT011 - which one does not matter
        await published.screens.show("rcp.abc")
    published.is_away = False
    await published.screens.show("rcp.abc")
    await published.screens.confirm()
    assert published.messages == []


async def test_a_frame_that_the_broker_would_refuse_costs_no_other_answer() -> None:
    published = Published()
    published.screens.of(OTHER).released(Release(0, 0, "Hello"))
    with pytest.raises(ValueError, match="too large"):
        published.screens.of(ANSWER).released(Release(0, 0, "x" * FRAME_BYTES))
    await published.screens.show("rcp.abc")
    await published.screens.confirm()
    assert [body["frames"][0]["text"] for subject, body in published.messages if subject == "rcp.abc"] == ["Hello"]


async def test_tokens_of_several_batches_are_confirmed_together() -> None:
    published = Published()
    screen = published.screens.of(ANSWER)
    for seq in range(3):
        screen.released(Release(seq, seq, f"{seq} "))
        await published.screens.show("rcp.abc")
    await published.screens.confirm()
    ((subject, receipt),) = published.messages[3:]
    (token,) = receipt["frames"]
    assert (subject, token["from_seq"], token["seq"], token["text"]) == ("rcp.abc", 0, 2, "0 1 2 ")


async def test_each_worker_is_told_of_its_own_answers() -> None:
    published = Published()
    for answer, worker in ((ANSWER, "rcp.abc"), (OTHER, "rcp.def")):
        published.screens.of(answer).released(Release(0, 0, "Yes"))
        await published.screens.show(worker)
    await published.screens.confirm()
    told = {subject: [frame["message_id"] for frame in body["frames"]] for subject, body in published.messages[2:]}
    assert told == {"rcp.abc": [str(ANSWER.message_id)], "rcp.def": [str(OTHER.message_id)]}


async def test_much_that_is_owed_is_said_before_it_outgrows_a_message() -> None:
    published = Published()
    published.screens.of(ANSWER).released(Release(0, 0, "x" * CONFIRM_BYTES))
    await published.screens.show("rcp.abc")
    assert published.screens.is_due


@pytest.mark.parametrize("when", ["before more is shown", "while the broker is asked", "while nothing is shown"])
async def test_what_a_lost_connection_took_is_never_confirmed(when: str) -> None:
    published = Published()
    screen = published.screens.of(ANSWER)
    screen.released(Release(0, 0, "Yes"))
    await published.screens.show("rcp.abc")
    if when == "while the broker is asked":
        published.is_away = True
    else:
        published.stats["reconnects"] += 1
    if when == "before more is shown":
        screen.released(Release(1, 1, ","))
        await published.screens.show("rcp.abc")
    await published.screens.confirm()
    assert not [subject for subject, _ in published.messages if subject == "rcp.abc"]
