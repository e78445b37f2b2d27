"""One answer on its way through: raw pieces in, numbered output tokens out.

Raw piece i yields no output token or one: the text it released; the end may yield one more. So the numbers depend on
the policy and the raw pieces alone, never on time or on how pieces shared a message, and a replica that starts over
from piece 0 counts the same and can leave out what was seen.
"""

from collections.abc import Sequence
from typing import NamedTuple

from filter_service.domain.judge import Bench, Judge


class Release(NamedTuple):
    """Output tokens `from_seq` to `seq`, their texts joined."""

    from_seq: int
    seq: int
    text: str


class TokenStream:
    """Judges and numbers one attempt.

    Args:
        bench: the policy of the business.
        seen_seq: the last output token that is out already; -1 for none.

    Attributes:
        last_seq: the number of the last output token, -1 before the first.
        is_over: ended or blocked: nothing more comes.
    """

    __slots__ = ("_judge", "_next", "_seen_seq", "is_over", "last_seq")

    def __init__(self, bench: Bench, *, seen_seq: int = -1) -> None:
        self._judge = Judge(bench)
        self._seen_seq = seen_seq
        self._next = 0
        self.last_seq = -1
        self.is_over = False

    @property
    def is_unseen(self) -> bool:
        """Nobody has seen a token of this attempt yet."""
        return self._seen_seq < 0

    @property
    def blocked(self) -> tuple[str, ...]:
        """The kinds of what ended the stream; empty while nothing did."""
        return self._judge.blocked

    @property
    def found(self) -> dict[str, int]:
        """How many matches of each kind were redacted or blocked so far."""
        return dict(self._judge.found)

    def take(self, first: int, texts: Sequence[str]) -> Release | None:
        """Judge raw pieces; None when nothing new may be shown.

        Pieces that were judged already are left out. When pieces are missing before `first` all are left out: whoever
        sends them hears no receipt and starts over.
        """
        known = self._next - first
        if known < 0 or self.is_over:
            return None
        released: list[str] = []
        for piece in texts[known:] if known else texts:
            self._number(self._judge.feed(piece), released)
            self._next += 1
            if self._judge.blocked:
                self.is_over = True
                break
        return self._release(released)

    def end(self, count: int) -> Release | None:
        """The attempt had `count` pieces: judge what waits. Left out while pieces are missing."""
        if count != self._next or self.is_over:
            return None
        released: list[str] = []
        self._number(self._judge.close(), released)
        self.is_over = True
        return self._release(released)

    def _number(self, text: str, released: list[str]) -> None:
        if text:
            self.last_seq += 1
            if self.last_seq > self._seen_seq:
                released.append(text)

    def _release(self, released: list[str]) -> Release | None:
        if not released:
            return None
        return Release(self.last_seq - len(released) + 1, self.last_seq, "".join(released))
