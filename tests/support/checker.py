"""Compares histories: what was accepted, what each client saw, what is stored and what was counted.

Accepted = completed + failed + blocked, each exactly once; within an attempt every token once, in order, without gap;
what was shown is what is stored; one usage record an answer.
"""

from collections.abc import Iterable
from itertools import groupby

from tests.support.business import Business
from tests.support.chat import ENDS, Answer, Frame
from tests.support.platform import eventually


def faults(answer: Answer) -> list[str]:
    """What is wrong with one answer as one client saw it, over however many sockets; empty when nothing is."""
    if answer.refused is not None:
        return [f"refused, and yet {answer.frames[:2]}"] if answer.frames else []
    if answer.accepted is None:
        return ["neither accepted nor refused"]
    ends = [frame for frame in answer.frames if frame["type"] in ENDS]
    found = [] if len(ends) == 1 else [f"{len(ends)} ends"]
    if ends and answer.frames[-1] is not ends[0]:
        found.append(f"after its end: {answer.frames[-1]}")
    attempts = [frame["attempt"] for frame in answer.frames if "attempt" in frame]
    if attempts != sorted(attempts):
        found.append(f"an older attempt after a newer one: {[attempt for attempt, _ in groupby(attempts)]}")
    for attempt in sorted(set(attempts)):
        found += _order_faults(attempt, [frame for frame in answer.frames if frame.get("attempt") == attempt])
    return found + _end_faults(answer, ends)


def _order_faults(attempt: int, frames: list[Frame]) -> list[str]:
    """`message.started` first, then every token once."""
    found = [] if frames[0]["type"] == "message.started" else [f"attempt {attempt} without its start"]
    expected = 0
    for frame in frames:
        if frame["type"] != "token":
            continue
        first, last = frame.get("from_seq", frame["seq"]), frame["seq"]
        if first != expected or last < first:
            found.append(f"attempt {attempt}: token {first} to {last} instead of {expected}")
        expected = last + 1
    return found


def _end_faults(answer: Answer, ends: list[Frame]) -> list[str]:
    if not ends:
        return []
    end, shown = ends[0], answer.shown
    if end["type"] == "message.completed" and end["content"] != shown:
        return [f"shown {shown[-80:]!r}, told {end['content'][-80:]!r} at its end"]
    if end["type"] == "message.blocked" and shown:
        return [f"blocked as if nothing was shown, after {shown[-80:]!r}"]
    return []


def check(answers: Iterable[Answer]) -> None:
    """Every history by itself.

    Raises:
        AssertionError: names what is wrong with the first five.
    """
    wrong = [(answer.question["content"], found) for answer in answers if (found := faults(answer))]
    assert not wrong, f"{len(wrong)} histories: {wrong[:5]}"


async def check_all(business: Business, answers: Iterable[Answer], *, timeout_s: float = 30) -> None:
    """Histories of one business against each other, against what is stored, and against what was counted.

    `answers` are all that was ever asked in this business; several clients may have followed the same message.
    """
    answers = list(answers)
    check(answers)
    accepted: dict[str, list[Answer]] = {}
    for answer in answers:
        if answer.refused is None:
            accepted.setdefault(answer.message_id, []).append(answer)
    for followed in accepted.values():
        _agree(followed)
    ended = [followed[0] for followed in accepted.values()]
    await _check_stored(business, ended)
    await eventually(lambda: _check_counted(business, ended), timeout_s=timeout_s, every_s=0.5)


def _agree(followed: list[Answer]) -> None:
    ends = [answer.end for answer in followed]
    assert all(end == ends[0] for end in ends), f"ended differently: {ends}"


async def _check_stored(business: Business, ended: list[Answer]) -> None:
    """One stored answer for each that completed or was blocked, none for one that failed, nothing else."""
    for conversation_id in {answer.conversation_id for answer in ended}:
        stored = [m for m in await business.messages(conversation_id) if m["author"] == "machine"]
        here = {answer.message_id: answer for answer in ended if answer.conversation_id == conversation_id}
        kept = {answer.message_id for answer in here.values() if _type(answer) != "message.failed"}
        assert sorted(message["id"] for message in stored) == sorted(kept)
        for message in stored:
            assert message["content"] == here[message["id"]].shown, "stored is not what was shown"


async def _check_counted(business: Business, ended: list[Answer]) -> bool:
    """learning counts each fact once: one acceptance, one end, one usage record an answer."""
    completed = [answer.end for answer in ended if answer.end and _type(answer) == "message.completed"]
    cut = [end for end in completed if end["finish_reason"] == "blocked"]
    expected = {
        "turns_accepted": len(ended),
        "messages_completed": len(completed) - len(cut),
        "messages_failed": sum(_type(answer) == "message.failed" for answer in ended),
        "messages_blocked": sum(_type(answer) == "message.blocked" for answer in ended) + len(cut),
        "completion_tokens": sum(end["usage"]["completion_tokens"] for end in completed),
    }
    stats = await business.stats()
    counted = {name: stats[name] for name in expected}
    assert counted == expected, f"counted {counted}, expected {expected}"
    return True


def _type(answer: Answer) -> str:
    return str(answer.end["type"]) if answer.end is not None else ""
