"""Questions that are heard: so many at a time, none lost, and an end that waits for the answers."""

import asyncio
from types import SimpleNamespace
from typing import Any

from runtime.questions import AT_A_TIME, Answering


class Connection:
    """What `Answering` needs of a connection: it keeps the hearer and what is published."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []

    async def subscribe(self, subject: str, queue: str, **_limits: Any) -> Any:
        self.asked = (subject, queue)

        async def unsubscribe() -> None:
            self.asked = ("", "")

        self.subscription = SimpleNamespace(_pending_queue=asyncio.Queue(), unsubscribe=unsubscribe)
        return self.subscription

    async def publish(self, subject: str, body: bytes, headers: dict[str, str] | None) -> None:
        assert headers is None
        self.said.append((subject, body))

    def ask(self, number: int) -> None:
        message = SimpleNamespace(headers=None, data=b"%d" % number, reply=f"inbox.{number}")
        self.subscription._pending_queue.put_nowait(message)


async def test_so_many_are_answered_at_a_time_and_the_rest_in_order() -> None:
    connection, release, begun = Connection(), asyncio.Event(), list[int]()

    async def respond(message: Any) -> tuple[bytes, None]:
        begun.append(int(message.data))
        await release.wait()
        return message.data, None

    answering = Answering("rpc.filter.open", "filter", respond)
    await answering.start(connection)  # type: ignore[arg-type] # what it needs of one
    assert connection.asked == ("rpc.filter.open", "filter")
    for number in range(AT_A_TIME + 5):
        connection.ask(number)
    await asyncio.sleep(0)
    assert begun == list(range(AT_A_TIME))
    stopping = asyncio.create_task(answering.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    release.set()
    await stopping
    assert connection.asked == ("", "")
    assert connection.said == [(f"inbox.{number}", b"%d" % number) for number in range(AT_A_TIME + 5)]
