"""What one socket may do when: hello first, and not too many bad frames."""

from collections import deque

from runtime.clock import Clock

HELLO_S = 5.0
STRIKES, STRIKE_WINDOW_S = 20, 60.0
HEARTBEAT_S = 20


class Strikes:
    """A bad frame is answered, never fatal, until 20 in a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times: deque[float] = deque()

    def add(self) -> bool:
        """Count a bad frame; True when that was one too many."""
        now = self._clock.monotonic_s()
        self._times.append(now)
        while self._times[0] <= now - STRIKE_WINDOW_S:
            self._times.popleft()
        return len(self._times) >= STRIKES
