"""When a second call beside a silent one is worth its price. Pure: whoever calls says what time it is.

The second call is made before the first token only, once the first has been silent for longer than 95 % of this model's
recent calls were; at most one call in twenty has one (Dean and Barroso, "The Tail at Scale", CACM 2013: that is nearly
all of the gain for 5 % of the cost).

It goes to the same model, never to the next one of the agent's order. A slow call of a hosted model is slow by itself
(a busy machine, a cold one, a lost packet): another call of the same model meets another machine, and finds the prompt
in the provider's cache. The next model of the order is there for one that fails; it would often be faster because it is
smaller, and an agent's answers must not get worse for being hurried.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

_SHARE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Limits:
    """When hedging begins and what it may cost; times in seconds.

    Attributes:
        floor_s: of the silence: below it a second call gains less than it costs.
        enough: of so many recent calls the first token must be known before the slowest 5 % mean anything.
        remembered: the most that are looked at.
        window_s: how long one is remembered.
        calls_each: how many calls earn one second call: 20 are 5 %.
        saved: how many second calls may be saved up, so that a quiet hour does not pay for a storm.
    """

    floor_s: float = 0.3
    enough: int = 20
    remembered: int = 200
    window_s: float = 600.0
    calls_each: int = 20
    saved: int = 3


class Hedge:
    """Of one model at one provider. Times are seconds of one clock that never goes back."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._silences: deque[tuple[float, float]] = deque(maxlen=self._limits.remembered)
        self._earned = 0

    def called(self) -> None:
        """Note a call of a customer's turn: each earns its share of a second call."""
        self._earned = min(self._earned + 1, self._limits.calls_each * self._limits.saved)

    def heard(self, silence_s: float, now: float) -> None:
        """Note how long a first call was silent.

        Of one that lost against its second call that is what it had been silent for until then: less than the truth,
        yet among the longest. Second calls are not noted, because only the quick ones among them are ever heard.
        """
        self._silences.append((now, silence_s))

    def after_s(self, now: float) -> float | None:
        """Return how long a call must be silent before a second one; None while too little is known."""
        recent = sorted(silence_s for when, silence_s in self._silences if now - when <= self._limits.window_s)
        if len(recent) < self._limits.enough:
            return None
        return max(self._limits.floor_s, recent[math.ceil(_SHARE * len(recent)) - 1])

    def may_spend(self) -> bool:
        """Take what a second call costs; False when the calls up to now have not earned it."""
        if self._earned < self._limits.calls_each:
            return False
        self._earned -= self._limits.calls_each
        return True
