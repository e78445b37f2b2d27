import asyncio
from dataclasses import replace

import pytest

from contracts.ids import MessageId, uuid7
from inference_service.domain import answer as answering
from inference_service.domain import lease
from inference_service.domain.answer import answer
from inference_service.domain.errors import ModelBroken, ModelFailed, ModelOverloaded, ModelRejected, ModelUnreachable
from inference_service.domain.notice import notice
from inference_service.domain.turn import MAX_ATTEMPT, Busy, Ended
from runtime.errors import NotNow, Retryable, Unavailable
from runtime.tenancy import TenantScope
from services.inference.tests.fakes import (
    END,
    SCOPE,
    MemoryCheck,
    MemoryFollowers,
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
from tests.support.platform import eventually

ANY = MessageId(uuid7())


async def test_what_was_shown_is_stored_with_what_it_cost():
    turns = MemoryTurns(turn())
    await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel("Yes", ", sure.", END)}))
    (outcome,) = turns.outcomes
    assert (outcome.content, outcome.finish_reason, outcome.model) == ("Yes, sure.", "stop", "a/m")
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens) == (5, 2)


async def test_an_ended_turn_is_left_alone():
    turns = MemoryTurns(Ended())
    await answer(ANY, SCOPE, desk(turns, {}))
    assert not turns.outcomes
    assert not turns.failures


async def test_a_turn_that_another_worker_has_comes_again_later():
    with pytest.raises(NotNow) as raised:
        await answer(ANY, SCOPE, desk(MemoryTurns(Busy()), {}))
    assert (raised.value.delay_s, raised.value.until_delivery) == (3.0, 4)


async def test_too_many_attempts_fail_the_turn():
    turns = MemoryTurns(turn(attempt=MAX_ATTEMPT + 1))
    await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel("x", END)}))
    assert turns.failures == ["attempts_exhausted"]


async def test_who_follows_is_told_of_the_stored_answer_once():
    turns, followers = MemoryTurns(turn(), away=1), MemoryFollowers()
    await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel("yes", END)}, followers=followers))
    assert [ended.content for ended in followers.told] == ["yes"]


async def test_nobody_is_told_of_an_answer_that_was_not_stored():
    turns, followers = MemoryTurns(turn(), is_ours=False), MemoryFollowers()
    await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel("yes", END)}, followers=followers))
    assert not followers.told


async def test_who_is_fenced_answers_anew_for_the_hands_that_have_it_now():
    first = turn()
    then = replace(first, attempt=2, epoch=1, is_with_people=True)
    turns, model, followers = MemoryTurns(first, epoch=1, then=then), ScriptedModel("Stale", END), MemoryFollowers()
    await answer(ANY, SCOPE, desk(turns, {"a": model}, followers=followers))
    assert [(one.content, one.finish_reason) for one in turns.outcomes] == [(notice("en"), "handed_over")]
    assert [ended.attempt for ended in followers.told] == [2]
    assert len(turns.pauses) == 1
    assert len(model.prompts) == 1


async def test_a_customer_is_told_once_that_a_person_will_answer_in_their_language():
    question = "Wann kommt jemand und antwortet mir auf meine Frage?"
    turns, model = MemoryTurns(turn(is_with_people=True, question=question)), ScriptedModel("x", END)
    await answer(ANY, SCOPE, desk(turns, {"a": model}))
    told = MemoryTurns(turn(is_with_people=True, is_told=True, is_stop_asked=True))
    await answer(ANY, SCOPE, desk(told, {"a": model}, sink=MemorySink(is_away=True)))
    assert [(one.content, one.finish_reason) for one in (*turns.outcomes, *told.outcomes)] == [
        (notice("de"), "handed_over"),
        ("", "handed_over"),
    ]
    assert not model.prompts


async def test_a_question_that_was_judged_at_the_opening_is_not_asked_about_again():
    class NeverAsked(MemoryCheck):
        async def blocked_categories(self, _scope: TenantScope, _text: str) -> tuple[str, ...]:
            raise AssertionError("the opening told it")

    refused, let_in = MemoryTurns(turn()), MemoryTurns(turn())
    for turns, categories in ((refused, ("terms",)), (let_in, ())):
        sink = MemorySink(MemoryStream(blocked_categories=categories))
        await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel("x", END)}, check=NeverAsked(), sink=sink))
    assert [(one.content, one.finish_reason) for one in (*refused.outcomes, *let_in.outcomes)] == [
        ("", "blocked"),
        ("x", "stop"),
    ]


