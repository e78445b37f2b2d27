"""NATS permissions: what the registry declares is allowed, and nothing wider than the table of docs/security.md."""

import pytest

from contracts import registry, subjects
from contracts.ids import ConversationId, MessageId, TenantId, uuid7
from contracts.streams import consumers
from runtime.nats_permissions import inbox_prefix, users
from tests.conventions.source import SERVICES

A, B, C = TenantId(uuid7()), ConversationId(uuid7()), MessageId(uuid7())
USERS = users()

# The widest that each user may ever have, beside its own durables and inbox.
MAY_PUBLISH = {
    "gateway": ("ctl.>", "rate.>", "rpc.>", "$JS.API.DIRECT.GET.TOKENS", "$JS.API.DIRECT.GET.TOKENS.>"),
    "auth": ("evt.auth.>", "rate.>", "rpc.>"),
    "inference": ("job.answer.*", "raw.>", "ctl.>", "evt.inference.>", "rpc.>"),
    "filter": ("tok.>", "rcp.>", "evt.filter.>"),
    "ingest": ("job.ingest.*", "evt.ingest.>", "rpc.>"),
    "learning": ("job.learn.*", "evt.learning.>", "rpc.>"),
    "operator": ("job.>", "evt.>", "dlq.>", "$JS.API.STREAM.MSG.GET.*", "$JS.API.STREAM.MSG.DELETE.*"),
    "provisioner": ("$JS.API.>",),
}
MAY_SUBSCRIBE = {
    "gateway": ("tok.>", "evt.*.*.>", "ctl.>"),
    "auth": ("rpc.auth.>",),
    "inference": ("rpc.inference.>", "ctl.>", "tok.>", "rcp.>"),
    "filter": ("raw.>", "rpc.filter.>", "evt.filter.policy_changed.>"),
    "ingest": ("rpc.ingest.>",),
    "learning": ("rpc.learning.>",),
    "operator": (),
    "provisioner": (),
}


def covers(pattern: str, subject: str) -> bool:
    """Does `pattern` allow every subject that `subject` (itself maybe a pattern) stands for?"""
    wide, narrow = pattern.split("."), subject.split(".")
    for place, token in enumerate(wide):
        if token == ">":
            return len(narrow) > place
        if place >= len(narrow) or narrow[place] == ">" or (token not in {"*", narrow[place]}):
            return False
    return len(wide) == len(narrow)


def may_publish(user: str, subject: str) -> bool:
    return any(covers(pattern, subject) for pattern in USERS[user].publish)


def may_hear(user: str, subject: str) -> bool:
    return any(covers(pattern, subject) for pattern in USERS[user].subscribe)


@pytest.mark.parametrize(
    ("pattern", "subject", "is_covered"),
    [
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.*", "a.>", False),
        ("a.*", "a.*", True),
        ("a.b", "a.*", False),
        (">", "a.>", True),
        ("a.b.c", "a.b", False),
    ],
)
def test_covering_is_what_the_server_does(pattern: str, subject: str, is_covered: bool) -> None:
    assert covers(pattern, subject) == is_covered


def test_every_service_is_a_user_of_its_own() -> None:
    assert sorted(USERS) == sorted([*SERVICES, "operator", "provisioner"])


def test_the_owner_of_a_fact_may_say_it_and_nobody_else() -> None:
    for fact in registry.facts():
        subject = subjects.fact(fact, A, B)
        allowed = {user for user in USERS if may_publish(user, subject)}
        assert allowed == {fact.owner, "operator"}, fact.schema


def test_listeners_may_hear_their_facts() -> None:
    for fact in registry.facts():
        for listener in fact.listeners:
            assert may_hear(listener, subjects.fact_filter(fact)), (listener, fact.schema)


def test_callers_may_ask_and_the_owner_alone_may_hear_and_answer() -> None:
    for rpc in registry.rpcs():
        subject = subjects.rpc(rpc)
        assert {user for user in USERS if may_publish(user, subject)} == set(rpc.callers), rpc.schema
        assert {user for user in USERS if may_hear(user, subject)} == {rpc.owner}, rpc.schema
        assert USERS[rpc.owner].allow_responses


def test_who_answers_nothing_may_send_no_replies() -> None:
    owners = {rpc.owner for rpc in registry.rpcs()}
    assert {user for user, allowed in USERS.items() if allowed.allow_responses} == owners


def test_jobs_are_put_by_their_owner() -> None:
    for work in registry.works():
        allowed = {user for user in USERS if may_publish(user, subjects.job(work, A))}
        assert allowed == {work.owner, "operator"}


def test_a_durable_is_fetched_acknowledged_and_buried_by_its_owner_alone() -> None:
    for consumer in consumers():
        name = f"{consumer.stream}.{consumer.name}"
        for subject in (
            f"$JS.API.CONSUMER.INFO.{name}",
            f"$JS.API.CONSUMER.MSG.NEXT.{name}",
            f"$JS.ACK.{name}.1.2.3.4.5",
            subjects.dead_letter(consumer.stream, consumer.name),
            subjects.tries(consumer.stream, consumer.name, 1, 2),
        ):
            allowed = {user for user in USERS if may_publish(user, subject)}
            assert consumer.owner in allowed, subject
            assert allowed <= {consumer.owner, "operator", "provisioner"}, subject


def test_text_reaches_a_socket_only_through_the_filter() -> None:
    shown, raw = subjects.tok(A, B, C), subjects.raw("abc", C)
    assert {user for user in USERS if may_publish(user, shown)} == {"filter"}
    assert {user for user in USERS if may_publish(user, raw)} == {"inference"}
    assert {user for user in USERS if may_hear(user, raw)} == {"filter"}
    assert {user for user in USERS if may_hear(user, shown)} == {"gateway", "inference"}
    assert {user for user in USERS if may_publish(user, subjects.receipts("abc"))} == {"filter"}
    assert {user for user in USERS if may_hear(user, subjects.receipts("abc"))} == {"inference"}


def test_an_inbox_is_heard_by_its_user_alone() -> None:
    for user in USERS:
        heard_by = {other for other in USERS if may_hear(other, f"{inbox_prefix(user)}.abc.1")}
        assert heard_by == {user}
        assert not any(may_publish(other, f"{inbox_prefix(user)}.abc.1") for other in USERS)


@pytest.mark.parametrize("user", sorted(USERS))
def test_nothing_wider_than_the_table(user: str) -> None:
    durables = [
        pattern
        for consumer in consumers()
        if consumer.owner == user
        for pattern in (
            f"$JS.API.CONSUMER.INFO.{consumer.stream}.{consumer.name}",
            f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.name}",
            f"$JS.ACK.{consumer.stream}.{consumer.name}.>",
            subjects.dead_letter(consumer.stream, consumer.name),
            subjects.tries_filter(consumer.stream, consumer.name),
        )
    ]
    publish = (*MAY_PUBLISH[user], *durables)
    subscribe = (*MAY_SUBSCRIBE[user], f"{inbox_prefix(user)}.>")
    assert [each for each in USERS[user].publish if not any(covers(wide, each) for wide in publish)] == []
    assert [each for each in USERS[user].subscribe if not any(covers(wide, each) for wide in subscribe)] == []


@pytest.mark.parametrize("user", sorted(set(USERS) - {"provisioner"}))
def test_only_the_provisioner_makes_streams(user: str) -> None:
    for subject in ("$JS.API.STREAM.CREATE.X", "$JS.API.STREAM.DELETE.EVENTS", "$JS.API.CONSUMER.CREATE.EVENTS.x"):
        assert not may_publish(user, subject)
