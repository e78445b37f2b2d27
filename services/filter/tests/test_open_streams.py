from collections.abc import Sequence
from typing import Any

import pytest

from contracts.ids import ConversationId, MessageId, TenantId, uuid7
from filter_service.domain.answer import Answer, Decision
from filter_service.domain.judge import prepare
from filter_service.domain.open_streams import IDLE_S, OpenStreams
from filter_service.domain.policy import Policy
from filter_service.domain.token_stream import Release
from runtime.clock import FrozenClock
from runtime.errors import Conflict


class MemoryScreens:
    """Every answer's frames in one list, as tuples."""

    def __init__(self) -> None:
        self.frames: list[tuple[Any, ...]] = []

    def of(self, answer: Answer) -> "MemoryScreens":
        return self

    async def show(self, receipt_to: str) -> None:
        raise AssertionError("streams only tell their screens")

    def started(self, model: str, sources: Sequence[Any]) -> None:
        self.frames.append(("started", model, list(sources)))

    def released(self, release: Release) -> None:
        self.frames.append(("token", *release))

    def ended(self, last_seq: int, finish_reason: str, categories: Sequence[str]) -> None:
        self.frames.append(("end", last_seq, finish_reason, tuple(categories)))


class MemoryLedger:
    """What was noted and counted."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.counts: list[tuple[Any, ...]] = []

    def note(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def ended(self, found: dict[str, int], *, is_blocked: bool) -> None:
        self.counts.append(("ended", found, is_blocked))

    def input_checked(self, *, is_allowed: bool) -> None:
        self.counts.append(("input", is_allowed))

    def ignored(self, reason: str) -> None:
        self.counts.append(("ignored", reason))

    def dropped(self, reason: str, streams: int) -> None:
        self.counts.append(("dropped", reason, streams))


class Stage:
    """Streams on fakes, and one answer."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.screens, self.ledger, self.clock = MemoryScreens(), MemoryLedger(), FrozenClock()
        self.streams = OpenStreams(self.screens, self.ledger, self.ledger, self.clock)
        self.bench = prepare(policy or Policy())
        self.answer = Answer(TenantId(uuid7()), ConversationId(uuid7()), MessageId(uuid7()), 1)

    @property
    def key(self) -> str:
        return str(self.answer.message_id)

    def open(self, *, seen_seq: int = -1, is_replayed: bool = False) -> None:
        self.streams.open(self.answer, self.bench, seen_seq=seen_seq, is_replayed=is_replayed)
        self.streams.start(self.key, self.answer.attempt, "ollama/x", [])

    def tokens(self, first: int, *texts: str, attempt: int = 1) -> None:
        self.streams.tokens(self.key, attempt, first, texts)

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.streams.beat()


def test_an_answer_from_start_to_end() -> None:
    stage = Stage()
    stage.open()
    stage.tokens(0, "Hel", "lo")
    stage.tokens(2, "!")
    stage.streams.end(stage.key, 1, 3, "length")
    assert stage.screens.frames == [
        ("started", "ollama/x", []),
        ("token", 0, 1, "Hello"),
        ("token", 2, 2, "!"),
        ("end", 2, "length", ()),
    ]
    assert len(stage.streams) == 0
    assert stage.ledger.counts == [("ended", {}, False)]
    assert not stage.ledger.decisions


def test_what_was_held_goes_out_before_the_end() -> None:
    stage = Stage(Policy(terms=("acme corp",)))
    stage.open()
    stage.tokens(0, "acme")
    stage.streams.end(stage.key, 1, 1, "stop")
    assert stage.screens.frames[1:] == [("token", 0, 0, "acme"), ("end", 0, "stop", ())]


def test_a_blocked_answer_ends_at_once_and_is_noted() -> None:
    stage = Stage(Policy(version=7, terms=("acme",), terms_action="block"))
    stage.open()
    stage.tokens(0, "Try ", "acme", "!", " Never shown.")
    assert stage.screens.frames[1:] == [("token", 0, 0, "Try "), ("end", 0, "blocked", ("blocklist",))]
    assert stage.ledger.decisions == [Decision(stage.answer, 7, {"blocklist": 1}, is_blocked=True)]
    stage.tokens(4, "more")
    assert stage.ledger.counts[-1] == ("ignored", "not_open")


def test_a_term_at_the_very_end_blocks_too() -> None:
    stage = Stage(Policy(terms=("acme",), terms_action="block"))
    stage.open()
    stage.tokens(0, "By acme")
    stage.streams.end(stage.key, 1, 1, "stop")
    assert stage.screens.frames[-1] == ("end", 0, "blocked", ("blocklist",))


