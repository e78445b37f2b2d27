"""The answers that this replica judges right now.

What cannot be followed (a gap, a stall of this process, a lost connection) is given up without a word: the worker
hears no receipt, opens a stream at another replica and replays, and the numbers of the tokens come out the same.
"""

from collections.abc import Sequence
from typing import Any

from filter_service.domain.answer import Answer, Decision
from filter_service.domain.judge import Bench
from filter_service.domain.ports import Decisions, Observer, Screen, Screens
from filter_service.domain.token_stream import Release, TokenStream
from runtime.clock import Clock
from runtime.errors import Conflict

IDLE_S = 120.0
# A stream that was fed this recently is worth waiting for when the process is to end. Answers that broke off, or were
# never begun, leave streams behind that nobody will feed; a model that only pauses is replayed elsewhere.
LIVELY_S = 3.0
# A worker waits 2 s for its receipt before it opens another replica. A process that stood still for most of that may
# have been replaced: what it would say now could overlap what the other one said.
STALL_S = 1.5


class OpenStream:
    """One answer under way."""

    __slots__ = ("answer", "heard_at_s", "is_replayed", "is_started", "policy_version", "screen", "tokens")

    def __init__(
        self, answer: Answer, bench: Bench, screen: Screen, *, seen_seq: int, is_replayed: bool, now_s: float
    ) -> None:
        self.answer = answer
        self.screen = screen
        self.policy_version = bench.version
        self.tokens = TokenStream(bench, seen_seq=seen_seq)
        self.is_started = False
        self.is_replayed = is_replayed
        self.heard_at_s = now_s


class OpenStreams:
    """Streams by message id, written as in the subject."""

    def __init__(self, screens: Screens, decisions: Decisions, observer: Observer, clock: Clock) -> None:
        self._screens = screens
        self._decisions = decisions
        self._observer = observer
        self._clock = clock
        self._streams: dict[str, OpenStream] = {}
        self._beat_s = clock.monotonic_s()

    def __len__(self) -> int:
        return len(self._streams)

    def count_lively(self) -> int:
        """How many were fed just now."""
        now_s = self._now_s()
        return sum(now_s - stream.heard_at_s <= LIVELY_S for stream in self._streams.values())

    def open(self, answer: Answer, bench: Bench, *, seen_seq: int, is_replayed: bool) -> None:
        """Judge this attempt from its first piece on; an earlier stream of the message ends here.

        Raises:
            Conflict: a later attempt is under way.
        """
        now_s, key = self._now_s(), str(answer.message_id)
        known = self._streams.get(key)
        if known is not None and known.answer.attempt > answer.attempt:
            raise Conflict("A later attempt of this answer is under way.")
        self._streams[key] = OpenStream(
            answer, bench, self._screens.of(answer), seen_seq=seen_seq, is_replayed=is_replayed, now_s=now_s
        )

    def start(self, message_id: str, attempt: int, model: str, sources: Sequence[Any]) -> None:
        """The worker names model and sources; readers who saw tokens already saw this before them."""
        stream = self._find(message_id, attempt)
        if stream is None or stream.is_started:
            return
        stream.is_started = True
        if stream.tokens.is_unseen:
            stream.screen.started(model, sources)

    def tokens(self, message_id: str, attempt: int, first: int, texts: Sequence[str]) -> None:
        """Judge pieces and show what may be shown."""
        stream = self._find(message_id, attempt)
        if stream is None:
            return
        if not stream.is_started:
            self._observer.ignored("not_started")
            return
        if stream.is_replayed and len(texts) > 1:
            self._one_by_one(stream, first, texts)
            return
        _show(stream, stream.tokens.take(first, texts))
        if stream.tokens.is_over:
            self._close(message_id, stream, "blocked")

    def end(self, message_id: str, attempt: int, count: int, finish_reason: str) -> None:
        """The model is done: show the rest and say that it was all."""
        stream = self._find(message_id, attempt)
        if stream is None:
            return
        if not stream.is_started:
            self._observer.ignored("not_started")
            return
        _show(stream, stream.tokens.end(count))
        if stream.tokens.is_over:
            self._close(message_id, stream, "blocked" if stream.tokens.blocked else finish_reason)

    def drop(self, message_id: str, reason: str) -> None:
        """Give one stream up."""
        if self._streams.pop(message_id, None) is not None:
            self._observer.dropped(reason, 1)

    def drop_all(self, reason: str) -> None:
        """Give every stream up."""
        if self._streams:
            self._observer.dropped(reason, len(self._streams))
            self._streams.clear()

    def beat(self) -> None:
        """Called several times a second: notices a stall, and drops what nobody feeds any more."""
        self._beat_s = now_s = self._now_s()
        for key in [key for key, stream in self._streams.items() if now_s - stream.heard_at_s > IDLE_S]:
            self.drop(key, "idle")

    def _now_s(self) -> float:
        now_s = self._clock.monotonic_s()
        if now_s - self._beat_s > STALL_S:
            self.drop_all("stalled")
            self._beat_s = now_s
        return now_s

    def _find(self, message_id: str, attempt: int) -> OpenStream | None:
        now_s = self._now_s()
        stream = self._streams.get(message_id)
        if stream is None:
            self._observer.ignored("not_open")
            return None
        if stream.answer.attempt != attempt:
            self._observer.ignored("other_attempt")
            return None
        stream.heard_at_s = now_s
        return stream

    def _one_by_one(self, stream: OpenStream, first: int, texts: Sequence[str]) -> None:
        """A replay shows each token alone.

        The replica that was given up may have merged the same tokens otherwise. Readers drop a frame that begins with
        what they have; with single tokens on one side nothing is lost by that.
        """
        for place, text in enumerate(texts):
            _show(stream, stream.tokens.take(first + place, (text,)))
            if stream.tokens.is_over:
                self._close(str(stream.answer.message_id), stream, "blocked")
                return

    def _close(self, message_id: str, stream: OpenStream, finish_reason: str) -> None:
        del self._streams[message_id]
        tokens = stream.tokens
        stream.screen.ended(tokens.last_seq, finish_reason, tokens.blocked)
        is_blocked, found = bool(tokens.blocked), tokens.found
        self._observer.ended(found, is_blocked=is_blocked)
        if found:
            self._decisions.note(Decision(stream.answer, stream.policy_version, found, is_blocked))


def _show(stream: OpenStream, release: Release | None) -> None:
    if release is not None:
        stream.screen.released(release)
