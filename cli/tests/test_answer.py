import pytest

from lumora.client.answer import NOTHING, Answer, Change, TokensMissed

ACCEPTED = {"type": "message.accepted", "client_message_id": "c", "conversation_id": "k", "message_id": "m"}


def started(attempt=1, **more):
    return {"type": "message.started", "message_id": "m", "attempt": attempt, "model": "x/y", "sources": [], **more}


def token(seq, text, attempt=1, **more):
    return {"type": "token", "message_id": "m", "attempt": attempt, "seq": seq, "text": text, **more}


def completed(content):
    return {"type": "message.completed", "message_id": "m", "content": content, "finish_reason": "stop", "sources": []}


def taken(*frames):
    answer = Answer("c")
    return answer, [answer.take(frame) for frame in (ACCEPTED, *frames)]


def test_tokens_are_joined_and_the_end_adds_nothing():
    answer, changes = taken(started(), token(0, "Yes"), token(1, ", you can."), completed("Yes, you can."))
    assert [change.text for change in changes if change.kind == "text"] == ["Yes", ", you can."]
    assert changes[-1] == Change("end", "")
    assert answer.text == "Yes, you can."


def test_frames_of_other_messages_and_before_the_acceptance_mean_nothing():
    answer = Answer("c")
    assert answer.take(started()) == NOTHING
    assert answer.take({**ACCEPTED, "client_message_id": "other"}) == NOTHING
    assert answer.message_id is None
    answer.take(ACCEPTED)
    assert answer.take({**token(0, "x"), "message_id": "other"}) == NOTHING


def test_a_repeated_token_is_shown_once():
    answer, changes = taken(started(), token(0, "a"), token(0, "a"), token(1, "b"))
    assert changes[3] == NOTHING
    assert answer.text == "ab"


def test_a_merged_frame_continues_where_it_says():
    answer, _ = taken(started(), token(0, "a"), token(3, "bcd", from_seq=1), token(4, "e"))
    assert (answer.text, answer.last_seq) == ("abcde", 4)


@pytest.mark.parametrize("frame", [token(2, "c"), token(4, "cde", from_seq=2), token(1, "ab", from_seq=0)])
def test_a_token_that_does_not_follow_asks_for_the_missing_ones(frame):
    answer, _ = taken(started(), token(0, "a"))
    with pytest.raises(TokensMissed):
        answer.take(frame)
    assert answer.resume_point() == {"conversation_id": "k", "message_id": "m", "attempt": 1, "after_seq": 0}


def test_a_higher_attempt_drops_the_older_text_and_its_late_tokens():
    answer, changes = taken(started(), token(0, "old"), started(2), token(0, "new", attempt=2), token(1, "late"))
    assert changes[3].kind == "restart"
    assert changes[5] == NOTHING
    assert answer.text == "new"


def test_a_higher_attempt_whose_start_was_missed_is_asked_for():
    answer, _ = taken(started(), token(0, "old"))
    with pytest.raises(TokensMissed):
        answer.take(token(0, "new", attempt=2))


def test_an_answer_that_comes_only_as_its_end_is_shown_whole():
    _, changes = taken(completed("All of it."))
    assert changes[-1] == Change("end", "All of it.")


def test_an_end_with_more_than_was_shown_adds_the_rest():
    _, changes = taken(started(), token(0, "All "), completed("All of it."))
    assert changes[-1] == Change("end", "of it.")


def test_an_end_that_contradicts_what_was_shown_replaces_it():
    answer, changes = taken(started(), token(0, "Nearly"), completed("All of it."))
    assert changes[-1] == Change("restart", "All of it.")
    assert answer.text == "All of it."


def test_nothing_can_be_resumed_before_the_acceptance():
    assert Answer("c").resume_point() is None


def test_what_comes_after_the_end_means_nothing():
    answer, _ = taken({"type": "message.failed", "message_id": "m", "code": "internal", "retryable": True})
    assert answer.take(token(0, "x")) == NOTHING
    assert answer.end is not None
