from uuid import UUID

import pytest

from contracts import registry, subjects
from contracts.ids import ConversationId, MessageId, TenantId, uuid7
from contracts.streams import consumer, consumers, streams

TENANT, CONVERSATION, MESSAGE = TenantId(uuid7()), ConversationId(uuid7()), MessageId(uuid7())


def test_a_fact_a_job_and_a_token_name_their_tenant() -> None:
    for fact in registry.facts():
        assert subjects.tenant_of(subjects.fact(fact, TENANT, MESSAGE)) == TENANT
    for work in registry.works():
        assert subjects.tenant_of(subjects.job(work, TENANT)) == TENANT
    assert subjects.tenant_of(subjects.tok(TENANT, CONVERSATION, MESSAGE)) == TENANT
    assert subjects.tenant_of(subjects.control("stop", TENANT, MESSAGE)) == TENANT


@pytest.mark.parametrize(
    "subject",
    ["", "rpc.auth.login", "job.answer.*", "job.answer", "tok.x.y.z", "evt.a.b.v1.>", f"raw.abc.{uuid7()}", "rcp.abc"],
)
def test_what_names_no_tenant_is_refused(subject: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - UUID words it in its own way
        subjects.tenant_of(subject)


def test_a_token_subject_is_read_back() -> None:
    assert subjects.parse_tok(subjects.tok(TENANT, CONVERSATION, MESSAGE)) == (TENANT, CONVERSATION, MESSAGE)


@pytest.mark.parametrize("subject", [f"evt.{TENANT}.{MESSAGE}.{MESSAGE}", f"tok.{TENANT}", f"tok.{TENANT}.*.{MESSAGE}"])
def test_another_subject_is_no_token(subject: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - UUID words it in its own way
        subjects.parse_tok(subject)


def test_a_prefix_ends_where_the_tenant_begins() -> None:
    for fact in registry.facts():
        assert subjects.fact_filter(fact) == subjects.fact_prefix(fact) + "*.*"
    for work in registry.works():
        assert subjects.job_filter(work) == subjects.job_prefix(work) + "*"


def test_wildcards_are_named_for_documents() -> None:
    assert subjects.template("evt.a.b.v1.*.*", "tenant_id", "key") == "evt.a.b.v1.{tenant_id}.{key}"


def test_ids_are_ordered_by_time_and_say_their_version() -> None:
    made = [uuid7() for _ in range(50)]
    assert {each.version for each in made} == {7}
    assert len(set(made)) == 50
    assert [each.int >> 80 for each in made] == sorted(each.int >> 80 for each in made)
    assert all(str(UUID(str(each))) == str(each) for each in made)


def test_every_work_queue_has_its_stream_and_consumer() -> None:
    names = {stream.name for stream in streams()}
    for work in registry.works():
        assert work.stream in names
        assert consumer(work.stream, work.queue).owner == work.owner


def test_every_consumer_of_a_fact_has_one_durable_with_all_its_filters() -> None:
    for fact in registry.facts():
        for service in fact.consumers:
            assert subjects.fact_filter(fact) in consumer("EVENTS", service).filter_subjects


def test_a_consumer_nobody_declared_is_an_error() -> None:
    with pytest.raises(KeyError):
        consumer("EVENTS", "nobody")


def test_attempts_end_before_the_server_gives_up() -> None:
    # Otherwise the handler never gets to decide, and the row behind the job stays open.
    for each in consumers():
        assert each.retry.attempts < each.retry.max_deliver
        assert each.retry.heartbeat_s < each.retry.ack_wait_s / 2


def test_the_broker_holds_as_many_answers_of_a_tenant_as_the_operator_allows() -> None:
    answer = next(stream for stream in streams(running_per_tenant=3) if stream.name == "ANSWER")
    assert (answer.max_msgs_per_subject, answer.is_new_discarded_per_subject) == (6, True)
