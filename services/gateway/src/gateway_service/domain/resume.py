"""One answer as one client sees it: frames in order, once, without gap, whatever comes twice, late or from elsewhere.

Frames come live, from history and from replays by another filter replica, in any mixture. `Progress.take` says what to
do with each: send it, drop it, or first read the history again because something is missing.
"""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What to do with a frame."""

    SEND = "send"
    DROP = "drop"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Started:
    """`message.started`: an attempt begins."""

    attempt: int


@dataclass(frozen=True, slots=True)
class TokenRange:
    """A `token` frame: output tokens `first` to `last` of an attempt; `size` of their text is in bytes of JSON."""

    attempt: int
    first: int
    last: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class Over:
    """The attempt's tokens are all out; `last` is the last one, -1 for none."""

    attempt: int
    last: int


Frame = Started | TokenRange | Over


class Progress:
    """How far a client is: the attempt it sees, and the next token it needs.

    `attempt` 0 means that it has seen none. A client that names no attempt, or an older one, gets the current attempt
    from its start.
    """

    __slots__ = ("_measured", "_size", "attempt", "is_over", "next_seq")

    def __init__(self, attempt: int | None = None, after_seq: int = -1) -> None:
        self.attempt = attempt if attempt is not None and after_seq >= 0 else 0
        self.next_seq = after_seq + 1 if self.attempt else 0
        self.is_over = False
        self._measured = self._size = 0

    @property
    def size(self) -> int | None:
        """Of the text that the client has, in bytes of JSON; None when not all of it came by here."""
        return self._size if self._measured == self.next_seq else None

    def take(self, frame: Frame) -> Verdict:
        """Judge a frame, and count it as sent when the verdict is SEND.

        A frame that overlaps with what was sent is dropped whole: its text cannot be cut. That loses nothing, because a
        replica that replays sends each token alone.
        """
        if frame.attempt < self.attempt:
            return Verdict.DROP
        if frame.attempt > self.attempt:
            return self._begin(frame)
        if isinstance(frame, TokenRange):
            return self._go_on(frame)
        return self._end(frame) if isinstance(frame, Over) else Verdict.DROP

    def _go_on(self, frame: TokenRange) -> Verdict:
        if frame.first == self._measured:
            self._measured, self._size = frame.last + 1, self._size + frame.size
        if frame.first != self.next_seq:
            return Verdict.GAP if frame.first > self.next_seq else Verdict.DROP
        self.next_seq = frame.last + 1
        return Verdict.SEND

    def _begin(self, frame: Frame) -> Verdict:
        """A higher attempt starts with its `message.started`; anything else of it says that we missed that."""
        if not isinstance(frame, Started):
            return Verdict.GAP
        self.attempt, self.next_seq, self.is_over = frame.attempt, 0, False
        self._measured = self._size = 0
        return Verdict.SEND

    def _end(self, frame: Over) -> Verdict:
        """The end is for us alone: clients wait for the stored answer."""
        if frame.last >= self.next_seq:
            return Verdict.GAP
        self.is_over = True
        return Verdict.DROP
