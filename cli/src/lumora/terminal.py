"""What the terminal can show."""

import os
from typing import TextIO


def may_colour(stream: TextIO) -> bool:
    """NO_COLOR and FORCE_COLOR decide, else whether it is a terminal that can (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
