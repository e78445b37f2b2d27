# ruff: noqa: RUF001 - questions in many languages
"""Which answers leave a gap, seen through the whole way of a turn, and what their trace says."""

import pytest

from contracts.ids import MessageId, uuid7
from contracts.inference import AnswerOptions
from contracts.trace import AnswerTrace
from inference_service.domain.answer import answer
from inference_service.domain.errors import ModelUnreachable
from inference_service.domain.turn import Said
from services.inference.tests.fakes import (
    END,
    SCOPE,
    MemoryCheck,
    MemoryKnowledge,
    MemoryTurns,
    ScriptedModel,
    desk,
    hit,
    turn,
)

RETURNS = hit("You can return any item within 30 days of delivery.", dense=0.6)
QUESTION = "How long can I return an item?"
NOT_FOUND = "I could not find an answer to that in our documents."


async def traced(said: str, *, question: str = QUESTION, **changes: object) -> AnswerTrace:
    turns = MemoryTurns(turn(question=question, **changes.pop("turn", {})))  # type: ignore[arg-type] # a dict
    known: dict[str, object] = {"knowledge": MemoryKnowledge((RETURNS,)), **changes}
    await answer(MessageId(uuid7()), SCOPE, desk(turns, {"a": ScriptedModel(said, END)}, **known))
    (outcome,) = turns.outcomes
    assert outcome.trace is not None
    assert outcome.trace.confidence == outcome.confidence
    return outcome.trace


async def test_a_good_answer_leaves_no_gap():
    trace = await traced("You can return any item within 30 days [1].")
    assert trace.gap is None
    assert [one.verdict for one in trace.sentences] == ["supported"]
    assert trace.sentences[0].quote == RETURNS.text
    assert (trace.supported_share, trace.hits[0].is_cited, trace.hits[0].dense) == (1.0, True, 0.6)


async def test_a_made_up_answer_is_a_gap_and_costs_confidence():
    trace = await traced("You can return any item within 90 days [1].")
    assert trace.gap == "unsupported"
    assert [(one.verdict, one.reason) for one in trace.sentences] == [("unsupported", "number")]
    assert trace.confidence == 0.0


async def test_an_admission_is_a_gap():
    assert (await traced(NOT_FOUND)).gap == "not_answered"
    far = hit("Tents are made of nylon.", dense=0.1).model_copy(update={"bm25": None})
    assert (await traced(NOT_FOUND, knowledge=MemoryKnowledge((far,)))).gap == "nothing_found"
    assert (await traced(NOT_FOUND, knowledge=MemoryKnowledge(()))).gap == "nothing_found"


@pytest.mark.parametrize(
    "question",
    [
        "Where can I park?",
        "where can i park",
        "Parking?",
        "Wo kann ich parken?",
        "Gibt es Parkplätze?",
        "¿Dónde puedo aparcar?",
        "Kayak available?",
        "gift card?",
        "停车？",
        "ที่จอดรถ?",
        "Thanks! And parking?",
    ],
)
async def test_one_word_that_is_asked_about_is_a_question(question: str):
    assert (await traced(NOT_FOUND, question=question)).gap == "not_answered"


async def test_what_leans_on_the_question_before_is_a_question():
    before = {"history": (Said(True, "Do you ship to Norway?"), Said(False, "Yes."))}
    trace = await traced(NOT_FOUND, question="How long does it take?", turn=before)
    assert (trace.query, trace.gap) == ("How long does it take? ship Norway", "not_answered")
    assert (await traced(NOT_FOUND, question="Why?", turn=before)).gap is None
    assert (await traced(NOT_FOUND, question="Thanks, are you sure?", turn=before)).gap is None


@pytest.mark.parametrize(
    "question",
    [
        "Hello!",
        "Hello?",
        "hi there?",
        "ok?",
        "Thanks",
        "Thank you so much for your help today!",
        "How are you?",
        "Anyone there?",
        "Really?",
        "Can you help me?",
        "Can I ask a question?",
        "Are you a bot?",
        "Why?",
        "??",
        "Danke schön!",
        "Wie geht's?",
        "Können Sie mir helfen?",
        "¿Hola?",
        "Merci beaucoup",
        "你好吗？",
        "在吗？",
        "สวัสดีครับ",
        "안녕하세요?",
        "Привет!",
    ],
)
async def test_a_courtesy_is_no_question(question: str):
    assert (await traced("Hello! How can I help you?", question=question)).gap is None


async def test_when_nobody_could_know_there_is_no_gap():
    away = await traced(NOT_FOUND, knowledge=MemoryKnowledge(None))
    assert (away.gap, away.is_search_away) == (None, True)
    unasked = await traced(NOT_FOUND, turn={"options": AnswerOptions(use_knowledge=False)})
    assert (unasked.gap, unasked.is_knowledge_used) == (None, False)
    blocked = await traced("x", check=MemoryCheck(("terms",)))
    assert (blocked.gap, blocked.filter_categories, blocked.models) == (None, ("terms",), ())


async def test_the_trace_tells_which_models_were_tried():
    turns = MemoryTurns(turn(models=("gone/x", "a/m", "b/n"), question=QUESTION))
    models = {"a": ScriptedModel(ModelUnreachable("nobody there")), "b": ScriptedModel("Within 30 days [1].", END)}
    await answer(MessageId(uuid7()), SCOPE, desk(turns, models, knowledge=MemoryKnowledge((RETURNS,))))
    trace = turns.outcomes[0].trace
    assert trace is not None
    assert [(one.model, one.outcome, one.code) for one in trace.models] == [
        ("gone/x", "passed_over", "no_such_provider"),
        ("a/m", "failed", "model_unreachable"),
        ("b/n", "answered", None),
    ]
    assert trace.prompt is not None
    assert trace.prompt.passages == (1,)
    times = trace.timings_ms
    assert None not in (times.found, times.first_token, times.shown, times.checked)


async def test_a_trace_is_bounded_whatever_was_said():
    trace = await traced("A statement about the delivery. " * 4_000, question="why " * 4_000)
    assert len(trace.dump()) < 100_000
