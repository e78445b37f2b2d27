"""Questions and answers, hints, live facts, refused subjects and traces, between two NATS users of the real broker."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts import subjects
from contracts.base import Reply
from contracts.channel import Rpc
from contracts.filter import CHECK_INPUT, CheckInput, InputVerdict
from contracts.ids import ConversationId, MessageId, uuid7
from contracts.inference import ANSWER, MESSAGE_FAILED, AnswerTurn, MessageFailed, StopAsked
from contracts.streams import streams as declared_streams
from runtime import tracing
from runtime.bus import DEADLINE, SCHEMA, TENANT, Bus
from runtime.consume import consume_work
from runtime.db import Database
from runtime.errors import Conflict, DeadlineExceeded, LumoraError, NotFound, Rejected, Unavailable, Unreadable
from runtime.outbox import OutboxRelay
from runtime.publishing import CapReached, Refused
from runtime.tenancy import TenantScope
from tests.support.platform import Platform, eventually
from tests.support.probe import Probe, Streams, metric, new_scope, on_bus, send

pytestmark = pytest.mark.integration
CAP = next(stream for stream in declared_streams() if stream.name == "ANSWER").max_msgs_per_subject

QUESTION = CheckInput(text="May I?")


@asynccontextmanager
async def as_user(platform: Platform, user: str) -> AsyncIterator[Bus]:
    bus = Bus(user, platform.nats_url, platform.seed(user))
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.stop()


@asynccontextmanager
async def answered_by(platform: Platform, handler: object) -> AsyncIterator[Bus]:
    """filter answers `check_input` with `handler`; yields inference's bus, which may ask."""
    async with as_user(platform, "filter") as answering, as_user(platform, "inference") as asking:
        answering.answer(CHECK_INPUT, handler)  # type: ignore[arg-type] # a coroutine function of this shape
        await answering.start()
        yield asking


async def test_an_answer_comes_back_with_the_askers_tenant_and_actor(platform: Platform) -> None:
    seen: list[tuple[CheckInput, TenantScope]] = []

    async def check(question: CheckInput, scope: TenantScope) -> InputVerdict:
        seen.append((question, scope))
        return InputVerdict(is_allowed=False, categories=("terms",))

    scope = TenantScope(new_scope().tenant_id, "user:7")
    async with answered_by(platform, check) as bus:
        verdict = await bus.request(CHECK_INPUT, QUESTION, scope)
    assert verdict == InputVerdict(is_allowed=False, categories=("terms",))
    assert seen == [(QUESTION, scope)]


