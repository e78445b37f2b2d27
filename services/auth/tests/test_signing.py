from datetime import UTC, datetime, timedelta

from auth_service.domain.signing import KEPT_AFTER, ROTATE_AFTER, SHOWN_AHEAD, SigningKey, is_due, signing_key, spent
from auth_service.domain.token import ACCESS_LIFE
from contracts.auth import JsonWebKey

START = datetime(2026, 3, 1, tzinfo=UTC)


def key(kid: str, made: datetime) -> SigningKey:
    return SigningKey(kid, made, JsonWebKey(kid=kid, x="x", y="y"), None)


def test_the_first_start_makes_a_key_and_signs_with_it_at_once():
    assert is_due([], START)
    assert signing_key([key("a", START)], START).kid == "a"


def test_a_key_signs_for_its_time():
    young = [key("a", START)]
    assert not is_due(young, START + ROTATE_AFTER - timedelta(seconds=1))
    assert is_due(young, START + ROTATE_AFTER)


def test_a_new_key_is_shown_before_it_signs():
    keys = [key("a", START), key("b", START + ROTATE_AFTER)]
    made = START + ROTATE_AFTER
    assert signing_key(keys, made).kid == "a"
    assert signing_key(keys, made + SHOWN_AHEAD).kid == "b"


def test_an_old_key_is_shown_until_its_last_token_is_over():
    keys = [key("a", START), key("b", START + ROTATE_AFTER)]
    switched = START + ROTATE_AFTER + SHOWN_AHEAD
    assert spent(keys, switched) == []
    assert spent(keys, switched + ACCESS_LIFE) == []
    assert [old.kid for old in spent(keys, switched + KEPT_AFTER)] == ["a"]


def test_a_single_key_is_never_spent():
    assert spent([key("a", START)], START + 10 * ROTATE_AFTER) == []
