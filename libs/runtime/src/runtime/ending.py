"""Tasks that run for ever are ended by a cancellation, which may be lost.

`asyncio.wait_for` of Python 3.11 gives the result back when that comes in the moment of the cancellation, and forgets
that it was cancelled (python/cpython#86296, mended in 3.12). nats-py waits with it for every answer. So a loop that
asks the broker something may go on, and whoever waits for its end would wait for ever.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

AGAIN_S: Final = 2.0
"""Long enough for what a task does at its end, which a second cancellation would cut off."""


async def end_all(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks until they have ended, and return then; how they ended is of no interest."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=AGAIN_S)
