"""Processes that a test starts: they end with it, even when pytest is killed and no fixture can end them."""

import os
import sys
from typing import Final

_BIND: Final = """
import os, signal, sys
from lumora.embedded.launch import die_with
die_with(int(sys.argv[1]), signal.SIGTERM)
os.execv(sys.argv[2], sys.argv[2:])
"""


def bound(*arguments: str) -> list[str]:
    """The command of a Python process that is told to end when the thread that starts it ends.

    Start it in the main thread: others end sooner than pytest does.
    """
    return [sys.executable, "-c", _BIND, str(os.getpid()), sys.executable, *arguments]
