"""Writes the log without ever waiting for its reader: a reader that sleeps must not stop the platform."""

import queue
import sys
import threading
from typing import TextIO

#: About a minute of a busy platform's log.
_WAITING = 20_000


class LogOutput:
    """A thread that writes lines to a stream; when the reader is too slow, lines are dropped and counted."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Queue one line (without its newline)."""
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what is queued; give up on a reader that does not read."""
        try:
            self._lines.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _run(self) -> None:
        is_read = True
        while (text := self._lines.get()) is not None:
            if not is_read:
                continue
            if self._dropped:
                text, self._dropped = f"{text}\n({self._dropped} lines were dropped: the log is not read)", 0
            try:
                self._stream.write(text + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                is_read = False  # the reader is gone for good; the platform goes on
