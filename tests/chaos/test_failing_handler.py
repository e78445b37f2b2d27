"""A handler that always fails: tried again with pauses, one dead letter, and replayed without harm."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from contracts import subjects
from contracts.ids import TenantId
from contracts.inference import ANSWER
from runtime.tenancy import TenantScope
from tests.support.business import Business
from tests.support.checker import check_all
from tests.support.faults import streams
from tests.support.platform import eventually
from tests.support.probe import connection
from tests.support.report import Played, Tell
from tests.support.stage import Stage

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

ATTEMPTS = 3
LEAST_S = 0.8 * (1 + 5)
"""The two pauses between them, at their shortest."""
BREAK = """
    CREATE SEQUENCE inference.chaos_tries;
    GRANT USAGE ON SEQUENCE inference.chaos_tries TO inference_app;
    CREATE FUNCTION inference.chaos_break() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- A sequence keeps its count when the transaction does not.
        PERFORM nextval('inference.chaos_tries');
        RAISE EXCEPTION 'broken for a test';
    END $$;
    CREATE TRIGGER chaos_break BEFORE UPDATE ON inference.turn FOR EACH ROW
    WHEN (NEW.state = 'running' AND NEW.tenant_id = '{tenant_id}') EXECUTE FUNCTION inference.chaos_break();
"""
MEND = """
    DROP TRIGGER chaos_break ON inference.turn;
    DROP FUNCTION inference.chaos_break();
    DROP SEQUENCE inference.chaos_tries;
"""


async def test_case_11_a_handler_that_always_fails(stage: Stage, tell: Tell) -> None:
    business = await stage.business()
    scope = TenantScope(TenantId(UUID(business.id)), "service:test")
    async with streams(stage) as looking, business.chat() as chat:
        async with _broken(stage, business) as tries:
            failed = await chat.answered(timeout_s=60)
            waited_s = failed.times[-1] - failed.asked_at
            (letter,) = await eventually(lambda: looking.letters(scope))
            assert await tries() == ATTEMPTS
        assert failed.end
        assert (failed.end["type"], failed.end["code"]) == ("message.failed", "internal")
        assert waited_s > LEAST_S
        listed = [
            item for item in (await _dlq(stage))["items"] if item["subject"] == subjects.job(ANSWER, scope.tenant_id)
        ]
        assert [item["sequence"] for item in listed] == [letter.seq]
        for _ in range(2):
            assert (await _dlq(stage, "--replay", str(letter.seq)))["replayed"] == [letter.seq]
        await eventually(lambda: _is_done(looking, scope))
        assert len(await looking.letters(scope)) == 1, "replaying made another letter"
        after = await chat.answered()
    await check_all(business, [failed, after])
    line = (
        f"a handler that always fails: {ATTEMPTS} attempts, message.failed after {waited_s:.1f} s, one dead letter; "
        "replayed twice by `lumora dlq` after it was mended: the turn stays failed, nothing is shown or counted again"
    )
    tell(Played("11", line, waited_s))


@asynccontextmanager
async def _broken(stage: Stage, business: Business) -> AsyncIterator[Any]:
    """Nobody can begin an answer of this business; gives who counts the tries."""
    async with connection(stage.platform.postgres_url("lumora")) as postgres:
        await postgres.execute(BREAK.format(tenant_id=UUID(business.id)))

        async def tries() -> int:
            return int(await postgres.fetchval("SELECT last_value FROM inference.chaos_tries"))

        try:
            yield tries
        finally:
            await postgres.execute(MEND)


async def _is_done(looking: Any, scope: TenantScope) -> bool:
    return bool(await looking.waiting(scope) == 0)


async def _dlq(stage: Stage, *arguments: str) -> Any:
    """What an operator types."""
    environment = {**os.environ, "LUMORA_DATA": stage.platform.settings.data}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lumora", "dlq", "--json", *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await child.communicate()
    assert child.returncode == 0, told
    return json.loads(told)