async def test_a_blocked_question_never_reaches_a_model():
    turns, model = MemoryTurns(turn()), ScriptedModel("x", END)
    await answer(ANY, SCOPE, desk(turns, {"a": model}, check=MemoryCheck(("terms",))))
    (outcome,) = turns.outcomes
    assert (outcome.content, outcome.finish_reason, outcome.categories) == ("", "blocked", ("terms",))
    assert not model.prompts


async def test_a_stream_that_breaks_off_is_a_new_attempt_and_never_half_an_answer():
    turns = MemoryTurns(turn())
    with pytest.raises(Retryable) as raised:
        await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel("Half of", ModelBroken("reset"))}))
    assert raised.value.code == "model_broken"
    assert not turns.outcomes
    assert len(turns.pauses) == 1


async def test_a_model_that_is_away_is_replaced_within_the_attempt():
    turns = MemoryTurns(turn(models=("a/m", "b/n")))
    models = {"a": ScriptedModel(ModelUnreachable("nobody there")), "b": ScriptedModel("Hello", END)}
    await answer(ANY, SCOPE, desk(turns, models))
    (outcome,) = turns.outcomes
    assert (outcome.content, outcome.model) == ("Hello", "b/n")


async def test_the_next_attempt_begins_with_the_next_model():
    turns = MemoryTurns(turn(attempt=2, models=("a/m", "b/n")))
    models = {"a": ScriptedModel("from a", END), "b": ScriptedModel("from b", END)}
    await answer(ANY, SCOPE, desk(turns, models))
    assert turns.outcomes[0].content == "from b"


@pytest.mark.parametrize(
    ("failures", "asked_s"),
    [
        ((ModelOverloaded(retry_after_s=25), ModelOverloaded(retry_after_s=20)), 20.0),
        ((ModelOverloaded(retry_after_s=25), ModelRejected("no such model")), 25.0),
        ((ModelOverloaded(retry_after_s=25), ModelBroken("reset")), None),
    ],
)
async def test_the_job_waits_as_long_as_all_the_models_ask_for(
    failures: tuple[ModelFailed, ModelFailed], asked_s: float | None
) -> None:
    turns = MemoryTurns(turn(models=("a/m", "b/n")))
    models = {name: ScriptedModel(failure) for name, failure in zip("ab", failures, strict=True)}
    with pytest.raises(Retryable) as raised:
        await answer(ANY, SCOPE, desk(turns, models))
    assert raised.value.retry_after_s == asked_s
    assert turns.pauses == [asked_s or 0.0]


@pytest.mark.parametrize(("waited_s", "is_failed"), [(0.0, False), (9.0, False), (11.0, True)])
async def test_no_answer_waits_beyond_its_deadline(waited_s: float, is_failed: bool) -> None:
    turns = MemoryTurns(turn(waited_s=waited_s))
    answering_ = answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel(ModelOverloaded(retry_after_s=20))}))
    if is_failed:
        await answering_
    else:
        with pytest.raises(Retryable):
            await answering_
    assert turns.failures == (["model_overloaded"] if is_failed else [])


async def test_a_refused_request_fails_at_once_when_no_other_model_is_left():
    turns = MemoryTurns(turn())
    await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel(ModelRejected("no such model"))}))
    assert turns.failures == ["model_rejected"]


async def test_a_provider_that_is_not_here_fails_with_a_reason():
    turns = MemoryTurns(turn(models=("nobody/m",)))
    await answer(ANY, SCOPE, desk(turns, {}))
    assert turns.failures == ["model_rejected"]


async def test_the_filter_cuts_and_the_model_is_stopped():
    turns, model = MemoryTurns(turn()), ScriptedModel("Our ", "secret", " plan", END)
    sink = MemorySink(MemoryStream(cuts_at="secret"))
    await answer(ANY, SCOPE, desk(turns, {"a": model}, sink=sink))
    (outcome,) = turns.outcomes
    assert (outcome.content, outcome.finish_reason, outcome.categories) == ("Our ", "blocked", ("terms",))
    assert model.is_closed


