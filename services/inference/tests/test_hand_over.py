# ruff: noqa: RUF001 - Chinese marks are meant
"""An agent that hands over instead of saying what the documents do not bear out."""

import asyncio

import pytest

from inference_service.domain.answer import answer
from inference_service.domain.claims import answer_sentences
from inference_service.domain.notice import NOTICES, notice
from inference_service.domain.standing import CUSTOMER_ASKED, UNSUPPORTED, Standing
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
from services.inference.tests.test_unsupported import ANY, FALSE, QUESTION, RETURNS, TRUE, done, said
from tests.support.platform import eventually

NOTICE = notice("en")


async def test_the_answer_ends_before_the_sentence_and_what_was_shown_stays():
    outcome = await said("hand_over", f"Sure! {TRUE} ", f"{FALSE} {TRUE}", hits=[hit(RETURNS, dense=0.8)])
    assert (outcome.content, outcome.finish_reason) == (f"Sure! {TRUE}\n\n{NOTICE}", "handed_over")
    assert done(outcome) == [
        ("Sure!", "no_claim", "shown"),
        ("Refunds take 5 working days.", "supported", "shown"),
        ("", "unsupported", "handed_over"),
        (NOTICE, "no_claim", "shown"),
    ]
    assert outcome.trace is not None
    assert (outcome.trace.unsupported, outcome.trace.finish_reason) == ("hand_over", "handed_over")
    withheld = outcome.trace.sentences[2]
    assert (withheld.reason, withheld.cited, withheld.start, withheld.end) == ("number", (1,), 38, 38)
    assert b"45 days" not in outcome.trace.dump()
    assert outcome.confidence == 0.4
    assert [source.n for source in outcome.sources] == [1]


async def test_the_conversation_waits_for_a_person_who_knows_why():
    outcome = await said("hand_over", FALSE)
    assert outcome.content == NOTICE
    assert outcome.hand_over(Standing()) == Standing("waiting_for_person", 1, UNSUPPORTED, is_told=True)
    assert outcome.trace is not None
    assert outcome.trace.gap == "unsupported"


async def test_what_the_documents_bear_out_is_answered():
    outcome = await said("hand_over", f"{TRUE} Anything else?")
    assert (outcome.content, outcome.finish_reason, outcome.hand_over_reason) == (
        f"{TRUE} Anything else?",
        "stop",
        None,
    )


@pytest.mark.parametrize(
    ("question", "language", "false"),
    [
        (QUESTION, "en", FALSE),
        ("Wie lange dauert die Rückgabe und was kostet sie?", "de", "Sie haben dafür 45 Tage Zeit [1]."),
        ("退货需要多长时间？", "zh", "您可以在45天内退货。[1]"),
    ],
)
async def test_the_notice_is_in_the_language_of_the_answer(question: str, language: str, false: str):
    assert (await said("hand_over", false, question=question)).content == notice(language)


@pytest.mark.parametrize("text", sorted(NOTICES))
def test_a_notice_is_one_sentence_that_claims_nothing(text: str):
    (sentence,) = answer_sentences(f"{text}\n")
    assert (sentence.text, sentence.is_claim) == (text, False)


async def test_a_model_that_repeats_the_notice_is_taken_at_its_word():
    outcome = await said("hand_over", f"{TRUE} {NOTICE} {FALSE}")
    assert (outcome.content, outcome.finish_reason) == (f"{TRUE}\n\n{NOTICE}", "handed_over")
    assert [action for _, _, action in done(outcome)] == ["shown", "shown"]


async def test_the_model_is_stopped_where_the_answer_ends():
    turns, model = MemoryTurns(turn(unsupported="hand_over", question=QUESTION)), ScriptedModel(f"{FALSE} And", 30.0)
    await answer(ANY, SCOPE, desk(turns, {"a": model}, knowledge=MemoryKnowledge((hit(RETURNS),))))
    assert turns.outcomes[0].finish_reason == "handed_over"
    assert model.is_closed


async def test_a_stop_before_it_is_a_stop():
    turns, stops = MemoryTurns(turn(unsupported="hand_over", question=QUESTION)), MemoryStops()
    model = ScriptedModel(f"{TRUE} You have 45", 30.0, END)
    answering = desk(turns, {"a": model}, stops=stops, knowledge=MemoryKnowledge((hit(RETURNS),)))
    running = asyncio.create_task(answer(ANY, SCOPE, answering))
    await eventually(lambda: model.is_pausing)
    stops.event.set()
    await running
    assert [(one.content, one.finish_reason) for one in turns.outcomes] == [(TRUE, "stopped")]


async def test_what_the_filter_cut_is_cut_and_nobody_is_called():
    sink = MemorySink(MemoryStream(cuts_at="working"))
    outcome = await said("hand_over", f"{TRUE} {FALSE}", sink=sink)
    assert (outcome.finish_reason, outcome.hand_over_reason) == ("blocked", None)


@pytest.mark.parametrize(
    ("question", "language"), [("I want to talk to a human.", "en"), ("Ich möchte mit einem Menschen sprechen.", "de")]
)
async def test_a_customer_who_asks_for_a_person_is_passed_on_without_a_model(question: str, language: str):
    turns = MemoryTurns(turn(question=question))
    await answer(ANY, SCOPE, desk(turns, {}))
    (outcome,) = turns.outcomes
    assert (outcome.content, outcome.finish_reason) == (notice(language), "handed_over")
    assert outcome.hand_over(Standing()) == Standing("waiting_for_person", 1, CUSTOMER_ASKED, is_told=True)


async def test_whose_notice_the_filter_cuts_is_passed_on_and_told_the_next_time():
    turns = MemoryTurns(turn(question="I want to talk to a human."))
    await answer(ANY, SCOPE, desk(turns, {}, sink=MemorySink(MemoryStream(cuts_at="passing"))))
    (outcome,) = turns.outcomes
    assert (outcome.finish_reason, outcome.is_for_people) == ("blocked", True)
    assert outcome.hand_over(Standing()) == Standing("waiting_for_person", 1, CUSTOMER_ASKED)


async def test_a_wish_for_a_person_is_heard_whatever_the_customer_was_told_before():
    turns = MemoryTurns(turn(question="I want to talk to a human.", is_told=True))
    await answer(ANY, SCOPE, desk(turns, {}))
    assert [(one.content, one.hand_over_reason) for one in turns.outcomes] == [(NOTICE, CUSTOMER_ASKED)]
