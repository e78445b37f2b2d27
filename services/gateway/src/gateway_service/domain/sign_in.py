"""Signing in, with guesses counted by e-mail."""

from contracts.auth import LOGIN, Login, Session
from gateway_service.domain.limits import RateLimits
from gateway_service.domain.ports import SIGN_IN_S, Services
from runtime.errors import Overloaded

WRONG_PER_MINUTE = 10


async def sign_in(asked: Login, *, services: Services, limits: RateLimits) -> Session:
    """A session for the right password.

    A try is counted before it is made, so that many at once cannot slip through, and uncounted when it was right.

    Raises:
        Overloaded: too many wrong tries for this e-mail, from wherever.
        Rejected: wrong (`wrong_credentials`).
        Unavailable: auth is away or busy.
    """
    key = f"login:{asked.email.strip().lower()}"
    allowance = await limits.take(key, limit=WRONG_PER_MINUTE)
    if not allowance.is_allowed:
        raise Overloaded("too many tries to sign in", retry_after_s=allowance.reset_s)
    session = await services.ask(LOGIN, asked, timeout_s=SIGN_IN_S)
    await limits.give_back(key)
    return session
