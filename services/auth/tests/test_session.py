from datetime import UTC, datetime, timedelta

import pytest

from auth_service.domain.session import REPEAT_WITHIN, RefreshToken, judge
from contracts.ids import TenantId, UserId, uuid7

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def token(*, used_ago: timedelta | None = None, used_by: str = "", lives: int = 1, is_revoked: bool = False):
    return RefreshToken(
        id=uuid7(),
        tenant_id=TenantId(uuid7()),
        family_id=uuid7(),
        member_id=UserId(uuid7()),
        expires_at=NOW + timedelta(days=lives),
        used_at=None if used_ago is None else NOW - used_ago,
        used_by=used_by,
        is_revoked=is_revoked,
    )


def test_a_fresh_token_is_used_up():
    assert judge(token(), "c", NOW) == "rotate"


def test_the_same_client_may_repeat_within_moments():
    assert judge(token(used_ago=REPEAT_WITHIN, used_by="c"), "c", NOW) == "repeat"


@pytest.mark.parametrize(
    ("used_ago", "used_by", "client"),
    [
        (REPEAT_WITHIN + timedelta(milliseconds=1), "c", "c"),
        (timedelta(0), "c", "other"),
        (timedelta(0), "", ""),
    ],
)
def test_anybody_else_who_brings_a_used_token_ends_the_family(used_ago, used_by, client):
    assert judge(token(used_ago=used_ago, used_by=used_by), client, NOW) == "reused"


def test_what_is_over_is_dead_whoever_brings_it():
    assert judge(token(lives=0), "c", NOW) == "dead"
    assert judge(token(is_revoked=True), "c", NOW) == "dead"
    assert judge(token(used_ago=timedelta(0), used_by="c", is_revoked=True), "c", NOW) == "dead"