async def test_a_stop_keeps_what_was_shown_and_reaches_the_model():
    turns, model, stops = MemoryTurns(turn()), ScriptedModel("One ", "two ", 30.0, "three", END), MemoryStops()
    running = asyncio.create_task(answer(ANY, SCOPE, desk(turns, {"a": model}, stops=stops)))
    await eventually(lambda: model.is_pausing)
    stops.event.set()
    await running
    (outcome,) = turns.outcomes
    assert (outcome.content, outcome.finish_reason) == ("One two ", "stopped")
    assert model.is_closed


async def test_a_stop_asked_before_the_attempt_ends_it_without_a_model():
    turns, model = MemoryTurns(turn(is_stop_asked=True)), ScriptedModel("x", END)
    await answer(ANY, SCOPE, desk(turns, {"a": model}))
    assert turns.outcomes[0].finish_reason == "stopped"
    assert not model.prompts


async def test_only_cited_sources_are_stored():
    turns = MemoryTurns(turn())
    knowledge = MemoryKnowledge((hit("Within 30 days of delivery.", dense=0.4), hit("free shipping", dense=0.9)))
    sink = MemorySink()
    await answer(
        ANY, SCOPE, desk(turns, {"a": ScriptedModel("Within 30 days [1].", END)}, knowledge=knowledge, sink=sink)
    )
    (outcome,) = turns.outcomes
    assert [source.n for source in outcome.sources] == [1]
    assert outcome.confidence == pytest.approx(0.4)
    assert [source.n for source in sink.stream.sources] == [1, 2]


async def test_without_a_search_only_a_model_that_needs_none_may_answer():
    turns = MemoryTurns(turn(models=("extractive/sentences", "a/m")))
    models = {"extractive": ScriptedModel("I found nothing.", END), "a": ScriptedModel("Hello", END)}
    await answer(ANY, SCOPE, desk(turns, models, knowledge=MemoryKnowledge(None)))
    assert turns.outcomes[0].content == "Hello"


async def test_without_a_search_nobody_claims_that_the_documents_are_silent():
    turns = MemoryTurns(turn(models=("extractive/sentences",)))
    models = {"extractive": ScriptedModel("I found nothing.", END)}
    with pytest.raises(Retryable):
        await answer(ANY, SCOPE, desk(turns, models, knowledge=MemoryKnowledge(None)))
    assert not turns.outcomes


async def test_the_search_does_not_wait_for_the_filter():
    turns, knowledge = MemoryTurns(turn()), MemoryKnowledge()
    sink = MemorySink(opens=knowledge.asked)
    await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel("Yes.", END)}, knowledge=knowledge, sink=sink))
    assert turns.outcomes[0].content == "Yes."


async def test_no_search_goes_on_for_an_attempt_that_found_no_filter():
    turns, knowledge = MemoryTurns(turn()), MemoryKnowledge(is_slow=True)
    sink = MemorySink(is_away=True, opens=knowledge.asked)
    with pytest.raises(Unavailable):
        await answer(ANY, SCOPE, desk(turns, {}, knowledge=knowledge, sink=sink))
    assert knowledge.is_cancelled


async def test_no_filter_means_no_answer_yet():
    turns = MemoryTurns(turn())
    with pytest.raises(Unavailable) as raised:
        await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel("x", END)}, sink=MemorySink(is_away=True)))
    assert raised.value.code == "filter_unavailable"
    assert len(turns.pauses) == 1


async def test_a_shown_answer_outlives_a_short_absence_of_the_database(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answering, "STORE_PAUSES_S", (0.0, 0.0))
    turns = MemoryTurns(turn(), away=2)
    await answer(ANY, SCOPE, desk(turns, {"a": ScriptedModel("Kept.", END)}))
    assert [outcome.content for outcome in turns.outcomes] == ["Kept."]


async def test_who_loses_the_lease_stops_at_once_and_stores_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lease, "LEASE_EVERY_S", 0.01)
    turns, model = MemoryTurns(turn(), is_ours=False), ScriptedModel("One ", 30.0, "two", END)
    await answer(ANY, SCOPE, desk(turns, {"a": model}))
    assert not turns.outcomes
    assert model.is_closed


async def test_a_stop_in_the_row_is_noticed_without_the_hint(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lease, "LEASE_EVERY_S", 0.01)
    turns, model = MemoryTurns(turn(), asks_stop=True), ScriptedModel("One ", 30.0, "two", END)
    await answer(ANY, SCOPE, desk(turns, {"a": model}))
    assert [(outcome.content, outcome.finish_reason) for outcome in turns.outcomes] == [("One ", "stopped")]
