"""The error tree, drawn once.

LumoraError                 has a stable `code` from contracts.errors, and words for whoever asked
├── Rejected                never: trying again cannot help
│   ├── Unreadable          bytes that are no message of the expected shape
│   ├── NotFound            no such thing, or not in this business: nobody can tell which
│   ├── Conflict            it exists, or was used, already
│   └── Forbidden           known, and not allowed
└── Retryable               not now: the same may succeed later, at the earliest after `retry_after_s`
    ├── Unavailable         a part we need is away
    ├── Overloaded          a limit was reached
    ├── DeadlineExceeded    whoever asked has stopped waiting
    └── NotNow              somebody else is at it; not counted as an attempt
"""

from contracts.errors import ERRORS, Failure


class LumoraError(Exception):
    """A failure with a stable code. `detail` is shown to people: it names no path, no SQL, no secret.

    Attributes:
        conflicts_with: the id of what stands in the way, where somebody can do something with it.
    """

    default_code = "internal"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        retry_after_s: float | None = None,
        conflicts_with: str | None = None,
    ) -> None:
        self.code = code or self.default_code
        self.kind = ERRORS[self.code]
        self.detail = detail or self.kind.title
        self.retry_after_s = retry_after_s
        self.conflicts_with = conflicts_with
        super().__init__(f"{self.code}: {self.detail}")

    def as_failure(self) -> Failure:
        return Failure(
            code=self.code,
            detail=self.detail,
            retry_after_s=self.retry_after_s,
            conflicts_with=self.conflicts_with,
        )


class Rejected(LumoraError):
    """Trying again cannot help."""

    default_code = "invalid_request"


class Unreadable(Rejected):
    """Bytes that are no message of the expected shape."""


class NotFound(Rejected):
    """No such thing, or not in this business: nobody can tell which."""

    default_code = "not_found"


class Conflict(Rejected):
    """It exists, or was used, already."""

    default_code = "conflict"


class Forbidden(Rejected):
    """Known, and not allowed."""

    default_code = "forbidden"


class Retryable(LumoraError):
    """The same may succeed later. A job that raised it is not delivered again before `retry_after_s` is over."""

    default_code = "unavailable"


class Unavailable(Retryable):
    """A part we need is away."""


class Overloaded(Retryable):
    """A limit was reached."""

    default_code = "rate_limited"


class DeadlineExceeded(Retryable):
    """Whoever asked has stopped waiting."""

    default_code = "deadline_exceeded"


class NotNow(Retryable):
    """Somebody else is at it: come back after `delay_s`, and give up quietly at delivery `until_delivery`."""

    def __init__(self, delay_s: float, until_delivery: int) -> None:
        super().__init__()
        self.delay_s = delay_s
        self.until_delivery = until_delivery


def from_failure(failure: Failure) -> LumoraError:
    """The error that another service answered with; an unknown code of a newer service counts as internal."""
    code = failure.code if failure.code in ERRORS else "internal"
    kind = _KINDS.get(code) or (Retryable if ERRORS[code].retryable else Rejected)
    return kind(failure.detail, code=code, retry_after_s=failure.retry_after_s, conflicts_with=failure.conflicts_with)


_KINDS: dict[str, type[LumoraError]] = {
    "not_found": NotFound,
    "forbidden": Forbidden,
    "conflict": Conflict,
    "email_taken": Conflict,
    "unseen_message": Conflict,
    "idempotency_conflict": Conflict,
    "unavailable": Unavailable,
    "rate_limited": Overloaded,
    "too_many_turns": Overloaded,
    "deadline_exceeded": DeadlineExceeded,
}
