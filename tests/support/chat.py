"""A client of the public WebSocket that keeps to its promises and writes down all it was sent."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin, Subprotocol

Frame = dict[str, Any]
ENDS = ("message.completed", "message.blocked", "message.failed")
COME_LATER = ("unavailable", "rate_limited", "too_many_turns", "deadline_exceeded")
PATIENCE_S = 60.0
PAUSE_S = 0.1


@dataclass
class Answer:
    """One question, and every frame that came for its answer, in the order in which it came.

    Attributes:
        frames: message.started, token and the frame that ended it.
        times: when each of `frames` came, on the monotonic clock; `asked_at`, when the question was asked.
        refused: the error frame that answered the question, when it was not accepted.
    """

    question: Frame
    accepted: Frame | None = None
    refused: Frame | None = None
    frames: list[Frame] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    attempt: int | None = None
    last_seq: int = -1
    asked_at: float = field(default_factory=time.monotonic)

    @property
    def client_message_id(self) -> str:
        return str(self.question["client_message_id"])

    @property
    def ids(self) -> Frame:
        """What message.accepted said."""
        assert self.accepted is not None, self.refused
        return self.accepted

    @property
    def message_id(self) -> str:
        return str(self.ids["message_id"])

    @property
    def conversation_id(self) -> str:
        return str(self.ids["conversation_id"])

    @property
    def tokens(self) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == "token"]

    @property
    def shown(self) -> str:
        """The text on the screen: the tokens of the newest attempt."""
        return "".join(frame["text"] for frame in self.tokens if frame["attempt"] == self.attempt)

    @property
    def end(self) -> Frame | None:
        return next((frame for frame in self.frames if frame["type"] in ENDS), None)

    @property
    def is_over(self) -> bool:
        return self.refused is not None or self.end is not None

    def take(self, frame: Frame) -> None:
        """Write a frame of this answer down. Judging is left to the checker."""
        self.frames.append(frame)
        self.times.append(time.monotonic())
        if frame["type"] == "message.started" and frame["attempt"] != self.attempt:
            self.attempt, self.last_seq = frame["attempt"], -1
        elif frame["type"] == "token" and frame["attempt"] == self.attempt:
            self.last_seq = frame["seq"]

    def resume_point(self) -> Frame:
        point = {"conversation_id": self.conversation_id, "message_id": self.message_id, "after_seq": self.last_seq}
        return point if self.attempt is None else {**point, "attempt": self.attempt}


class Chat:
    """One customer: a socket at a time, and all that was asked over any of them."""

    def __init__(self, url: str, token: str, *, origin: str | None = None) -> None:
        self.url = url
        self.token = token
        self.origin = origin
        self.answers: list[Answer] = []
        self.others: list[Frame] = []
        """Frames that belong to no answer: welcome, error, pong."""
        self.close_code: int | None = None
        self.close_codes: list[int] = []
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # ---- the socket -------------------------------------------------------------------------------------------

    async def open(self, url: str | None = None) -> Self:
        """Connect, say hello, and ask for what is missing of every answer that is not over."""
        await self.connect(url)
        points = [answer.resume_point() for answer in self.answers if answer.accepted and not answer.is_over]
        await self.send({"type": "hello", "token": self.token, "resume": points})
        await self.wait_for(lambda: self.of_type("welcome") or self.close_code is not None)
        return self

    async def connect(self, url: str | None = None) -> Self:
        """Connect and say nothing."""
        await self.close()
        self.url = url or self.url
        self.close_code = None
        self.others = []
        self._socket = await connect(
            "ws" + self.url.removeprefix("http") + "/api/chat",
            subprotocols=[Subprotocol("lumora.v1")],
            origin=Origin(self.origin) if self.origin else None,
            compression=None,
            max_size=None,
            proxy=None,
        )
        self._reading = asyncio.create_task(self._read(self._socket))
        return self

    async def close(self) -> None:
        """Leave without a word about the answers; they go on."""
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)
        self._socket = self._reading = None

    async def send(self, frame: Frame | str | bytes) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def send_as_text(self, data: bytes) -> None:
        """A text frame of whatever bytes."""
        assert self._socket is not None
        await self._socket.send(data, text=True)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                self._take(json.loads(text))
                self._tell()
        except ConnectionClosed:
            pass
        finally:
            self.close_code = socket.close_code or 1006
            self.close_codes.append(self.close_code)
            self._tell()

    def _take(self, frame: Frame) -> None:
        for answer in self.answers:
            if self._belongs(frame, answer):
                self._note(frame, answer)
                return
        self.others.append(frame)

    @staticmethod
    def _belongs(frame: Frame, answer: Answer) -> bool:
        if frame["type"] == "message.accepted":
            return bool(frame["client_message_id"] == answer.client_message_id)
        if frame["type"] == "error":
            is_reply = frame.get("in_reply_to") == answer.client_message_id
            return is_reply and answer.accepted is None and answer.refused is None
        return answer.accepted is not None and frame.get("message_id") == answer.message_id

    @staticmethod
    def _note(frame: Frame, answer: Answer) -> None:
        if frame["type"] == "message.accepted":
            answer.accepted = frame
        elif frame["type"] == "error":
            answer.refused = frame
        else:
            answer.take(frame)

    # ---- asking -----------------------------------------------------------------------------------------------

    async def ask(self, content: str = "Hello?", *, model: str | None = None, **fields: Any) -> Answer:
        """Send a question without looking into documents; returns at once. `fields` are those of message.send."""
        options = {"use_knowledge": False, **({"model": model} if model else {}), **fields.pop("options", {})}
        question = {"client_message_id": str(uuid4()), "content": content, "options": options, **fields}
        answer = Answer({"type": "message.send", **question})
        self.answers.append(answer)
        # On a socket that is gone already `follow` asks it again on the next one.
        with contextlib.suppress(ConnectionClosed):
            await self.send(answer.question)
        return answer

    async def answered(self, content: str = "Hello?", *, timeout_s: float = 25, **fields: Any) -> Answer:
        """Ask and wait for the end."""
        return await self.ended(await self.ask(content, **fields), timeout_s=timeout_s)

    async def told(self, answer: Answer, *, timeout_s: float = 10) -> Answer:
        """Wait until it was accepted or refused."""
        await self.wait_for(lambda: answer.accepted or answer.refused, timeout_s=timeout_s)
        return answer

    async def accepted(self, answer: Answer) -> Answer:
        await self.told(answer)
        assert answer.accepted is not None, answer.refused
        return answer

    async def ended(self, answer: Answer, *, timeout_s: float = 25) -> Answer:
        """Wait on this socket alone."""
        await self.wait_for(lambda: answer.is_over, timeout_s=timeout_s)
        return answer

    async def reached(self, answer: Answer, seq: int, *, timeout_s: float = 25) -> Answer:
        """Wait until a token was shown, of whatever attempt."""
        await self.wait_for(lambda: answer.last_seq >= seq or answer.is_over, timeout_s=timeout_s)
        assert answer.last_seq >= seq, f"it ended before: {answer.end}"
        return answer

    async def stop(self, answer: Answer) -> None:
        await self.send({"type": "message.stop", "message_id": answer.message_id})

    async def follow(self, *urls: str, timeout_s: float = PATIENCE_S) -> None:
        """Until every question has its end, connecting again wherever a gateway answers, and asking again what was
        never accepted.

        Raises:
            AssertionError: not within the time.
        """
        places = urls or (self.url,)
        deadline, tries = time.monotonic() + timeout_s, 0
        while not all(answer.is_over for answer in self.answers):
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"no end: {[answer.question for answer in self.answers if not answer.is_over][:3]}"
            if self.close_code is not None or self._socket is None:
                tries += 1
                await self._again(places[tries % len(places)])
                continue
            with contextlib.suppress(AssertionError):
                await self.wait_for(self._is_done_or_cut, timeout_s=left_s)

    async def insist(self, content: str, *urls: str, timeout_s: float = PATIENCE_S, **fields: Any) -> Answer:
        """Ask until there is an end, as a patient program does: over new sockets, and again when told to come later."""
        answer = await self.ask(content, **fields)
        deadline = time.monotonic() + timeout_s
        while True:
            await self.follow(*urls, timeout_s=max(0.1, deadline - time.monotonic()))
            if answer.refused is None or answer.refused["code"] not in COME_LATER:
                return answer
            # It may have been accepted all the same: the answer to that was what got lost.
            answer.refused = None
            await asyncio.sleep(PAUSE_S)
            with contextlib.suppress(ConnectionClosed):
                await self.send(answer.question)

    def _is_done_or_cut(self) -> bool:
        return self.close_code is not None or all(answer.is_over for answer in self.answers)

    async def _again(self, url: str) -> None:
        try:
            await self.open(url)
            for answer in self.answers:
                if answer.accepted is None and not answer.is_over:
                    await self.send(answer.question)
        except (OSError, ConnectionClosed, InvalidHandshake, AssertionError, TimeoutError):
            self.close_code = self.close_code or 1006
            await asyncio.sleep(PAUSE_S)

    # ---- waiting ----------------------------------------------------------------------------------------------

    def of_type(self, kind: str) -> list[Frame]:
        """The frames of this kind on the present socket that belong to no answer."""
        return [frame for frame in self.others if frame["type"] == kind]

    async def closed(self, *, timeout_s: float = 10) -> int:
        """Wait for the close; returns its code."""
        await self.wait_for(lambda: self.close_code is not None, timeout_s=timeout_s)
        assert self.close_code is not None
        return self.close_code

    async def error(self, *, timeout_s: float = 10) -> Frame:
        """The newest error frame; waits for the first."""
        await self.wait_for(lambda: self.of_type("error"), timeout_s=timeout_s)
        return self.of_type("error")[-1]

    async def wait_for(self, check: Callable[[], Any], *, timeout_s: float = 10) -> None:
        """Wait until `check()` is true.

        Raises:
            AssertionError: it never was.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not check():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"not within {timeout_s} s; closed {self.close_code}, {self.others[-3:]}") from None

    def _tell(self) -> None:
        self._news.set()
