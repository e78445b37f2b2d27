"""When a model that keeps failing is left alone, and when it is tried again. Pure: whoever calls says what time it is.

closed ── half of the last outcomes failed, or the provider named a time ──> open
open ── its time is over: the next call is the probe ──> half_open
half_open ── the probe hears the model ──> closed
half_open ── the probe fails ──> open, twice as long
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "half_open", "open"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When a breaker opens and for how long; times in seconds.

    Attributes:
        failures: as many must have failed within the window, and at least half of the outcomes in it. Each worker
            counts for itself: few enough that two of them stay below 20 calls.
        outcomes: how many are remembered.
        window_s: how long an outcome is remembered.
        open_s: how long it stays open the first time; each failed probe doubles it, up to `longest_open_s`.
        longest_asked_s: how much of a provider's Retry-After is believed.
    """

    failures: int = 3
    outcomes: int = 12
    window_s: float = 60.0
    open_s: float = 5.0
    longest_open_s: float = 60.0
    longest_asked_s: float = 300.0


@dataclass(slots=True)
class Permit:
    """One call that may go on; it is settled once."""

    is_probe: bool
    is_settled: bool = False


class Breaker:
    """Of one model at one provider. Times are seconds of one clock that never goes back."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.state: State = "closed"
        self._limits = limits or Limits()
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=self._limits.outcomes)
        self._open_until = 0.0
        self._open_s = self._limits.open_s

    def admit(self, now: float) -> Permit | float:
        """Return a permit, or for how many seconds more nobody may call: 0 while a probe is under way."""
        if self.state == "closed":
            return Permit(is_probe=False)
        if self.state == "half_open":
            return 0.0
        if now < self._open_until:
            return self._open_until - now
        self.state = "half_open"
        return Permit(is_probe=True)

    def succeeded(self, permit: Permit, now: float) -> None:
        """Note that the model answered."""
        if permit.is_settled:
            return
        permit.is_settled = True
        if permit.is_probe:
            self.state = "closed"
            self._open_s = self._limits.open_s
            self._outcomes.clear()
        elif self.state == "closed":
            self._outcomes.append((now, True))

    def failed(self, permit: Permit, now: float, retry_after_s: float | None = None) -> None:
        """Note that it did not; `retry_after_s` is the time that the provider asked for, which is given at once."""
        asked_s = min(retry_after_s or 0.0, self._limits.longest_asked_s)
        was_settled, permit.is_settled = permit.is_settled, True
        if permit.is_probe and not was_settled:
            self._open_s = min(self._open_s * 2, self._limits.longest_open_s)
            self._open(now, asked_s or self._open_s)
        elif self.state == "closed":
            self._outcomes.append((now, False))
            if asked_s:
                self._open(now, asked_s)
            elif self._is_failing(now):
                self._open(now, self._open_s)
        elif asked_s:
            self._open_until = max(self._open_until, now + asked_s)

    def gave_up(self, permit: Permit, now: float) -> None:
        """Note that the call ended without showing anything about the model: the next one is the probe."""
        if permit.is_probe and not permit.is_settled:
            self._open(now, 0.0)
        permit.is_settled = True

    def _open(self, now: float, seconds: float) -> None:
        self.state = "open"
        self._open_until = now + seconds

    def _is_failing(self, now: float) -> bool:
        recent = [is_good for when, is_good in self._outcomes if now - when <= self._limits.window_s]
        failures = recent.count(False)
        return failures >= self._limits.failures and failures * 2 >= len(recent)
