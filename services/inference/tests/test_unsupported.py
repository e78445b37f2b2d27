# ruff: noqa: RUF001 - Chinese marks are meant
"""What an agent does with sentences that the documents do not bear out: marks, hedges or removes them."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import MessageId, uuid7
from contracts.inference import AnswerOptions, Unsupported
from contracts.ingest import PassageHit
from inference_service.domain import grounding
from inference_service.domain.answer import answer
from inference_service.domain.errors import ModelBroken
from inference_service.domain.extract import Embedder
from inference_service.domain.model import End
from inference_service.domain.refusal import refusal
from inference_service.domain.turn import Outcome
from runtime.errors import Retryable
from services.inference.tests.fakes import (
    END,
    SCOPE,
    MemoryKnowledge,
    MemorySink,
    MemoryStops,
    MemoryStream,
    MemoryTurns,
    ScriptedModel,
    desk,
    hit,
    turn,
)
from services.inference.tests.memory_embedder import MemoryEmbedder
from tests.support.platform import eventually

ANY = MessageId(uuid7())
RETURNS = """You can return anything you bought from us within 30 days of delivery. Refunds take 5 working days.

- Shipping within Europe costs €4.90.
"""
TRUE, FALSE = "Refunds take 5 working days. [1]", "You can return anything within 45 days of delivery [1]."
QUESTION = "How many days do I have to return something?"
HEDGED = "(Not confirmed by our documents.)"


async def said(
    policy: Unsupported,
    *items: str | End | Exception | float,
    question: str = QUESTION,
    hits: Sequence[PassageHit] | None = (hit(RETURNS),),
    options: AnswerOptions | None = None,
    **changes: object,
) -> Outcome:
    """What is stored of an answer in these pieces."""
    turns = MemoryTurns(turn(unsupported=policy, question=question, options=options or AnswerOptions()))
    knowledge = MemoryKnowledge(None if hits is None else tuple(hits))
    await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel(*items, END)}, knowledge=knowledge, **changes))
    (outcome,) = turns.outcomes
    return outcome


def done(outcome: Outcome) -> list[tuple[str, str, str]]:
    """The sentences of the trace: what each says, its verdict, and what was done."""
    assert outcome.trace is not None
    return [(one.text, one.verdict, one.action) for one in outcome.trace.sentences]


@pytest.mark.parametrize(
    ("policy", "shown", "action"),
    [
        ("mark", f"Sure! {TRUE} {FALSE} Anything else?", "shown"),
        ("hedge", f"Sure! {TRUE} {FALSE} {HEDGED} Anything else?", "hedged"),
        ("remove", f"Sure! {TRUE} Anything else?", "removed"),
    ],
)
async def test_each_policy_says_what_it_does(policy: Unsupported, shown: str, action: str):
    outcome = await said(policy, f"Sure! {TRUE} ", f"{FALSE} Anything else?", hits=[hit(RETURNS, dense=0.8)])
    assert outcome.content == shown
    words = "" if action == "removed" else "You can return anything within 45 days of delivery."
    assert done(outcome) == [
        ("Sure!", "no_claim", "shown"),
        ("Refunds take 5 working days.", "supported", "shown"),
        (words, "unsupported", action),
        ("Anything else?", "no_claim", "shown"),
    ]
    assert outcome.trace is not None
    assert (outcome.trace.unsupported, outcome.trace.supported_share) == (policy, 0.5)
    assert outcome.confidence == 0.4
    assert [source.n for source in outcome.sources] == [1]


async def test_a_removed_sentence_stands_in_the_trace_where_it_would_have_stood():
    outcome = await said("remove", f"{TRUE}\n{FALSE}\n{TRUE}")
    assert outcome.trace is not None
    assert [(one.start, one.end) for one in outcome.trace.sentences] == [(0, 32), (32, 32), (33, 65)]


async def test_nothing_is_kept_of_the_words_of_a_removed_sentence():
    iban = "DE89 3704 0044 0532 0130 00"
    outcome = await said("remove", f"{TRUE} Pay 45 days ahead to {iban} [1]. Anything else?")
    assert outcome.trace is not None
    (removed,) = [one for one in outcome.trace.sentences if one.action == "removed"]
    assert (removed.verdict, removed.reason, removed.cited) == ("unsupported", "number", (1,))
    assert b"DE89" not in outcome.trace.dump()
    assert b"ahead" not in outcome.trace.dump()


ANSWER = f"""Hi Ada! {FALSE} {TRUE}

