from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from gateway_service.domain.resume import Frame, Over, Progress, Started, TokenRange, Verdict


def test_tokens_in_order_are_sent():
    progress = Progress()
    frames = [Started(1), TokenRange(1, 0, 0), TokenRange(1, 1, 3), TokenRange(1, 4, 4)]
    assert [progress.take(frame) for frame in frames] == [Verdict.SEND] * 4


def test_what_was_seen_is_dropped():
    progress = Progress(1, 4)
    assert progress.take(Started(1)) is Verdict.DROP
    assert progress.take(TokenRange(1, 4, 4)) is Verdict.DROP
    assert progress.take(TokenRange(1, 5, 5)) is Verdict.SEND


def test_a_jump_is_a_gap_and_changes_nothing():
    progress = Progress(1, 4)
    assert progress.take(TokenRange(1, 6, 6)) is Verdict.GAP
    assert progress.take(TokenRange(1, 5, 5)) is Verdict.SEND
    assert progress.take(TokenRange(1, 6, 6)) is Verdict.SEND


def test_an_overlapping_frame_is_dropped_whole():
    progress = Progress(1, 4)
    assert progress.take(TokenRange(1, 3, 7)) is Verdict.DROP
    assert progress.next_seq == 5


def test_a_higher_attempt_starts_again_with_its_start():
    progress = Progress(1, 4)
    assert progress.take(TokenRange(2, 0, 0)) is Verdict.GAP
    assert progress.take(Started(2)) is Verdict.SEND
    assert progress.take(TokenRange(1, 5, 5)) is Verdict.DROP
    assert progress.take(TokenRange(2, 0, 0)) is Verdict.SEND


def test_a_client_that_names_no_attempt_gets_the_current_one_from_its_start():
    progress = Progress(None, 7)
    assert progress.take(Started(3)) is Verdict.SEND
    assert progress.take(TokenRange(3, 0, 0)) is Verdict.SEND


def test_the_end_is_for_us_alone_and_tells_what_is_missing():
    progress = Progress(1, 2)
    assert progress.take(Over(1, 3)) is Verdict.GAP
    assert not progress.is_over
    assert progress.take(TokenRange(1, 3, 3)) is Verdict.SEND
    assert progress.take(Over(1, 3)) is Verdict.DROP
    assert progress.is_over


@dataclass
class Answer:
    """What the filter said in all: attempts with their numbers of tokens."""

    lengths: list[int]
    frames: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        for attempt, length in enumerate(self.lengths, 1):
            self.frames.append(Started(attempt))
            self.frames += [TokenRange(attempt, seq, seq) for seq in range(length)]
        self.frames.append(Over(len(self.lengths), self.lengths[-1] - 1))


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    noise=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=30),
    seed=st.randoms(use_true_random=False),
)
def test_whatever_is_lost_repeated_or_late_each_token_is_sent_once_in_order(
    lengths: list[int], noise: list[tuple[int, int]], seed: object
):
    """Frames are dropped, repeated and delayed; after each gap the history is read, as the feed does it."""
    answer = Answer(lengths)
    arriving = list(answer.frames)
    for source, target in noise:
        arriving.insert(target % (len(arriving) + 1), answer.frames[source % len(answer.frames)])
    arriving = [frame for frame in arriving if seed.random() > 0.3]  # type: ignore[attr-defined] # a seeded Random
    progress, sent = Progress(), []

    def take(frame: Frame) -> None:
        if progress.take(frame) is Verdict.SEND:
            sent.append(frame)

    for position, frame in enumerate(arriving):
        if progress.take(frame) is Verdict.SEND:
            sent.append(frame)
        elif progress.take(frame) is Verdict.GAP:
            said = max((answer.frames.index(seen) for seen in arriving[: position + 1]), default=-1)
            for known in answer.frames[: said + 1]:
                take(known)
    for known in answer.frames:
        take(known)

    last = [frame for frame in sent if frame.attempt == len(lengths) and isinstance(frame, TokenRange)]
    assert [frame.first for frame in last] == list(range(lengths[-1]))
    assert [frame.attempt for frame in sent] == sorted(frame.attempt for frame in sent)
    assert progress.is_over
