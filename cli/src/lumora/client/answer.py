"""What a client knows of one answer while it streams in; pure, so that every order of frames can be tried."""

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["nothing", "text", "restart", "end"]


@dataclass(frozen=True)
class Change:
    """What a frame means for the screen: text to add, everything shown so far to drop, or the end."""

    kind: Kind
    text: str = ""


NOTHING = Change("nothing")


class TokensMissed(Exception):
    """A token came that does not follow the last one: the connection has to be taken up again from there."""


@dataclass
class Answer:
    """The state of one question from sending it to its end."""

    client_message_id: str
    conversation_id: str | None = None
    message_id: str | None = None
    attempt: int | None = None
    last_seq: int = -1
    text: str = ""
    model: str = ""
    sources: list[dict[str, Any]] = field(default_factory=list)
    #: The frame that ended it: message.completed, .blocked or .failed.
    end: dict[str, Any] | None = None

    def resume_point(self) -> dict[str, Any] | None:
        """The entry of `hello.resume` that asks for what is missing; None before the question was accepted."""
        if self.message_id is None:
            return None
        point = {"conversation_id": self.conversation_id, "message_id": self.message_id, "after_seq": self.last_seq}
        return point if self.attempt is None else {**point, "attempt": self.attempt}

    def take(self, frame: dict[str, Any]) -> Change:
        """Apply a frame of the server.

        Raises:
            TokensMissed: a token is missing before this one.
        """
        kind = frame.get("type")
        if kind == "message.accepted" and frame.get("client_message_id") == self.client_message_id:
            self.conversation_id, self.message_id = frame["conversation_id"], frame["message_id"]
            return NOTHING
        if self.message_id is None or frame.get("message_id") != self.message_id or self.end is not None:
            return NOTHING
        steps = {
            "message.started": self._started,
            "token": self._token,
            "message.completed": self._completed,
            "message.blocked": self._blocked,
            "message.failed": self._failed,
        }
        step = steps.get(str(kind))
        return step(frame) if step is not None else NOTHING

    def _started(self, frame: dict[str, Any]) -> Change:
        if self.attempt is not None and frame["attempt"] < self.attempt:
            return NOTHING
        self.model, self.sources = frame.get("model", ""), list(frame.get("sources", ()))
        return self._move_to(frame["attempt"])

    def _move_to(self, attempt: int) -> Change:
        if attempt == self.attempt:
            return NOTHING
        had_text = bool(self.text)
        self.attempt, self.last_seq, self.text = attempt, -1, ""
        return Change("restart") if had_text else NOTHING

    def _token(self, frame: dict[str, Any]) -> Change:
        attempt, seq = frame["attempt"], frame["seq"]
        if self.attempt is not None and attempt < self.attempt:
            return NOTHING
        if attempt != self.attempt:
            # Its message.started is missing, so the text to drop is not known to be dropped: ask again.
            raise TokensMissed(f"attempt {attempt} without its start")
        if seq <= self.last_seq:
            return NOTHING
        if frame.get("from_seq", seq) != self.last_seq + 1:
            raise TokensMissed(f"token {seq} after {self.last_seq}")
        self.last_seq = seq
        self.text += frame["text"]
        return Change("text", frame["text"])

    def _blocked(self, frame: dict[str, Any]) -> Change:
        self.end, self.text = frame, frame.get("text", "")
        return Change("end", self.text)

    def _failed(self, frame: dict[str, Any]) -> Change:
        self.end = frame
        return Change("end")

    def _completed(self, frame: dict[str, Any]) -> Change:
        shown, content = self.text, frame["content"]
        self.end, self.text = frame, content
        self.sources = list(frame.get("sources", self.sources))
        if not content.startswith(shown):
            return Change("restart", content)
        return Change("end", content[len(shown) :])
