"""`lumora up`: the embedded servers, every service as a process of its own, the demo business.

Run as `python -m lumora.up SETTINGS` by the command of that name, so that this process, which lives as long as the
platform, imports little more than the standard library.
"""

import asyncio
import json
import signal
import sys
import time
from contextlib import suppress

from lumora.boot import Platform
from lumora.log_output import LogOutput
from lumora.log_view import LEVELS, Line, LogView
from lumora.refused import Refused
from lumora.settings import UpSettings
from lumora.supervise import own_line
from lumora.terminal import may_colour


class Session:
    """One run of the platform, from the first line to the last."""

    def __init__(self, settings: UpSettings, output: LogOutput, view: LogView) -> None:
        self._settings = settings
        self._output = output
        self._view = view
        self._quit = asyncio.Event()
        self._platform = Platform(settings, self.say)

    def say(self, line: Line) -> None:
        """Put a line into the log."""
        text = self._view.render(line)
        if text is not None:
            self._output.write(text)

    async def run(self) -> int:
        """Start, announce, wait for a signal, drain. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number)
        code = 0
        try:
            await self._until_quit()
        except Refused as refused:
            self.say(own_line("error", f"start.{refused.code}", str(refused), code=refused.code))
            code = 1
        except OSError as error:
            self.say(own_line("error", "start.failed", f"Lumora cannot start: {error}", code="start_failed"))
            code = 1
        await self._platform.stop()
        if self._quit.is_set():
            self.say(own_line("info", "stopped", "Stopped; all data is kept."))
        return code

    async def _until_quit(self) -> None:
        begin = time.monotonic()
        booting = asyncio.create_task(self._platform.boot())
        quitting = asyncio.create_task(self._quit.wait())
        await asyncio.wait({booting, quitting}, return_when=asyncio.FIRST_COMPLETED)
        if not booting.done():
            booting.cancel()
            with suppress(asyncio.CancelledError):
                await booting
            return
        await booting
        self._announce(time.monotonic() - begin)
        await quitting

    def _announce(self, seconds: float) -> None:
        url, demo = self._platform.url, self._platform.demo
        if self._settings.is_json:
            self._output.write(json.dumps({"event": "ready", "url": url, "demo": demo, "seconds": round(seconds, 2)}))
            return
        self._output.write(f"ready {url} ({seconds:.1f} s)")
        if demo:
            self._output.write(f"      sign in as {demo['email']} with password {demo['password']}")
            self._output.write(
                '      or ask in another terminal: lumora chat "Can I return something after three weeks?"'
            )

    def _on_signal(self, number: signal.Signals) -> None:
        if self._quit.is_set():
            self.say(own_line("warning", "stop.now", "Stopping at once.", signal=number.name))
            self._platform.kill()
            return
        self._quit.set()
        sentence = "Draining: running answers may finish (at most a minute). Again to stop at once."
        self.say(own_line("info", "stop.drain", sentence, signal=number.name))


async def up(settings: UpSettings) -> int:
    """Run the platform until a signal; returns the exit code."""
    output = LogOutput()
    floor = LEVELS["debug" if settings.is_verbose else "info"]
    view = LogView(is_json=settings.is_json, is_coloured=may_colour(sys.stdout), floor=floor)
    try:
        return await Session(settings, output, view).run()
    finally:
        output.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(up(UpSettings.from_argument(sys.argv[1]))))
