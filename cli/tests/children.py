"""Small real processes for tests of the supervisor."""

import asyncio
import os
import sys

from lumora.supervise import ChildSpec, Supervisor

ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}


def python(name, code, **options):
    """A child that runs Python code; ready as soon as it has said "up"."""
    return ChildSpec(name=name, argv=(sys.executable, "-c", code), env=ENVIRONMENT, is_ready=_always, **options)


async def _always(_pid):
    return True


class Heard:
    """Collects the lines of a supervisor and lets a test wait for one."""

    def __init__(self):
        self.lines = []
        self._news = asyncio.Event()
        self.supervisor = Supervisor(self.say, lambda _children: None)

    def say(self, line):
        self.lines.append(line)
        self._news.set()

    def count(self, event):
        return sum(event in line.event for line in self.lines)

    async def wait_for(self, event, times=1):
        """Until a line with this event came `times` times; returns the last of them."""
        async with asyncio.timeout(20):
            while self.count(event) < times:
                self._news.clear()
                await self._news.wait()
        return [line for line in self.lines if event in line.event][-1]
