import pytest

from contracts.errors import ERRORS, Failure
from runtime.errors import Conflict, LumoraError, NotFound, NotNow, Overloaded, Rejected, Retryable, from_failure


@pytest.mark.parametrize("code", ERRORS)
def test_every_code_survives_the_way_to_another_service(code: str) -> None:
    failure = Failure(code=code, detail="why", retry_after_s=1.5, conflicts_with="7")
    told = from_failure(failure)
    assert (told.code, told.detail, told.retry_after_s, told.conflicts_with) == (code, "why", 1.5, "7")
    assert told.as_failure() == failure


@pytest.mark.parametrize("code", ERRORS)
def test_retryable_means_the_same_on_both_sides(code: str) -> None:
    assert isinstance(from_failure(Failure(code=code, detail="")), Retryable) == ERRORS[code].retryable


def test_a_code_of_a_newer_service_counts_as_internal() -> None:
    assert from_failure(Failure(code="invented_later", detail="x")).code == "internal"


@pytest.mark.parametrize(
    ("code", "kind"),
    [("not_found", NotFound), ("email_taken", Conflict), ("rate_limited", Overloaded), ("too_large", Rejected)],
)
def test_a_failure_comes_back_as_its_kind(code: str, kind: type[LumoraError]) -> None:
    assert type(from_failure(Failure(code=code, detail=""))) is kind


def test_without_words_the_codes_title_speaks() -> None:
    assert NotFound().detail == ERRORS["not_found"].title
    assert str(Rejected("no", code="too_large")) == "too_large: no"


def test_an_unknown_code_is_our_own_bug() -> None:
    with pytest.raises(KeyError):
        Rejected(code="no_such_code")


def test_not_now_says_when_and_how_often() -> None:
    error = NotNow(3, until_delivery=4)
    assert (error.delay_s, error.until_delivery) == (3, 4)
