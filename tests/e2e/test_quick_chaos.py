"""The faults that are quick to play, in every run: real processes are killed, and nobody notices more than a pause."""

from collections.abc import Awaitable, Callable

import pytest

from tests.support import scenarios
from tests.support.report import Played
from tests.support.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.mark.parametrize("play", [scenarios.asked_fifty_times, scenarios.gateway_killed, scenarios.filter_killed])
async def test_scenario(stage: Stage, play: Callable[[Stage], Awaitable[Played]]) -> None:
    assert str(await play(stage))