These are our prices:
- Shipping within Europe costs €4.90 [1].
- Shipping to the moon costs €9.90 [1].
- Shipping within Europe costs 4.90 € [1]

{FALSE}
Anything else?"""
KEPT = f"""Hi Ada! {TRUE}

These are our prices:
- Shipping within Europe costs €4.90 [1].
- Shipping within Europe costs 4.90 € [1]

Anything else?"""


async def test_lists_and_paragraphs_close_over_what_was_removed():
    assert (await said("remove", ANSWER)).content == KEPT


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (f"- {FALSE}\n- {TRUE}", f"- {TRUE}"),
        (f"- {FALSE} {TRUE}", f"- {TRUE}"),
        (f"{TRUE}\n\nWe also say:\n- {FALSE}\n- {FALSE}\n\n{TRUE}", f"{TRUE}\n\n{TRUE}"),
        (f"We say:\n- {FALSE}\n- {TRUE}", f"We say:\n- {TRUE}"),
        (f"{FALSE}\n[1]\n\n{TRUE}", TRUE),
        (f"{TRUE} We also say:", f"{TRUE} We also say:"),
    ],
)
async def test_what_makes_no_sense_alone_goes_too(model: str, shown: str):
    assert (await said("remove", model)).content == shown


@given(st.lists(st.integers(1, len(ANSWER) - 1), max_size=12), st.sampled_from(["hedge", "remove", "hand_over"]))
def test_however_the_stream_is_cut_the_same_is_shown(places: list[int], policy: Unsupported):
    cuts = sorted({0, *places, len(ANSWER)})
    pieces = [ANSWER[start:end] for start, end in pairwise(cuts)]
    once, again = asyncio.run(said(policy, ANSWER)), asyncio.run(said(policy, *pieces))
    assert again.content == once.content
    assert done(again) == done(once)


@pytest.mark.parametrize(
    ("question", "language", "false"),
    [
        (QUESTION, "en", FALSE),
        ("Wie lange dauert die Rückgabe und was kostet sie?", "de", "Sie haben dafür 45 Tage Zeit [1]."),
        ("¿Cuántos días tengo para la devolución?", "es", "Usted tiene para eso 45 días [1]."),
        ("退货需要多长时间？", "zh", "您可以在45天内退货。[1]"),
    ],
)
async def test_when_nothing_is_left_it_is_said_that_the_documents_do_not_hold_it(
    question: str, language: str, false: str
):
    outcome = await said("remove", false, question=question)
    assert (outcome.content, outcome.confidence, outcome.sources) == (refusal(language), 0.0, ())
    assert outcome.trace is not None
    assert outcome.trace.gap == "unsupported"
    assert [one.action for one in outcome.trace.sentences] == ["removed", "shown"]


async def test_a_greeting_alone_answers_nothing():
    assert (await said("remove", f"Hello Ada! {FALSE}")).content == f"Hello Ada! {refusal('en')}"


async def test_who_admits_it_already_need_not_hear_it_twice():
    assert (await said("remove", f"{FALSE} I could not find more.")).content == "I could not find more."


@pytest.mark.parametrize(
    ("false", "caveat"),
    [
        ("Sie haben dafür 45 Tage Zeit [1].", " (Durch unsere Unterlagen nicht bestätigt.)"),
        ("Vous avez 45 jours pour le faire [1].", " (Non confirmé par nos documents.)"),
        ("您可以在45天内退货。[1]", " （我们的资料未能证实这一点。）"),
        ("- You have 45 days [1]", f" {HEDGED}"),
        ("您可以在45天内退货。", "（我们的资料未能证实这一点。）"),
        (f"You have 45 days [1]. {HEDGED}", ""),
    ],
)
async def test_the_caveat_is_in_the_language_of_the_answer_and_said_once(false: str, caveat: str):
    outcome = await said("hedge", false)
    assert outcome.content == false + caveat
    assert [action for _, _, action in done(outcome)] == ["hedged"]


@pytest.mark.parametrize("policy", ["hedge", "remove"])
async def test_without_embeddings_words_decide_and_the_trace_says_so(policy: Unsupported):
    embedder = MemoryEmbedder(is_away=True)
    outcome = await said(policy, f"You can return anything within 30 days. {FALSE} {FALSE}", embedder=embedder)
    assert [verdict for _, verdict, _ in done(outcome)] == ["supported", "unsupported", "unsupported"]
    assert outcome.trace is not None
    assert outcome.trace.is_checked_by_words_alone
    assert len(embedder.asked) == 1


async def test_an_embedder_that_hangs_is_waited_for_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(grounding, "_PATIENCE_OF_ONE_S", 0.01)

    class Hanging(Embedder):
        calls = 0

        async def embed(self, _texts: Sequence[str]) -> list[list[float]]:
            self.calls += 1
            await asyncio.sleep(30)
            raise AssertionError

    embedder = Hanging()
    outcome = await said("remove", f"{FALSE} You can return anything within 30 days [1].", embedder=embedder)
    assert outcome.content == "You can return anything within 30 days [1]."
    assert embedder.calls == 1


async def test_each_claim_is_embedded_once():
    embedder = MemoryEmbedder()
    await said("remove", f"You can return anything within 30 days. {FALSE}", embedder=embedder)
    assert len(embedder.asked) == 2


@pytest.mark.parametrize("policy", ["hedge", "remove", "hand_over"])
async def test_an_answer_without_knowledge_is_as_the_model_said_it(policy: Unsupported):
    outcome = await said(policy, FALSE, options=AnswerOptions(use_knowledge=False), hits=())
    assert outcome.content == FALSE
    assert outcome.trace is not None
    assert outcome.trace.unsupported == "mark"


async def test_while_the_search_is_away_nothing_is_removed_handed_over_or_confirmed():
    assert (await said("hedge", FALSE, hits=None)).content == f"{FALSE} {HEDGED}"
    for policy in ("remove", "hand_over"):
        with pytest.raises(Retryable) as raised:
            await said(policy, FALSE, hits=None)
        assert raised.value.code == "unavailable"


async def test_quotations_are_shown_as_they_come():
    turns = MemoryTurns(turn(unsupported="remove", question=QUESTION, models=("extractive/sentences",)))
    sink = MemorySink()
    model = ScriptedModel("Half", " a quotation that", END)
    await answer(ANY, SCOPE, desk(turns, {"extractive": model}, sink=sink))
    assert turns.outcomes[0].content == "Half a quotation that"


async def test_a_stop_shows_nothing_that_was_not_checked():
    turns, stops = MemoryTurns(turn(unsupported="hedge", question=QUESTION)), MemoryStops()
    model = ScriptedModel(f"{TRUE} You have", 30.0, END)
    answering = desk(turns, {"a": model}, stops=stops, knowledge=MemoryKnowledge((hit(RETURNS),)))
    running = asyncio.create_task(answer(ANY, SCOPE, answering))
    await eventually(lambda: model.is_pausing)
    stops.event.set()
    await running
    assert [(one.content, one.finish_reason) for one in turns.outcomes] == [(TRUE, "stopped")]


async def test_what_an_attempt_held_when_it_died_is_gone():
    turns, sink = MemoryTurns(turn(unsupported="hedge", question=QUESTION)), MemorySink()
    model = ScriptedModel(f"{TRUE} You have", ModelBroken("reset"))
    with pytest.raises(Retryable):
        await answer(ANY, SCOPE, desk(turns, {"a": model}, sink=sink, knowledge=MemoryKnowledge((hit(RETURNS),))))
    assert sink.stream.text == TRUE
    assert not turns.outcomes


async def test_what_the_filter_cuts_is_cut():
    sink = MemorySink(MemoryStream(cuts_at="Europe"))
    outcome = await said("remove", f"{TRUE} {FALSE} Shipping within Europe costs €4.90 [1]. {TRUE}", sink=sink)
    assert (outcome.content, outcome.finish_reason) == (TRUE, "blocked")
    assert [action for _, _, action in done(outcome)] == ["shown", "removed"]


async def test_the_first_sentence_leaves_before_the_last_is_there():
    turns, sink = MemoryTurns(turn(unsupported="remove", question=QUESTION)), MemorySink()
    model = ScriptedModel(f"{TRUE} And", 30.0, END)
    answering = desk(turns, {"a": model}, sink=sink, knowledge=MemoryKnowledge((hit(RETURNS),)))
    running = asyncio.create_task(answer(ANY, SCOPE, answering))
    await eventually(lambda: sink.stream.text == TRUE)
    running.cancel()