def test_a_redacted_answer_is_noted_with_its_count() -> None:
    stage = Stage(Policy(terms=("acme",)))
    stage.open()
    stage.tokens(0, "acme, acme.")
    stage.streams.end(stage.key, 1, 1, "stop")
    assert stage.ledger.decisions == [Decision(stage.answer, 0, {"blocklist": 2}, is_blocked=False)]


def test_a_replay_shows_only_what_was_not_seen_and_each_token_alone() -> None:
    stage = Stage()
    stage.open(seen_seq=1, is_replayed=True)
    stage.tokens(0, "a", "b", "c", "d")
    stage.streams.end(stage.key, 1, 4, "stop")
    assert stage.screens.frames == [("token", 2, 2, "c"), ("token", 3, 3, "d"), ("end", 3, "stop", ())]


def test_a_replay_that_nobody_saw_anything_of_begins_with_the_start() -> None:
    stage = Stage()
    stage.open(is_replayed=True)
    stage.tokens(0, "a", "b")
    assert stage.screens.frames == [("started", "ollama/x", []), ("token", 0, 0, "a"), ("token", 1, 1, "b")]


def test_a_replay_that_blocks_ends_there() -> None:
    stage = Stage(Policy(terms=("acme",), terms_action="block"))
    stage.open(seen_seq=0, is_replayed=True)
    stage.tokens(0, "By ", "acme", "!", "never")
    assert stage.screens.frames == [("end", 0, "blocked", ("blocklist",))]


def test_other_attempts_are_ignored() -> None:
    stage = Stage()
    stage.open()
    stage.tokens(0, "old", attempt=0)
    stage.tokens(0, "new", attempt=2)
    assert stage.screens.frames == [("started", "ollama/x", [])]
    assert stage.ledger.counts == [("ignored", "other_attempt")] * 2


def test_a_later_attempt_takes_the_place_of_an_earlier_one_and_never_the_other_way() -> None:
    stage = Stage()
    stage.open()
    first = stage.answer
    stage.answer = Answer(first.tenant_id, first.conversation_id, first.message_id, 2)
    stage.open()
    stage.tokens(0, "old", attempt=1)
    stage.tokens(0, "new", attempt=2)
    assert stage.screens.frames[-1] == ("token", 0, 0, "new")
    with pytest.raises(Conflict):
        stage.streams.open(first, stage.bench, seen_seq=-1, is_replayed=False)


def test_tokens_before_the_start_are_left_to_the_replay() -> None:
    stage = Stage()
    stage.streams.open(stage.answer, stage.bench, seen_seq=-1, is_replayed=False)
    stage.tokens(0, "early")
    stage.streams.end(stage.key, 1, 1, "stop")
    assert not stage.screens.frames
    assert stage.ledger.counts == [("ignored", "not_started")] * 2
    assert len(stage.streams) == 1


def test_a_stream_nobody_feeds_is_dropped() -> None:
    stage = Stage()
    stage.open()
    stage.live(int(IDLE_S))
    assert len(stage.streams) == 1
    stage.live(1)
    assert len(stage.streams) == 0
    assert stage.ledger.counts == [("dropped", "idle", 1)]


def test_a_stream_is_worth_waiting_for_only_while_it_is_fed() -> None:
    stage = Stage()
    stage.open()
    stage.live(3)
    assert stage.streams.count_lively() == 1
    stage.live(1)
    assert stage.streams.count_lively() == 0
    stage.tokens(0, "a")
    assert stage.streams.count_lively() == 1


def test_a_process_that_stood_still_forgets_its_streams() -> None:
    stage = Stage()
    stage.open()
    stage.clock.advance(1.6)
    stage.tokens(0, "late")
    assert stage.screens.frames == [("started", "ollama/x", [])]
    assert stage.ledger.counts == [("dropped", "stalled", 1), ("ignored", "not_open")]


def test_a_stream_opened_after_a_stall_lives() -> None:
    stage = Stage()
    stage.clock.advance(60)
    stage.open()
    stage.tokens(0, "a")
    assert stage.screens.frames[-1] == ("token", 0, 0, "a")


def test_everything_can_be_given_up() -> None:
    stage = Stage()
    stage.open()
    stage.streams.drop_all("reconnected")
    stage.streams.drop_all("reconnected")
    stage.streams.drop(stage.key, "failed")
    assert stage.ledger.counts == [("dropped", "reconnected", 1)]
