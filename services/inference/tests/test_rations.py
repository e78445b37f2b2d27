"""What each kind of provider is held to, as the service is put together."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from inference_service.app import RATIONS, _rationed
from inference_service.domain.errors import ModelOverloaded
from inference_service.domain.hedged import HedgedModel
from inference_service.domain.model import Model, Prompt
from inference_service.settings import InferenceSettings
from services.inference.tests.test_hedged import Call, Calls

NOBODY = SecretStr("nobody's")
ASK = Prompt("", (), "why?", (), "m")


def settings(**changes: object) -> InferenceSettings:
    known: dict[str, object] = {"nats_seed": NOBODY, "database_url": NOBODY, "relay_url": NOBODY}
    return InferenceSettings.model_validate({**known, **changes})


@pytest.mark.parametrize(("provider", "is_hedged"), [("ollama", False), ("anthropic", True), ("openai", True)])
def test_one_machine_is_never_asked_twice_and_a_fleet_unless_it_is_turned_off(provider: str, is_hedged: bool) -> None:
    assert isinstance(_rationed(provider, Calls(), settings()), HedgedModel) is is_hedged
    assert not isinstance(_rationed(provider, Calls(), settings(hedging=False)), HedgedModel)


@pytest.mark.parametrize(("provider", "slots"), [("ollama", None), ("openai", None), ("ollama", 3)])
async def test_as_many_calls_as_there_are_places_and_the_next_one_is_sent_elsewhere(
    provider: str, slots: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RATIONS, provider, replace(RATIONS[provider], patience_s=0.05))
    places = slots or RATIONS[provider].places
    calls = Calls([Call() for _ in range(places)])
    model = _rationed(provider, calls, settings(model_slots=slots))
    held = [asyncio.create_task(_hear(model)) for _ in range(places)]
    await calls.reached(places)
    with pytest.raises(ModelOverloaded):
        await _hear(model)
    assert len(calls.made) == places
    for call in calls.made:
        call.may_speak.set()
    await asyncio.gather(*held)


async def _hear(model: Model) -> None:
    async for _ in model.stream(ASK, deadline=float("inf")):
        pass