@pytest.mark.parametrize(
    ("raised", "kind", "code"),
    [
        (NotFound(), NotFound, "not_found"),
        (Conflict("taken", code="email_taken"), Conflict, "email_taken"),
        (Rejected(code="too_large"), Rejected, "too_large"),
        (Unavailable(retry_after_s=3), Unavailable, "unavailable"),
        (KeyError("a secret of ours"), LumoraError, "internal"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_a_failure_is_an_answer_too(
    platform: Platform, raised: Exception, kind: type[LumoraError], code: str
) -> None:
    async def fail(_question: CheckInput, _scope: TenantScope) -> InputVerdict:
        raise raised

    async with answered_by(platform, fail) as bus:
        with pytest.raises(kind) as failed:
            await bus.request(CHECK_INPUT, QUESTION, new_scope())
    assert failed.value.code == code
    assert failed.value.retry_after_s == getattr(raised, "retry_after_s", None)
    assert "secret" not in failed.value.detail


async def test_an_answer_that_no_message_holds_is_a_failure_at_once(platform: Platform) -> None:
    async def check(_question: CheckInput, _scope: TenantScope) -> InputVerdict:
        return InputVerdict(is_allowed=False, categories=("x" * 2**20,))

    async with answered_by(platform, check) as bus:
        with pytest.raises(LumoraError) as failed:
            await bus.request(CHECK_INPUT, QUESTION, new_scope())
    assert failed.value.code == "internal"


async def test_nobody_there_is_unavailable_at_once(platform: Platform) -> None:
    async with as_user(platform, "inference") as bus:
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            await bus.request(CHECK_INPUT, QUESTION, new_scope())
        assert time.monotonic() - begun < CHECK_INPUT.timeout_s


async def test_who_answers_too_late_is_unavailable(platform: Platform) -> None:
    async def think(_question: CheckInput, _scope: TenantScope) -> InputVerdict:
        await asyncio.sleep(1)
        return InputVerdict(is_allowed=True)

    async with answered_by(platform, think) as bus:
        with pytest.raises(Unavailable):
            await bus.request(CHECK_INPUT, QUESTION, new_scope(), timeout_s=0.1)


async def test_a_question_past_its_deadline_is_not_worked_on(platform: Platform) -> None:
    asked: list[CheckInput] = []

    async def check(question: CheckInput, _scope: TenantScope) -> InputVerdict:
        asked.append(question)
        return InputVerdict(is_allowed=True)

    async with answered_by(platform, check) as bus:
        headers = {SCHEMA: CHECK_INPUT.schema, TENANT: str(uuid7()), DEADLINE: "1000"}
        answer = await bus.nc.request(subjects.rpc(CHECK_INPUT), QUESTION.dump(), headers=headers, timeout=2)
    assert (answer.headers or {})["Failed"] == DeadlineExceeded.default_code
    assert asked == []


@pytest.mark.parametrize(
    ("body", "tenant"),
    [(b"{}", True), (b"\xff", True), (b"", True), (QUESTION.dump(), False)],
    ids=["wrong schema", "not UTF-8", "empty", "no tenant"],
)
async def test_a_question_that_cannot_be_read_is_answered_so(platform: Platform, body: bytes, tenant: bool) -> None:
    async def check(_question: CheckInput, _scope: TenantScope) -> InputVerdict:
        return InputVerdict(is_allowed=True)

    headers = {TENANT: str(uuid7())} if tenant else {"Actor": "user:7"}
    async with answered_by(platform, check) as bus:
        answer = await bus.nc.request(subjects.rpc(CHECK_INPUT), body, headers=headers, timeout=2)
    assert (answer.headers or {})["Failed"] == Unreadable.default_code


async def test_a_tenants_question_needs_a_scope(platform: Platform) -> None:
    async with as_user(platform, "inference") as bus:
        with pytest.raises(TypeError, match="tenant scope"):
            await bus.request(CHECK_INPUT, QUESTION)


async def test_a_refused_subject_shows_in_the_metric_alone(platform: Platform) -> None:
    before = metric("runtime_broker_errors_total", kind="permissions")
    async with as_user(platform, "ingest") as bus:
        await bus.nc.publish(a_token_subject(), b"forged")
        await bus.settle()
        await eventually(lambda: metric("runtime_broker_errors_total", kind="permissions") == before + 1)
        # The caller of a refused question sees a timeout; the reason is in the metric.
        forbidden: Rpc[CheckInput, Reply] = Rpc("filter", "check_input", CheckInput, Reply, callers=("ingest",))
        with pytest.raises(Unavailable):
            await bus.request(forbidden, QUESTION, new_scope(), timeout_s=0.3)
        await eventually(lambda: metric("runtime_broker_errors_total", kind="permissions") == before + 2)


async def test_many_refused_within_moments_leave_the_connection_hearing(platform: Platform) -> None:
    async def send_after(bus: Bus, subject: str, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        with pytest.raises(Refused):
            await bus.publish(subject, b"forged", stream="TOKENS", headers={})

    async with as_user(platform, "ingest") as bus:
        for _ in range(20):
            subject = a_token_subject()
            await asyncio.gather(*(send_after(bus, subject, number * 0.0005) for number in range(6)))
            await bus.nc.flush(timeout=5)


async def test_nobody_hears_anothers_subjects(platform: Platform) -> None:
    before = metric("runtime_broker_errors_total", kind="permissions")
    heard: list[bytes] = []

    async def hear(message: object) -> None:
        heard.append(message.data)  # type: ignore[attr-defined] # a Msg

    async with as_user(platform, "learning") as curious, as_user(platform, "filter") as speaking:
        for subject in ("tok.>", "raw.>", ">", "_INBOX_inference.>"):
            await curious.nc.subscribe(subject, cb=hear)
        await curious.settle()
        await eventually(lambda: metric("runtime_broker_errors_total", kind="permissions") == before + 4)
        await speaking.nc.publish(a_token_subject(), b"text")
        await speaking.settle()
        await curious.settle()
    assert heard == []


def a_token_subject() -> str:
    return subjects.tok(new_scope().tenant_id, ConversationId(uuid7()), MessageId(uuid7()))


async def test_a_live_fact_is_heard_and_a_failing_listener_goes_on(platform: Platform, probe: Probe) -> None:
    scope, heard = new_scope(), list[MessageFailed]()

    async def react(fact: MessageFailed, found: TenantScope) -> None:
        if found.tenant_id == scope.tenant_id:
            heard.append(fact)
            raise RuntimeError("a listener's own trouble")

    async with as_user(platform, "gateway") as gateway, on_bus(probe) as bus:
        await gateway.listen(MESSAGE_FAILED, react)
        await gateway.settle()
        sent = [failed(), failed()]
        for fact in sent:
            subject = subjects.fact(MESSAGE_FAILED, scope.tenant_id, fact.conversation_id)
            await bus.publish(subject, fact.dump(), stream="EVENTS", headers={"Event-Id": str(uuid7())})
        await eventually(lambda: heard == sent)


async def test_a_listener_hears_those_alone_that_it_wants_to_hear_of(platform: Platform, probe: Probe) -> None:
    scope, other, heard = new_scope(), new_scope(), list[tuple[MessageFailed, TenantScope]]()

    async def react(fact: MessageFailed, found: TenantScope) -> None:
        heard.append((fact, found))

    async with as_user(platform, "gateway") as gateway, on_bus(probe) as bus:
        await gateway.listen(MESSAGE_FAILED, react, of=lambda tenant_id: tenant_id == scope.tenant_id)
        await gateway.settle()
        fact = failed()
        for tenant_id in (other.tenant_id, scope.tenant_id):
            subject = subjects.fact(MESSAGE_FAILED, tenant_id, fact.conversation_id)
            await bus.publish(subject, fact.dump(), stream="EVENTS", headers={"Event-Id": str(uuid7())})
        await eventually(lambda: [(each, found.tenant_id) for each, found in heard] == [(fact, scope.tenant_id)])


def failed() -> MessageFailed:
    ids = {"conversation_id": uuid7(), "message_id": uuid7(), "agent_id": uuid7()}
    return MessageFailed.model_validate({**ids, "code": "model_broken"})


async def test_a_hint_reaches_who_listens(probe: Probe) -> None:
    scope, message_id, heard = new_scope(), MessageId(uuid7()), list[bytes]()

    async def hear(message: object) -> None:
        heard.append(message.data)  # type: ignore[attr-defined] # a Msg

    async with on_bus(probe) as bus:
        await bus.nc.subscribe(subjects.control_filter("stop"), cb=hear)
        await bus.hint("stop", scope.tenant_id, message_id, StopAsked(message_id=message_id))
        await eventually(lambda: heard == [StopAsked(message_id=message_id).dump()])


async def test_a_reached_cap_is_told_apart_from_a_broken_broker(probe: Probe) -> None:
    scope = new_scope()
    async with on_bus(probe) as bus:
        for _ in range(CAP):
            await send(bus, scope)
        with pytest.raises(CapReached):
            await send(bus, scope)
        assert (await send(bus, new_scope())) is not None


@pytest.fixture(scope="module")
def spans() -> InMemorySpanExporter:
    """Every span of this process from here on; a provider can be set once only."""
    exporter = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


async def test_a_trace_crosses_a_question(platform: Platform, spans: InMemorySpanExporter) -> None:
    inside: list[str] = []

    async def check(_question: CheckInput, _scope: TenantScope) -> InputVerdict:
        inside.append(tracing.trace_id())
        return InputVerdict(is_allowed=True)

    async with answered_by(platform, check) as bus:
        with tracing.span("ask"):
            wanted = tracing.trace_id()
            await bus.request(CHECK_INPUT, QUESTION, new_scope())
    assert inside == [wanted]
    await eventually(lambda: len(_of(spans, wanted)) >= 3)
    assert "ask" in _of(spans, wanted)


def _of(spans: InMemorySpanExporter, trace_id: str) -> set[str]:
    finished = (span for span in spans.get_finished_spans() if span.context)
    return {span.name for span in finished if span.context and trace.format_trace_id(span.context.trace_id) == trace_id}


async def test_a_trace_crosses_the_outbox_and_a_queue(
    probe: Probe, streams: Streams, database: Database, spans: InMemorySpanExporter
) -> None:
    scope, inside = new_scope(), list[str]()

    async def on_job(_job: AnswerTurn, found: TenantScope, _event_id: object) -> None:
        if found.tenant_id == scope.tenant_id:
            inside.append(tracing.trace_id())

    async with on_bus(probe, lambda bus: consume_work(bus, ANSWER, on_job, slots=1)) as bus:
        relay = OutboxRelay(probe.relay_url, bus)
        await relay.open()
        database.after_commit(relay.hand_over)
        with tracing.span("accept"):
            wanted = tracing.trace_id()
            async with database.tenant_tx(scope) as tx:
                await tx.enqueue(ANSWER, AnswerTurn(message_id=MessageId(uuid7())))
        await eventually(lambda: inside)
        await relay.close()
    assert inside == [wanted]
    assert "accept" in _of(spans, wanted)
